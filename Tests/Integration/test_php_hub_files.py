"""Files of the PHP hub: fetched whole and checked or not at all, and cleaned up without ever touching the owner's."""

from __future__ import annotations

import hashlib
import json
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
import sample_gcode
from harness import PHPHub, QuietServer, Rig, free_port, wait_until

from commanding import left_behind
from php_hubs import (
    INTERVAL,
    OWN_FOLDER,
    SHORT,
    Clock,
    ended,
    finish,
    gaps,
    hub_entry,
    large,
    merged,
    obey_hub,
    own_files,
    settle_hub,
    wait_for_file,
)
from preload import preload

DAY = 86_400


@pytest.fixture(scope="module")
def first_rig() -> Iterator[tuple[Rig, PHPHub]]:
    """Generation 1, quick to give up; idle between its tests."""
    with Rig() as rig:
        quick = {"max_attempts": 2, "base_delay": 0.5}
        files = {"gcode_directory": str(rig.moonraker.gcodes)}
        yield rig, obey_hub(rig, retries=quick, max_download_mb=1, file_management=files)
        assert rig.deviations() == []


@pytest.fixture
def first(first_rig: tuple[Rig, PHPHub]) -> tuple[Rig, PHPHub]:
    rig, hub = first_rig
    hub.clear_faults()
    hub.set(download_rate=0)
    if rig.printer.print_state in ("printing", "paused"):
        rig.moonraker.call("printer.print.cancel")
        time.sleep(0.6)
    return rig, hub


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


# Fetching


def test_any_lawful_name_is_fetched_and_printed(first: tuple[Rig, PHPHub]) -> None:
    """The original put names into queries and paths as they came: `a&b=c d.gcode`."""
    rig, hub = first
    for name in ("a&b=c d+plus%20.gcode", "répétition d'essai #1 (50%) ñ.GCODE"):
        file = hub.upload(name, SHORT + b";" + name.encode())
        ended(hub.carry_out("print", file=file["name"]), "completed")
        finish(rig)
        assert wait_for_file(rig, file["name"]).read_bytes() == SHORT + b";" + name.encode()
        time.sleep(0.5)
    # (What is being written whole lies there for a moment.)
    wait_until(lambda: left_behind(rig.daemon.state) == [], 3, "nothing that is half-done")


def refused_json(hub: PHPHub) -> None:
    hub.fault("download", "json", None, body={"success": False, "message": "Archivo no encontrado"})


def cut_off(hub: PHPHub) -> None:
    hub.fault("download", "truncate", None)


def other_bytes(hub: PHPHub) -> None:
    """The file changes after its checksum was taken."""
    for path in (hub.folder / "uploads").glob("broken_*.gcode"):
        path.write_bytes(b"M117 other\n")


BROKEN: list[tuple[str, bytes, Callable[[PHPHub], None]]] = [
    ("refused", SHORT, refused_json),
    ("page", SHORT, lambda hub: hub.fault("download", "page", None, body="<br />\n<b>Fatal error</b>")),
    ("cut", SHORT + b"; filling\n" * 500, cut_off),
    ("other", SHORT, other_bytes),
    ("error", SHORT, lambda hub: hub.fault("download", "status", None, status=500)),
    ("reset", SHORT, lambda hub: hub.fault("download", "drop_before", None)),
    ("empty", b"", lambda hub: None),
    ("json", b'{"success": true}\n', lambda hub: None),
    ("html", b"<html></html>\n", lambda hub: None),
    ("warning", b"\n<br />\n<b>Warning</b>: readfile()", lambda hub: None),
    ("large", large(1_250_000), lambda hub: None),
]


@pytest.mark.parametrize(("what", "content", "spoil"), BROKEN, ids=[case[0] for case in BROKEN])
def test_what_did_not_come_whole_is_not_printed_nor_kept(
    first: tuple[Rig, PHPHub], what: str, content: bytes, spoil: Callable[[PHPHub], None]
) -> None:
    """The original printed error pages, and left half a file under the final name for the next `print`."""
    rig, hub = first
    name = f"broken_{what}.gcode"
    before = own_files(rig)
    hub.upload(name, content)
    spoil(hub)
    result = hub.carry_out("print", file=name, timeout=20)
    assert result["status"] in ("failed", "rejected"), result
    assert result["message"], result
    assert rig.printer.starts(f"{OWN_FOLDER}/{name}") == 0
    assert own_files(rig) == before
    # (What is being written whole lies there for a moment.)
    wait_until(lambda: left_behind(rig.daemon.state) == [], 3, "nothing that is half-done")
    hub.clear_faults()
    if what in ("refused", "cut", "reset"):
        ended(hub.carry_out("print", file=name), "completed")
        assert wait_for_file(rig, name).read_bytes() == content
        finish(rig)


def test_a_file_that_nobody_has(first: tuple[Rig, PHPHub]) -> None:
    rig, hub = first
    result = hub.carry_out("print", file="not_there.gcode", timeout=20)
    assert result["status"] in ("failed", "rejected"), result
    assert own_files(rig).count("not_there.gcode") == 0


def test_the_same_file_is_not_fetched_twice_and_a_changed_one_is(first: tuple[Rig, PHPHub]) -> None:
    """The original printed any file of that name unseen."""
    rig, hub = first
    fetched = lambda: len(hub.records("download"))
    hub.upload("same.gcode", SHORT)
    ended(hub.carry_out("print", file="same.gcode"), "completed")
    finish(rig)
    count = fetched()
    time.sleep(0.5)
    ended(hub.carry_out("print", file="same.gcode"), "completed")
    assert fetched() == count
    finish(rig)
    changed = SHORT + b"; changed\n"
    (hub.folder / "uploads" / "same.gcode").write_bytes(changed)
    path = hub.folder / "uploads" / "files.json"
    rows = json.loads(path.read_text())
    for row in rows:
        if row["name"] == "same.gcode":
            row |= {"md5": md5(changed).upper(), "size_bytes": str(len(changed))}
    path.write_text(json.dumps(rows))
    ended(hub.carry_out("print", file="same.gcode"), "completed")
    assert fetched() == count + 1
    file = wait_for_file(rig, "same.gcode")
    assert file.read_bytes() == changed
    finish(rig)
    # Changed at the printer with its size and time kept: neither printed as the hub's nor written over.
    before = file.stat()
    owners = changed.replace(b"changed", b"altered")
    file.write_bytes(owners)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    starts = rig.printer.starts(f"{OWN_FOLDER}/same.gcode")
    ended(hub.carry_out("print", file="same.gcode"), "rejected")
    assert file.read_bytes() == owners
    assert rig.printer.starts(f"{OWN_FOLDER}/same.gcode") == starts


@pytest.mark.soak
def test_checksums_of_the_command_count_first(rig: Rig) -> None:
    hub = obey_hub(rig, retries={"base_delay": 0.5}, file_management={"verify_checksums": "required"})
    (hub.folder / "uploads").mkdir()
    for name in ("one", "two", "three", "four"):
        (hub.folder / "uploads" / f"{name}.gcode").write_bytes(SHORT)
    url = lambda name: {"file": f"{name}.gcode", "download_url": f"uploads/{name}.gcode"}
    wrong = hub.carry_out("print", **url("one"), timeout=20)
    assert wrong["status"] in ("failed", "rejected"), "none is known, and one is required"
    wrong = hub.carry_out("print", **url("two"), md5="0" * 32, timeout=20)
    assert wrong["status"] in ("failed", "rejected"), wrong
    wrong = hub.carry_out("print", **url("two"), sha256="0" * 64, timeout=20)
    assert wrong["status"] in ("failed", "rejected"), wrong
    assert own_files(rig) == []
    ended(hub.carry_out("print", **url("three"), md5=md5(SHORT).upper()), "completed")
    finish(rig)
    ended(hub.carry_out("print", **url("four"), sha256=hashlib.sha256(SHORT).hexdigest()), "completed")
    assert own_files(rig) == ["four.gcode", "three.gcode"]
    assert rig.deviations() == []


@pytest.mark.soak
@pytest.mark.parametrize("generation", ["v1", "v2"])
def test_the_hub_is_told_only_where_that_is_harmless(rig: Rig, generation: str) -> None:
    hub = obey_hub(rig, generation)
    file = hub.upload("part.gcode", SHORT)
    if generation == "v1":
        ended(hub.carry_out("print", file="part.gcode"), "completed")
        time.sleep(INTERVAL)
        assert hub.records("mark_downloaded") == [], "it would delete the file there"
        begin = time.monotonic()
        rig.daemon.change(rig.configuration() | {"backends": [hub_entry(rig, mark_downloaded="always")]})
        settle_hub(hub, begin + 0.5)
        time.sleep(0.5)
        hub.upload("other.gcode", SHORT)
        ended(hub.carry_out("print", file="other.gcode"), "completed")
        hub.wait_for("mark_downloaded", 10)
        wait_until(lambda: not (hub.folder / "uploads" / "other.gcode").exists(), 5, "its end")
    else:
        ended(hub.carry_out_v2("basic", f"PRINT_FILE:{file['filename']}", 1), "completed")
        assert own_files(rig) == ["part.gcode"], "under the name that people gave it"
        wait_until(lambda: hub.rows("SELECT downloaded FROM files") == [{"downloaded": 1}], 5, "the flag")
        assert hub.page(f"uploads/{file['filename']}")[0] == 200
    assert rig.deviations() == []


# Where from


class Elsewhere:
    """A server that is not the hub; what it was asked."""

    def __init__(self) -> None:
        self.port = free_port()
        self.asked: list[tuple[str, dict[str, str]]] = []
        elsewhere = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                elsewhere.asked.append((self.path, dict(self.headers)))
                if self.path.startswith("/moved"):
                    self.send_response(302)
                    self.send_header("Location", "http://127.0.0.1:1/x.gcode")
                    self.end_headers()
                    return
                self.send_response(200)
                self.send_header("Content-Type", "application/octet-stream")
                self.send_header("Content-Length", str(len(SHORT)))
                self.end_headers()
                self.wfile.write(SHORT)

            def log_message(self, *arguments: object) -> None:
                """Silent."""

        self.server = QuietServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    server = Elsewhere()
    yield server
    server.server.shutdown()
    server.server.server_close()


def test_addresses_of_downloads_stay_at_the_hub(rig: Rig, elsewhere: Elsewhere) -> None:
    """Otherwise the hub could read the printer's network through us."""
    hub = obey_hub(rig, retries={"max_attempts": 2, "base_delay": 0.5})
    hub.upload("x.gcode", SHORT)
    port, moonraker = elsewhere.port, rig.moonraker.port
    addresses: list[Any] = [
        f"http://127.0.0.1:{port}/x.gcode",
        f"http://localhost:{port}/x.gcode",
        f"http://localhost:{hub.port}/printerhub/uploads/x.gcode",
        f"http://127.1:{port}/x.gcode",
        f"http://2130706433:{port}/x.gcode",
        f"http://0x7f000001:{port}/x.gcode",
        f"http://[::1]:{port}/x.gcode",
        f"http://[::ffff:127.0.0.1]:{port}/x.gcode",
        f"http://0.0.0.0:{port}/x.gcode",
        f"http://127.0.0.1:{hub.port}@127.0.0.1:{port}/x.gcode",
        f"http://127.0.0.1:{hub.port}\\@127.0.0.1:{port}/x.gcode",
        f"//127.0.0.1:{port}/x.gcode",
        f"http://127.0.0.1:{moonraker}/server/files/config/moonraker.conf",
        f"https://127.0.0.1:{hub.port}/printerhub/uploads/x.gcode",
        "http://169.254.169.254/latest/meta-data",
        "http://192.168.0.1/x.gcode",
        "file:///etc/passwd",
        "ftp://127.0.0.1/x.gcode",
        "gopher://127.0.0.1/x",
        "data:text/plain,G28",
        "javascript:1",
        "http://",
        "http:///x.gcode",
        f"http://127.0.0.1:{hub.port}/x\r\nX-A: b",
        5,
        ["x"],
    ]
    for start in range(0, len(addresses), 20):
        part = addresses[start : start + 20]
        orders = [{"action": "print", "file": f"h{start + i}.gcode", "download_url": url} for i, url in enumerate(part)]
        for number, url in zip(hub.queue(*orders), part, strict=True):
            result = hub.result(number, 40)
            assert result["status"] in ("rejected", "failed"), (url, result)
    assert elsewhere.asked == []
    hub.fault("static", "redirect", None, status=302, location=f"http://127.0.0.1:{port}/x.gcode")
    result = hub.carry_out("print", file="x.gcode", download_url="uploads/x.gcode", timeout=20)
    assert result["status"] in ("rejected", "failed"), result
    assert elsewhere.asked == []
    hub.clear_faults()
    assert own_files(rig) == []
    assert hub.token not in rig.daemon.log()
    ended(hub.carry_out("print", file="x.gcode", download_url="/printerhub/uploads/x.gcode"), "completed")
    assert len(hub.records("static")) >= 2
    assert [text for text in rig.deviations() if "Location" not in text] == []


@pytest.mark.soak
def test_a_further_origin_is_allowed_by_name_and_never_gets_the_token(rig: Rig, elsewhere: Elsewhere) -> None:
    files = {"allowed_download_hosts": [f"http://127.0.0.1:{elsewhere.port}"]}
    hub = obey_hub(rig, retries={"max_attempts": 2, "base_delay": 0.5}, file_management=files)
    base = f"http://127.0.0.1:{elsewhere.port}"
    result = hub.carry_out("print", file="x.gcode", download_url=f"{base}/x.gcode", timeout=20)
    ended(result, "completed")
    finish(rig)
    result = hub.carry_out("print", file="y.gcode", download_url=f"{base}/moved", timeout=20)
    assert result["status"] in ("rejected", "failed"), result
    assert elsewhere.asked
    for path, headers in elsewhere.asked:
        assert hub.token not in path + json.dumps(headers)
        assert "Referer" not in headers
        assert "Authorization" not in headers
    assert own_files(rig) == ["x.gcode"]


@pytest.mark.soak
def test_a_download_that_stalls_is_given_up_and_disturbs_nothing(rig: Rig) -> None:
    hub = obey_hub(rig, retries={"max_attempts": 2, "base_delay": 0.5}, timeouts={"file_download": 1})
    hub.upload("x.gcode", SHORT)
    hub.fault("download", "hang", 2)
    begin = time.monotonic()
    number = hub.command("print", file="x.gcode")
    result = hub.result(number, 20)
    assert result["status"] == "failed", result
    assert time.monotonic() - begin < 12
    assert max(gaps(hub.records("update", begin))) < INTERVAL + 0.5
    assert max(gaps(hub.records("commands", begin))) < INTERVAL + 0.5
    assert own_files(rig) == []
    # (What is being written whole lies there for a moment.)
    wait_until(lambda: left_behind(rig.daemon.state) == [], 3, "nothing that is half-done")
    hub.fault("download", "drop_before", 1)
    ended(hub.carry_out("print", file="x.gcode", timeout=20), "completed")
    assert rig.deviations() == []


@pytest.mark.soak
def test_progress_is_told_in_quarters(rig: Rig) -> None:
    """The original's line came only when a piece ended exactly on a MiB."""
    hub = obey_hub(rig)
    hub.upload("large.gcode", large(1_500_000))
    hub.set(download_rate=400_000)
    number = hub.command("print", file="large.gcode")
    ended(hub.result(number, 30), "completed")
    for share in (25, 50, 75):
        assert [line for line in rig.daemon.process.lines(f"{share} %") if "large.gcode" in line], share
    assert rig.deviations() == []


def test_a_kill_in_a_download_leaves_nothing_behind(rig: Rig) -> None:
    hub = obey_hub(rig)
    hub.upload("large.gcode", large(1_500_000))
    hub.set(download_rate=400_000)
    number = hub.command("print", file="large.gcode")
    hub.wait_for("download", 10)
    time.sleep(1.5)
    rig.daemon.kill()
    begin = time.monotonic()
    rig.daemon.start()
    ended(hub.result(number), "unknown")
    settle_hub(hub, begin)
    wait_until(lambda: left_behind(rig.daemon.state) == [], 5, "an empty staging folder")
    assert own_files(rig) == []
    assert rig.printer.starts(f"{OWN_FOLDER}/large.gcode") == 0


FULL = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>
#include <sys/statvfs.h>
int statvfs(const char *path, struct statvfs *to) {
  static int (*next)(const char *, struct statvfs *);
  if (!next) next = (int (*)(const char *, struct statvfs *))dlsym(RTLD_NEXT, "statvfs");
  int result = next(path, to);
  if (strcmp(path, "GCODES") == 0) to->f_bavail = 0;
  return result;
}
int statvfs64(const char *path, struct statvfs64 *to) { return statvfs(path, (struct statvfs *)to); }
"""


@pytest.mark.soak
def test_a_full_disk_of_the_printers_files_refuses_a_file(rig: Rig) -> None:
    preload(rig, FULL.replace("GCODES", str(rig.moonraker.gcodes)))
    files = {"gcode_directory": str(rig.moonraker.gcodes)}
    hub = obey_hub(rig, retries={"max_attempts": 1}, file_management=files)
    hub.upload("x.gcode", SHORT)
    ended(hub.carry_out("print", file="x.gcode"), "failed", "no room")
    assert own_files(rig) == []
    assert rig.deviations() == []


# Cleaning up


NAMES = [f"pieza_{index:03}.gcode" for index in range(250)]


def owners_files(rig: Rig, like: os.stat_result) -> dict[str, str]:
    """Five hundred files of the owner's, as old and as large as ours and named as ours; path to digest."""
    found = {}
    for number, folder in enumerate((".", "clase", OWN_FOLDER)):
        for index, name in enumerate(NAMES if folder != OWN_FOLDER else NAMES[3:250]):
            path = rig.moonraker.gcodes / folder / name
            path.parent.mkdir(exist_ok=True)
            content = f"M117 {number} {index:03}\n".encode().ljust(like.st_size, b";")
            path.write_bytes(content)
            os.utime(path, ns=(like.st_mtime_ns, like.st_mtime_ns))
            found[str(path)] = md5(content)
    assert len(found) >= 500
    return found


def intact(files: dict[str, str]) -> list[str]:
    """Which of the owner's files are gone or changed."""
    lost = []
    for path, digest in files.items():
        try:
            with open(path, "rb") as file:
                if md5(file.read()) != digest:
                    lost.append(path)
        except FileNotFoundError:
            lost.append(path)
    return lost


def cleaning(rig: Rig, rounds: int, seed: int) -> None:
    """Downloads, commands, clean-ups, kills and jumps of the clock, in any order: the owner's files stay."""
    chance = random.Random(seed)
    clock = Clock(rig)
    clock.jump()
    hub = obey_hub(rig, file_management={"max_age_days": 1}, security={"rate_limit_seconds": 0})

    def fetch(name: str) -> os.stat_result:
        content = (SHORT + b";").ljust(400, b";")
        if not (hub.folder / "uploads" / name).exists():
            hub.upload(name, content)
        ended(hub.carry_out("print", file=name, timeout=30), "completed")
        finish(rig)
        return wait_for_file(rig, name).stat()

    like = fetch(NAMES[0])
    as_old = fetch(NAMES[1])
    replaced_ones = NAMES[1 : 3 if rounds > 10 else 2]
    for name in replaced_ones[1:]:
        fetch(name)
    owners = owners_files(rig, like)
    # Ours that the owner replaced by his own, as large: one as old, to the nanosecond, another one younger.
    for name in replaced_ones:
        replaced = rig.moonraker.gcodes / OWN_FOLDER / name
        content = f"M117 the owner's own {name}".encode().ljust(like.st_size, b";")
        replaced.write_bytes(content)
        owners[str(replaced)] = md5(content)
    os.utime(rig.moonraker.gcodes / OWN_FOLDER / NAMES[1], ns=(as_old.st_mtime_ns, as_old.st_mtime_ns))

    for _ in range(rounds):
        match chance.randrange(6):
            case 0:
                clock.jump(2 * DAY, 2 * DAY)
            case 1:
                clock.jump(3600, 3600)
            case 2:
                clock.jump(chance.choice((-40, 40, 400)) * DAY, 0)
            case 3:
                rig.daemon.kill()
                rig.disturbed()
                rig.daemon.start()
            case 4:
                hub.queue({"action": "print_local", "file": NAMES[5]})
                hub.queue({"action": "cancel"})
            case 5:
                clock.jump(DAY, 3600)
                time.sleep(chance.uniform(0.9, 1.3))
                rig.daemon.kill()
                rig.disturbed()
                rig.daemon.start()
        time.sleep(chance.uniform(0.8, 1.5))
        assert intact(owners) == []
    # And in the end ours are cleaned up: the clean-up does work.
    ours = rig.moonraker.gcodes / OWN_FOLDER / NAMES[0]
    if rig.printer.print_state == "printing":
        finish(rig)
    begin = time.monotonic()
    while ours.exists() and time.monotonic() < begin + 60:
        clock.jump(500 * DAY, 3700)
        time.sleep(1.5)
    assert not ours.exists(), "what is ours, unchanged and old is deleted"
    # The owner puts his own there, as large and as old as ours was.
    content = b"M117 mine now".ljust(like.st_size, b";")
    ours.write_bytes(content)
    os.utime(ours, ns=(like.st_mtime_ns, like.st_mtime_ns))
    owners[str(ours)] = md5(content)
    for _ in range(3 if rounds > 10 else 1):
        clock.jump(2 * DAY, 2 * DAY)
        time.sleep(1.5)
    assert intact(owners) == []
    assert rig.daemon.process.running


@pytest.mark.timeout(180)
def test_the_owners_files_are_never_deleted(rig: Rig) -> None:
    """The original deleted every file of the folder older than thirty days, whoever had put it there, at its start."""
    cleaning(rig, rounds=4, seed=1)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(2, 6))
def test_the_owners_files_are_never_deleted_in_any_order(rig: Rig, seed: int) -> None:
    cleaning(rig, rounds=120, seed=seed)


@pytest.mark.soak
def test_nothing_is_cleaned_up_at_the_start_nor_where_that_is_off(rig: Rig) -> None:
    clock = Clock(rig)
    clock.jump()
    hub = obey_hub(rig, file_management={"max_age_days": 1, "auto_cleanup": False})
    hub.upload("x.gcode", SHORT)
    ended(hub.carry_out("print", file="x.gcode"), "completed")
    finish(rig)
    for _ in range(2):
        clock.jump(2 * DAY, 2 * DAY)
        time.sleep(1.5)
    assert own_files(rig) == ["x.gcode"]
    rig.daemon.stop()
    rig.daemon.write(
        rig.configuration() | {"backends": [merged(hub_entry(rig), {"file_management": {"max_age_days": 1}})]}
    )
    rig.disturbed()
    begin = time.monotonic()
    rig.daemon.start()
    settle_hub(hub, begin)
    time.sleep(2)
    assert own_files(rig) == ["x.gcode"], "never at the very start"
    clock.jump(3700, 3700)
    # The timer that is set does not jump with the clock, as it does with a host that slept: the next one may be half a
    # minute away where the jump came in the middle of a call.
    wait_until(lambda: own_files(rig) == [], 60, "the hourly clean-up")


@pytest.mark.soak
def test_what_is_being_printed_is_never_cleaned_up(rig: Rig) -> None:
    clock = Clock(rig)
    clock.jump()
    hub = obey_hub(rig, file_management={"max_age_days": 1})
    hub.upload("job.gcode", sample_gcode.gcode(30).encode())
    ended(hub.carry_out("print", file="job.gcode"), "completed")
    rig.printer.wait_for_print_state("printing", 10)
    for _ in range(3):
        clock.jump(2 * DAY, 2 * DAY)
        time.sleep(1.3)
    assert own_files(rig) == ["job.gcode"]
    assert rig.printer.print_state == "printing"
