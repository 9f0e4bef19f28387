"""Uploads that go wrong in every way: cut, many at once, a full disk, hostile names, bombs. No file is left behind."""

from __future__ import annotations

import gzip
import io
import os
import socket
import subprocess
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from cura_client import CuraClient, NoAnswer, gcode_gz, ufp
from harness import PATIENCE, Rig, wait_until

from cura_printing import (
    clear_bed,
    client,
    end_jobs,
    gcode_files,
    memory,
    name,
    port_of,
    short_gcode,
    spool_files,
    start_cura,
    wait_for_cura,
    wait_for_job,
    write_cura,
)


@pytest.fixture(scope="module")
def upload_rig() -> Iterator[Rig]:
    with Rig() as rig:
        start_cura(rig, speed=20, max_upload_mb=8, max_unpacked_mb=16)
        yield rig


@pytest.fixture
def cura(upload_rig: Rig) -> Iterator[CuraClient]:
    with client(upload_rig) as cura:
        end_jobs(upload_rig, cura)
        yield cura
        wait_until(lambda: not spool_files(upload_rig), 10 * PATIENCE, "an empty staging folder", 0.1)
        assert upload_rig.daemon.process.running


def request(cura: CuraClient, filename: str, content: bytes) -> bytes:
    """A whole upload as it goes over the wire."""
    lines, body = cura.upload_bytes(filename, content)
    head = "POST /cluster-api/v1/print_jobs/ HTTP/1.1\r\n" + "".join(f"{line}\r\n" for line in lines) + "\r\n"
    return head.encode() + body


def test_uploads_cut_at_every_tenth_leave_nothing(cura: CuraClient, upload_rig: Rig) -> None:
    before = gcode_files(upload_rig)
    content = os.urandom(300_000)
    data = request(cura, f"{name()}.ufp", ufp(short_gcode(), extra={"Metadata/noise.bin": content}))
    for tenth in range(10):
        with socket.create_connection(("127.0.0.1", port_of(upload_rig))) as connection:
            connection.sendall(data[: len(data) * tenth // 10])
            if tenth % 2:
                time.sleep(0.02)
    wait_until(lambda: not spool_files(upload_rig), 10 * PATIENCE, "an empty staging folder", 0.05)
    assert cura.jobs() == []
    assert gcode_files(upload_rig) == before
    assert cura.deviations == []


def test_an_upload_whose_length_lies_is_no_job(cura: CuraClient, upload_rig: Rig) -> None:
    data = request(cura, f"{name()}.gcode", short_gcode())
    head, _, body = data.partition(b"\r\n\r\n")
    length = f"Content-Length: {len(body)}".encode()
    # The last line end belongs to nobody: without it the form is whole.
    for lie in (len(body) // 2, len(body) - 4):
        answer = speak(upload_rig, head.replace(length, f"Content-Length: {lie}".encode()) + b"\r\n\r\n" + body[:lie])
        assert answer.startswith(b"HTTP/1.1 400"), answer
    assert {job["status"] for job in cura.jobs()} <= {"error"}


def speak(rig: Rig, data: bytes, timeout: float = 10.0) -> bytes:
    with socket.create_connection(("127.0.0.1", port_of(rig)), timeout) as connection:
        connection.sendall(data)
        return connection.recv(65536)


def test_twenty_uploads_at_once(cura: CuraClient, upload_rig: Rig) -> None:
    """Some are told to come later; none is lost that was taken, and none is mixed with another."""
    contents = {f"{name()}.gcode": short_gcode() + f"; {number}\n".encode() * 20_000 for number in range(20)}
    answers: dict[str, int] = {}

    def send(file: str, content: bytes) -> None:
        with client(upload_rig) as other:
            for _ in range(200):
                reply = other.upload(file, content)
                if reply.status not in (429, 503):
                    break
                time.sleep(0.05)
            answers[file] = reply.status
            assert other.deviations == []

    threads = [threading.Thread(target=send, args=item) for item in contents.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answers.values()) <= {200, 201, 202}, answers
    jobs = [job["name"] for job in cura.jobs()]
    assert sorted(jobs) == sorted(contents)
    for file, content in contents.items():
        assert (upload_rig.moonraker.gcodes / file).read_bytes() == content


def test_a_file_over_the_limit_is_refused_and_shown(cura: CuraClient, upload_rig: Rig) -> None:
    file = f"{name()}.gcode"
    assert cura.upload(file, b"; filler\n" * 1_000_000).status == 413
    job = wait_for_job(cura, "", "error")
    assert file not in gcode_files(upload_rig)
    assert cura.delete(job["uuid"]).status in (200, 202)
    assert cura.deviations == []


@pytest.mark.parametrize("kind", ["gzip", "ufp", "ufp_lies", "many_members"])
def test_bombs_are_not_unpacked(cura: CuraClient, upload_rig: Rig, kind: str) -> None:
    zeros = bytes(1 << 20)
    begin = memory(upload_rig)
    if kind == "gzip":
        packed = io.BytesIO()
        with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=9) as out:
            for _ in range(200):
                out.write(zeros)
        content, ending = packed.getvalue(), "gcode.gz"
    elif kind == "many_members":
        content, ending = gzip.compress(zeros) * 200, "gcode.gz"
    else:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("/3D/model.gcode", "w") as out:
            for _ in range(200):
                out.write(zeros)
        content, ending = packed.getvalue(), "ufp"
        if kind == "ufp_lies":
            # The directory says that it is small; what is in it is not.
            size = (200 << 20).to_bytes(4, "little")
            content = content.replace(size, (1000).to_bytes(4, "little"))
    file = f"{name()}.{ending}"
    reply = cura.upload(file, content)
    if kind == "ufp_lies":
        # Moonraker unpacks it; ours only promises not to be the one that suffers.
        assert reply.status >= 200
    else:
        assert reply.status in (400, 413, 415, 422)
        wait_for_job(cura, "", "error")
    assert memory(upload_rig) - begin < 8_000 * PATIENCE
    assert cura.deviations == []


@pytest.mark.parametrize(
    ("filename", "content", "status"),
    [
        ("model.stl", b"solid\n", 415),
        ("model.3mf", b"PK\x03\x04", 415),
        ("noending", b"G28\n", 415),
        ("broken.ufp", b"PK\x03\x04 and no more", 400),
        ("empty.ufp", b"", 400),
        ("text.ufp", b"G28\n", 400),
        ("broken.gcode.gz", b"\x1f\x8b\x08 and no more", 400),
        ("short.gcode.gz", gzip.compress(b"G28\n" * 1000)[:-9], 400),
    ],
    ids=["stl", "3mf", "no ending", "broken ufp", "empty", "text as ufp", "broken gzip", "cut gzip"],
)
def test_what_is_no_print_file_is_refused(
    cura: CuraClient, upload_rig: Rig, filename: str, content: bytes, status: int
) -> None:
    before = gcode_files(upload_rig)
    reply = cura.upload(filename, content)
    assert reply.status in (status, 415, 422), reply
    assert reply.message
    assert gcode_files(upload_rig) == before
    assert cura.deviations == []


def test_a_ufp_without_gcode_and_one_with_paths_out_of_it(cura: CuraClient, upload_rig: Rig) -> None:
    before = gcode_files(upload_rig)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("/Metadata/thumbnail.png", b"")
    assert cura.upload(f"{name()}.ufp", packed.getvalue()).status in (400, 415, 422)
    assert gcode_files(upload_rig) == before
    job = name()
    evil = ufp(b"G28\n", extra={"../../../../tmp/uplink-evil": b"x", "/etc/uplink-evil": b"x"})
    cura.upload(f"{job}.ufp", evil)
    assert not os.path.exists("/tmp/uplink-evil")
    assert not os.path.exists("/etc/uplink-evil")
    assert set(gcode_files(upload_rig)) - set(before) <= {f"{job}.gcode"}


@pytest.mark.parametrize(
    "filename",
    [
        "../../../etc/evil.gcode",
        "..\\..\\evil.gcode",
        "/etc/evil.gcode",
        "C:\\evil.gcode",
        ".hidden.gcode",
        "...gcode",
        "  spaces .gcode",
        "x" * 400 + ".gcode",
        "ö" * 200 + ".gcode",
        "bö\u0308x (1).gcode",
        "a\tb\x01c.gcode",
        "a\u202eb.gcode",
        "-rf.gcode",
        "con.gcode",
        "a%2f..%2fb.gcode",
        "😀.gcode",
        'quo\\"te.gcode',
    ],
)
def test_hostile_names_stay_inside_the_folder(cura: CuraClient, upload_rig: Rig, filename: str) -> None:
    before = set(gcode_files(upload_rig))
    reply = cura.upload(filename, b"G28\n")
    if reply.status >= 400:
        assert reply.status in (400, 415)
        assert set(gcode_files(upload_rig)) == before
        return
    new = set(gcode_files(upload_rig)) - before
    assert len(new) == 1
    stored = new.pop()
    assert "/" not in stored
    assert not stored.startswith((".", " "))
    assert len(stored.encode()) <= 120 + len(".gcode") + 3
    assert stored.isprintable()
    assert cura.jobs()[-1]["name"]
    for path in ("/etc/evil.gcode", "/evil.gcode", str(upload_rig.folder.parent / "evil.gcode")):
        assert not os.path.exists(path)
    assert cura.deviations == []


def test_the_end_of_a_client_before_the_answer_is_no_harm(cura: CuraClient, upload_rig: Rig) -> None:
    upload_rig.moonraker.freeze()
    with socket.create_connection(("127.0.0.1", port_of(upload_rig))) as connection:
        connection.sendall(request(cura, f"{name()}.gcode", short_gcode()))
        time.sleep(0.3)
        assert cura.printers()
    upload_rig.moonraker.thaw()
    wait_for_cura(upload_rig, None)
    wait_until(lambda: not spool_files(upload_rig), 20 * PATIENCE, "an empty staging folder", 0.1)


def test_moonraker_away_is_said_and_leaves_nothing(cura: CuraClient, upload_rig: Rig) -> None:
    upload_rig.moonraker.kill()
    file = f"{name()}.gcode"
    reply = cura.upload(file, short_gcode())
    assert reply.status == 503, reply
    wait_for_job(cura, file, "error")
    upload_rig.moonraker.relaunch()
    upload_rig.moonraker.wait_for_klippy()
    wait_for_cura(upload_rig, "idle")
    assert cura.deviations == []


def fill_up_in_the_middle(rig: Rig, data: bytes, filler: Path) -> bytes:
    """Half of an upload, then somebody takes all the room that is left, then the rest; what is answered."""
    with socket.create_connection(("127.0.0.1", port_of(rig)), 10 * PATIENCE) as connection:
        connection.sendall(data[: len(data) // 2])
        wait_until(
            lambda: any(path.stat().st_size > 1 << 20 for path in spool_files(rig)), 10, "half of it on the disk"
        )
        with suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(1 << 16))
        connection.sendall(data[len(data) // 2 :])
        return connection.recv(65536)


def test_a_disk_that_fills_up_in_the_middle(rig: Rig) -> None:
    """A clear answer, no file, and the print that runs goes on."""
    if os.geteuid() != 0:
        pytest.skip("a small disk needs root")
    start_cura(rig, speed=20)
    with client(rig) as cura:
        clear_bed(rig)
        job = name()
        cura.upload(f"{job}.gcode", short_gcode(20))
        wait_for_job(cura, job, "printing")
        rig.daemon.stop()
        state = rig.folder / "small"
        state.mkdir()
        # More than the 64 MB that are never used for uploads.
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96m,mode=0700", "tmpfs", str(state)], check=True)
        try:
            subprocess.run(["cp", "-a", f"{rig.daemon.state}/.", str(state)], check=True)
            rig.daemon.state = state
            write_cura(rig)
            rig.daemon.start()
            wait_for_cura(rig, "printing")
            big = f"{name()}.gcode"
            answer = fill_up_in_the_middle(rig, request(cura, big, b"; filler\n" * 1_000_000), state / "others")
            assert answer.startswith(b"HTTP/1.1 507"), answer
            assert b"disk" in answer
            wait_for_job(cura, "", "error")
            assert big not in gcode_files(rig)
            wait_until(lambda: not spool_files(rig), 5, "an empty staging folder")
            wait_for_job(cura, job, "printing")
            # Where it is full from the begin, all of the upload is taken before it is told so.
            assert cura.upload(big, b"; filler\n" * 1_000_000).status == 507
            (state / "others").unlink()
            small = f"{name()}.gcode"
            assert cura.upload(small, short_gcode()).status in (200, 201)
            assert cura.deviations == []
        finally:
            rig.daemon.kill()
            subprocess.run(["umount", str(state)], check=False)


@pytest.mark.soak
def test_a_large_upload_does_not_grow_the_memory(rig: Rig) -> None:
    start_cura(rig)
    with client(rig, timeout=300) as cura:
        cura.upload(f"{name()}.gcode", short_gcode())
        begin = memory(rig)
        peak = begin
        done = threading.Event()

        def watch() -> None:
            nonlocal peak
            while not done.wait(0.05):
                peak = max(peak, memory(rig))

        watcher = threading.Thread(target=watch)
        watcher.start()
        content = b"G1 X1 Y1 ; some more words to fill the line with\n" * (400 * 1024 * 1024 // 49)
        assert cura.upload(f"{name()}.gcode", content).status in (200, 201, 202)
        done.set()
        watcher.join()
        assert peak - begin < 2_048, (begin, peak)


@pytest.mark.soak
def test_uploads_cut_anywhere_leave_nothing(rig: Rig) -> None:
    start_cura(rig)
    with client(rig) as cura:
        for content, ending in ((ufp(short_gcode()), "ufp"), (gcode_gz(short_gcode()), "gcode.gz")):
            data = request(cura, f"{name()}.{ending}", content)
            for cut in range(0, len(data), max(1, len(data) // 300)):
                with socket.create_connection(("127.0.0.1", port_of(rig))) as connection:
                    connection.sendall(data[:cut])
        wait_until(lambda: not spool_files(rig), 10 * PATIENCE, "an empty staging folder")
        # Who left within a header is noticed when the time for headers is over.
        wait_until(lambda: answers(cura), 15 * PATIENCE, "a free connection")
        assert cura.jobs() == []
        assert gcode_files(rig) == []


def answers(cura: CuraClient) -> bool:
    with suppress(NoAnswer):
        return bool(cura.printers())
    return False
