"""The log: how much it says, that Moonraker shows it, and that nothing that happens to its file ends it."""

from __future__ import annotations

import re
import shutil
import signal
import time
import urllib.request

import pytest
from harness import Rig, wait_until

from logging_rig import LINE, configuration, lines_per_speaker, log_file, start_everything
from preload import fail_disk

MOST_PER_MINUTE = 1_000
"""Bytes of the log while nothing happens but a print."""
CALL = re.compile(r"(GET|POST|PUT|PATCH|WebSocket) /\S*: (\d{3}|[a-z]+), \d+ ms")


def download(rig: Rig, name: str) -> bytes:
    """A log as Mainsail fetches it."""
    with urllib.request.urlopen(f"{rig.moonraker.url}/server/files/logs/{name}", timeout=10) as answer:
        assert answer.status == 200
        return answer.read()


def reload(rig: Rig) -> None:
    """Something that is worth a line."""
    rig.daemon.process.signal(signal.SIGHUP)


@pytest.mark.parametrize(
    "seconds",
    [
        30,
        pytest.param(600, marks=pytest.mark.soak, id="ten minutes"),
        pytest.param(3_600, marks=pytest.mark.soak, id="an hour"),
    ],
)
@pytest.mark.timeout(4_200)
def test_a_print_says_next_to_nothing(rig: Rig, seconds: float) -> None:
    start_everything(rig)
    time.sleep(2)
    begin = log_file(rig).stat().st_size
    time.sleep(seconds)
    said = log_file(rig).read_bytes()[begin:].decode()
    print(f"{seconds:g} s of a print: {len(said.encode())} bytes, {lines_per_speaker(said)}")
    assert rig.printer.print_state == "printing"
    assert len(said.encode()) <= MOST_PER_MINUTE * seconds / 60, said
    assert rig.deviations() == []


@pytest.mark.soak
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize(
    ("what", "most"),
    [("clouds away", 8), ("Moonraker away", 4), ("camera away", 4), ("clouds flap", 20), ("Moonraker flaps", 12)],
)
def test_ten_bad_minutes_stay_within_a_few_kilobytes(rig: Rig, what: str, most: int) -> None:
    start_everything(rig)
    begin = log_file(rig).stat().st_size
    clouds = [rig.printdock, rig.reach, rig.polar, rig.php_hub]
    parts = clouds if "clouds" in what else [rig.moonraker]
    end = time.monotonic() + 600
    if "camera" in what:
        rig.cameras[0].answer = "html"
    elif "away" in what:
        for part in parts:
            part.kill()
    else:
        while time.monotonic() < end:
            for part in parts:
                part.kill()
            time.sleep(15)
            for part in parts:
                part.relaunch()
            time.sleep(15)
    time.sleep(max(0.0, end - time.monotonic()))
    said = log_file(rig).read_bytes()[begin:].decode()
    print(f"{what}: {len(said.encode())} bytes, {lines_per_speaker(said)}")
    assert len(said.encode()) <= most * 1_000, said


def test_moonraker_shows_the_log_and_debug_shows_every_call_without_a_secret(rig: Rig) -> None:
    # A megabyte of an earlier day: it is rotated at the start.
    former = b"2026-01-01 00:00:00.000 INFO  host: of an earlier day\n" * 19_418
    assert 1 << 20 > len(former) > (1 << 20) - 100
    log_file(rig).write_bytes(former)
    start_everything(rig, level="debug", max_size_mb=1, backups=2)
    time.sleep(3)
    names = {file["path"]: file for file in rig.moonraker.call("server.files.list", root="logs")}
    assert {"printer-uplink.log", "printer-uplink.log.1"} <= names.keys()
    assert download(rig, "printer-uplink.log.1") == former
    text = download(rig, "printer-uplink.log").decode("utf-8")
    assert log_file(rig).read_text("utf-8").startswith(text)
    lines = [LINE.fullmatch(line) for line in text.splitlines()]
    assert all(lines), text
    calls = {line[2] for line in lines if line and line[1] == "DEBUG" and CALL.fullmatch(line[3])}
    assert calls >= {"reach", "printdock", "polar", "php-hub"}
    secrets = [rig.php_hub.token, "PAIR-0001", "PAIR_dummy_1", rig.polar.pin + '"', rig.polar.email]
    for identity in rig.daemon.state.rglob("*.json"):
        secrets += re.findall(r'"(?:token|secret|connector_secret|key)" *: *"([^"]{6,})"', identity.read_text("utf-8"))
    assert len(secrets) > 5, "what pairing yielded"
    assert [secret for secret in secrets if secret in text] == []


def test_whatever_is_done_to_the_file_the_log_goes_on(rig: Rig) -> None:
    rig.daemon.write(configuration(rig) | {"backends": []})
    file = log_file(rig)
    file.parent.mkdir(exist_ok=True)
    rig.daemon.start()
    wait_until(lambda: file.exists() and "control.listen" in file.read_text(), 10, "the log")

    def goes_on() -> None:
        before = len(rig.daemon.process.lines("reload"))
        reload(rig)
        wait_until(lambda: len(rig.daemon.process.lines("reload")) > before, 10, "a line on the console")
        wait_until(lambda: file.exists() and "reload" in file.read_text(), 10, "a line in the file")

    file.rename(file.with_suffix(".old"))  # logrotate
    goes_on()
    file.write_text("")  # logrotate's copytruncate
    goes_on()
    assert "\0" not in file.read_text(), "no hole"
    file.unlink()
    goes_on()
    file.unlink()
    file.symlink_to(rig.folder / "elsewhere.log")
    goes_on()
    assert file.is_symlink()

    file.unlink()
    shutil.rmtree(file.parent)
    before = len(rig.daemon.process.lines("reload"))
    reload(rig)
    wait_until(lambda: len(rig.daemon.process.lines("reload")) > before, 10, "a line on the console")
    wait_until(lambda: rig.daemon.process.lines("the log goes on here"), 10, "what is wrong")
    file.parent.mkdir()
    goes_on()
    assert "lines are missing here" in file.read_text()
    assert len(rig.daemon.process.lines("the log goes on here")) == 1
    assert len(rig.daemon.process.lines("takes lines again")) == 1


def test_a_disk_that_takes_nothing_is_said_once_and_nothing_waits_for_it(rig: Rig) -> None:
    switch = fail_disk(rig)
    file = rig.daemon.state / "printer-uplink.log"
    rig.daemon.write(configuration(rig, file=str(file)) | {"backends": []})
    rig.daemon.start()
    wait_until(lambda: file.exists() and "control.listen" in file.read_text(), 10, "the log")
    switch.touch()
    for number in range(3):
        reload(rig)
        wait_until(lambda: len(rig.daemon.process.lines("reload")) > number, 10, "a line on the console")  # noqa: B023
    assert "reload" not in file.read_text()
    switch.unlink()
    reload(rig)
    wait_until(lambda: "reload" in file.read_text(), 10, "a line in the file")
    assert "lines are missing here" in file.read_text()
    assert len(rig.daemon.process.lines("the log goes on here")) == 1
