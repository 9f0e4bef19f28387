"""The connection breaks: at every packet of a session, and at bytes that nobody has chosen. It is always there again,
no job is printed or reported twice, nothing is said too early."""

from __future__ import annotations

import random
import re
import socket
import threading
import time
from contextlib import suppress

import pytest
from harness import Rig, free_port, wait_until

from commanding import write_backends
from polar_rig import obey_polar, offer_files, starts


class CuttingProxy:
    """Before the cloud: each connection breaks after so many bytes, both ways together; with none left it passes all."""

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self.target = target
        self.cuts: list[int] = []
        self.broken = 0
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            limit = self.cuts.pop(0) if self.cuts else None
            server = socket.create_connection(("127.0.0.1", self.target))
            left = [limit]
            lock = threading.Lock()
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(source, sink, left, lock), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, left: list[int | None], lock: threading.Lock) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                with lock:
                    if left[0] is not None:
                        data = data[: left[0]]
                        left[0] -= len(data)
                    sink.sendall(data)
                    if left[0] == 0:
                        self.broken += 1
                        left[0] = -1
                        break
                    if left[0] is not None and left[0] < 0:
                        break
        with lock:
            if left[0] is not None and left[0] > 0:  # ended before its time, as a registration does: for another one
                self.cuts.append(left[0])
                left[0] = -1
        for each in (source, sink):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


CUTS_PER_RUN = 5
SESSION = 2_800
"""Bytes of a session from its opening to its first statuses and a job."""


@pytest.mark.soak
@pytest.mark.timeout(400)
@pytest.mark.parametrize("seed", range(10))
def test_broken_at_random_bytes_it_is_always_there_again(rig: Rig, seed: int) -> None:
    """Ten runs of five cuts. A job is handed out between them; it is printed once at most, and reported once."""
    chance = random.Random(seed)
    rig.start_printer(speed=20)
    rig.polar.start("--status-interval", "10", "--ping-interval", "2", "--ping-timeout", "2")
    offer_files(rig)
    proxy = CuttingProxy(rig.polar.port)
    proxy.cuts = [chance.randrange(1, SESSION) for _ in range(CUTS_PER_RUN)]
    try:
        write_backends(rig, rig.polar.entry(server_url=f"http://127.0.0.1:{proxy.port}"))
        rig.daemon.start()
        jobs: list[str] = []
        deadline = time.monotonic() + 150
        while proxy.broken < CUTS_PER_RUN and time.monotonic() < deadline:
            time.sleep(0.5)
            if len(jobs) < 4 and (not jobs or rig.polar.reports(jobs[-1])):
                with suppress(OSError):  # nobody is connected
                    jobs.append(rig.polar.print("cube.gcode"))
        assert proxy.broken == CUTS_PER_RUN
        begin = time.monotonic()
        rig.polar.wait_for("status", 90, begin)
        time.sleep(4)
        last = rig.polar.print("cube.gcode")
        assert rig.polar.report(last, 60)["state"] == "completed"
    finally:
        proxy.close()
    assert len(rig.polar.reports(last)) == 1
    for job in jobs:
        assert len(rig.polar.reports(job)) <= 1, job
    files = [entry["script"] for entry in rig.printer.requests("gcode/script") if "SDCARD_PRINT" in entry["script"]]
    assert len(files) == len(set(files)), "a second print"
    assert greeted_rightly(rig)
    assert unexcused(rig.polar.deviations()) == []


@pytest.mark.timeout(300)
@pytest.mark.parametrize("first", [1, 5, 9, 13])
@pytest.mark.soak
def test_broken_at_every_packet_it_is_always_there_again(rig: Rig, first: int) -> None:
    """Four packets each: the connection breaks right behind one, from the handshake to the statuses of a job."""
    rig.start_printer(speed=20)
    rig.polar.start("--status-interval", "10", "--ping-interval", "2", "--ping-timeout", "2")
    offer_files(rig)
    rig.polar.order("cut", after=list(range(first, first + 4)))
    write_backends(rig, rig.polar.entry())
    rig.daemon.start()
    wait_until(lambda: len(rig.polar.records("open")) >= 5, 90, "four connections that broke, and one that did not")
    begin = rig.polar.records("open")[4]["mono"]
    rig.polar.wait_for("status", 90, begin)
    time.sleep(4)
    job = rig.polar.print("cube.gcode")
    assert rig.polar.report(job, 60)["state"] == "completed"
    assert starts(rig) == 1
    assert greeted_rightly(rig)
    assert unexcused(rig.polar.deviations()) == []


@pytest.mark.soak
def test_broken_while_a_job_is_reported_there_is_no_second_report(rig: Rig) -> None:
    polar = obey_polar(rig)
    polar.fault("job", "drop_after")
    job = polar.print("cube.gcode")
    polar.report(job, 60)
    begin = time.monotonic()
    polar.wait_for("hello", 30, begin - 1)
    time.sleep(4)
    assert len(polar.reports(job)) == 1
    assert starts(rig) == 1
    assert polar.deviations() == []


def greeted_rightly(rig: Rig) -> bool:
    """No connection has both registered and greeted."""
    registered = {record["connection"] for record in rig.polar.records("register")}
    greeted = [record["connection"] for record in rig.polar.records("hello")]
    return not registered & set(greeted) and len(greeted) == len(set(greeted))


def unexcused(deviations: list[str]) -> list[str]:
    """Without what is the cut's own doing: half a head of a request, a registration whose answer was cut off."""
    return [text for text in deviations if not re.search(r"open: (tight loop|header|query)|after a refusal", text)]
