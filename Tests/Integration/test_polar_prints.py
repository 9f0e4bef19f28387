"""Jobs that mean no good: each is reported as cancelled, stands in the audit, moves nothing, and the session goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from harness import PolarCloud, Rig, wait_until

from commanding import left_behind, start_job
from polar_rig import audit, cloud_files, obey_polar, starts, wait_until_still_alive


@pytest.fixture(scope="module")
def running(request: pytest.FixtureRequest) -> Iterator[Rig]:
    """One daemon for all of them: each leaves it as it was."""
    rig = Rig()
    failed = request.session.testsfailed
    try:
        obey_polar(rig, max_gcode_size=1)
        yield rig
        assert rig.polar.deviations() == []
    finally:
        has_failed = request.session.testsfailed > failed
        if has_failed:
            print(f"logs of these tests: {rig.folder}")
        rig.close(keep=has_failed)


@pytest.fixture
def polar(running: Rig) -> PolarCloud:
    """The cloud, once the printer does nothing any more, and the cloud knows."""
    wait_until(lambda: running.printer.print_state in ("standby", "complete", "cancelled"), 60, "an idle printer")
    wait_until(lambda: running.polar.codes()[-1] in (0, 6, 7), 60, "an idle printer in the cloud")
    return running.polar


LONG = pytest.mark.soak
"""More of the same: with the long runs."""
GOOD = "G28\nG1 X10 Y10 F3000\n"
TINY = "G28\nG4 P30000\nM117 tiny\n"
"""A job of 1.5 s: one that ends between two looks at the printer would keep the next one waiting for some seconds."""


def refused(rig: Rig, job: str, timeout: float = 30.0) -> None:
    """The job, just handed out, comes to nothing, and all know it."""
    begun, stored = starts(rig), cloud_files(rig)
    report = rig.polar.report(job, timeout)
    assert (report["state"], report["printSeconds"]) == ("canceled", 0)
    rig.polar.wait_for(
        "status", 10, rig.polar.records("job")[-1]["mono"] - 0.5, lambda r: r["body"]["status"] in (0, 6, 7)
    )
    wait_until(lambda: [entry for entry in audit(rig) if job in str(entry)], 5, "an audit record")
    assert starts(rig) == begun
    assert cloud_files(rig) == stored
    assert left_behind(rig.daemon.state / "staging") == []
    assert len(rig.polar.reports(job)) == 1


URLS = [
    "file:///etc/passwd",
    "ftp://127.0.0.1/x.gcode",
    "javascript:alert(1)",
    "http://user:pass@127.0.0.1/x.gcode",
    "http://[::1/x.gcode",
    "http://",
    "http:///x.gcode",
    "http://169.254.169.254/latest/meta-data",
    "http://10.0.0.1:7125/server/info",
    "http://[::ffff:10.0.0.1]/x.gcode",
    "http://0x7f000002/x.gcode",
    "http://localhost:1/x.gcode",
    "gopher://127.0.0.1:25/_HELO",
    "http://127.0.0.1:99999/x.gcode",
    "http://127.0.0.1\r\nX-Evil: 1/x.gcode",
    "http://evil.invalid/" + "x" * 9000,
]


@pytest.mark.parametrize(
    "url", [*URLS[:8], *(pytest.param(url, marks=LONG) for url in URLS[8:])], ids=lambda url: url[:40]
)
def test_a_hostile_address(running: Rig, polar: PolarCloud, url: str) -> None:
    begin = time.monotonic()
    job = polar.print(url)
    refused(running, job, 40)
    assert polar.records("open", begin) == []


ORDERS: list[dict[str, Any]] = [
    {"gcodeFile": None},
    {"gcodeFile": ""},
    {"gcodeFile": 5},
    {"gcodeFile": ["http://127.0.0.1/x"]},
    {"gcodeFile": "", "stlFile": "cube.stl", "configFile": "cube.ini"},
    {"fileToPrint": "stlFile"},
    {"fileToPrint": "threemfFile"},
]


@pytest.mark.parametrize(
    "order", [*ORDERS[2:6], *(pytest.param(order, marks=LONG) for order in (*ORDERS[:2], *ORDERS[6:]))], ids=str
)
def test_an_order_without_gcode(running: Rig, polar: PolarCloud, order: dict[str, Any]) -> None:
    fetched = len(polar.records("files"))
    refused(
        running, polar.print(**{"file": "cube.gcode"} | {"gcodeFile": order.get("gcodeFile", "cube.gcode")} | order)
    )
    assert len(polar.records("files")) == fetched


FILES = [
    ("short", GOOD * 10, {}),
    ("html", GOOD, {}),
    ("empty", "", {}),
    ("endless", GOOD, {}),
    ("gcode", GOOD, {"status": 404}),
    ("gcode", GOOD, {"status": 403}),
    ("redirect", GOOD, {"location": "file:///etc/passwd"}),
    ("redirect", GOOD, {"location": "http://169.254.169.254/"}),
    ("gcode", "; " + "x" * (1 << 20), {}),
]


@pytest.mark.parametrize(
    ("kind", "content", "options"),
    [*FILES[:5], *(pytest.param(*each, marks=LONG) for each in FILES[5:])],
    ids=lambda value: str(value)[:30],
)
def test_a_hostile_file(running: Rig, polar: PolarCloud, kind: str, content: str, options: dict[str, Any]) -> None:
    """The original holds the whole file in memory, knows no limit, and says "preparing" for ever when it does not come."""
    polar.file("hostile.gcode", content, kind, **options)
    refused(running, polar.print("hostile.gcode"), 60)


def test_a_file_that_is_longer_than_announced_ends_where_it_was_announced(running: Rig, polar: PolarCloud) -> None:
    """What follows is no part of the answer; the half that was announced is a whole answer."""
    polar.file("hostile.gcode", TINY + "M117 one\n" * 200, "long")
    job = polar.print("hostile.gcode")
    assert polar.report(job, 60)["state"] in ("canceled", "completed")
    assert running.daemon.process.running


@pytest.mark.parametrize("times", [1, pytest.param(2, marks=LONG)])
def test_a_cloud_that_is_busy_for_a_moment_is_asked_again(running: Rig, polar: PolarCloud, times: int) -> None:
    polar.file("flaky.gcode", TINY, "flaky", times=times)
    begin = time.monotonic()
    job = polar.print("flaky.gcode")
    assert polar.report(job, 60)["state"] == "completed"
    assert len(polar.records("files", begin)) == times + 1


NAMES = [
    "../../etc/passwd",
    "a/b",
    "..",
    ".",
    "",
    "\u0000",
    "x" * 120,
    "Würfel 20 mm",
    '"; M112',
    "%2e%2e%2f",
    "🖨️",
    "\n",
]


@pytest.mark.parametrize("name", [*NAMES[:2], *(pytest.param(name, marks=LONG) for name in NAMES[2:])], ids=repr)
def test_names_stay_names(running: Rig, polar: PolarCloud, name: str) -> None:
    polar.file("tiny.gcode", TINY)
    before = set(cloud_files(running))
    outside = {path for path in running.folder.rglob("*_cloud_*.gcode") if running.moonraker.gcodes not in path.parents}
    job = polar.print("tiny.gcode", jobName=name)
    assert polar.report(job, 60)["state"] == "completed"
    (stored,) = set(cloud_files(running)) - before
    assert stored.endswith(f"cloud_{job}.gcode")
    assert len(stored.encode()) <= 180
    assert (running.moonraker.gcodes / stored).exists()
    assert {
        path for path in running.folder.rglob("*_cloud_*.gcode") if running.moonraker.gcodes not in path.parents
    } == outside
    assert running.printer.journal("emergency_stop") == []


IDS = ["../../../tmp/x", "a b", "ä", "x" * 65, "5f3c/../aa", "$(reboot)"]


@pytest.mark.parametrize(
    "job", [IDS[0], *(pytest.param(job, marks=LONG) for job in IDS[1:])], ids=lambda value: value[:20]
)
def test_ids_are_kept_out_of_paths(running: Rig, polar: PolarCloud, job: str) -> None:
    """An id with odd characters is the cloud's own business: it may be refused, or printed under another name. The original
    makes a path of it."""
    polar.file("tiny.gcode", TINY)
    polar.print("tiny.gcode", job=job)
    wait_until_still_alive(running)
    for path in running.folder.rglob("*_cloud_*.gcode"):
        assert running.moonraker.gcodes in path.parents
    wait_until(lambda: running.printer.print_state in ("standby", "complete", "cancelled"), 30, "the end of it")
    wait_until(lambda: polar.codes()[-1] in (0, 7), 30, "the end of it in the cloud")


@pytest.mark.parametrize("job", [5, None, [], {}, "", True, 1e300])
def test_a_job_without_an_id_is_noted_and_nothing_else(running: Rig, polar: PolarCloud, job: Any) -> None:
    wait_until_still_alive(running)  # whatever came before is over
    before = len(polar.records("job")), len(polar.records("files"))
    polar.send("print", {"jobId": job, "gcodeFile": f"{polar.url}/files/cube.gcode"})
    wait_until_still_alive(running)
    assert (len(polar.records("job")), len(polar.records("files"))) == before


@pytest.mark.parametrize("payload", [None, [], "print", 5, True, [[]], {"jobId": {"a": 1}, "jobName": ["x"]}], ids=str)
def test_payloads_of_other_kinds(running: Rig, polar: PolarCloud, payload: Any) -> None:
    for event in ("print", "pause", "cancel", "temperature", "getUrlResponse", "helloResponse", "registerResponse"):
        polar.send(event, payload if payload is not None else [], serial=None)
    wait_until_still_alive(running)


def test_the_same_job_twice_is_one_print_and_one_report(running: Rig, polar: PolarCloud) -> None:
    """A second job overwrites the first one's id in the original: it loses both."""
    before = starts(running)
    job = polar.print("long.gcode")
    polar.print("long.gcode", job=job)
    polar.wait_for_code(3, jobId=job)
    polar.print("long.gcode", job=job)
    second = polar.print("cube.gcode")
    assert polar.report(second)["state"] == "canceled"
    polar.wait_for_code(3, after=time.monotonic(), jobId=job, timeout=15)
    polar.send("cancel", {"jobId": job})
    assert polar.report(job)["state"] == "canceled"
    polar.print("long.gcode", job=job)
    time.sleep(2)
    assert len(polar.reports(job)) == 1
    assert starts(running) == before + 1


def test_a_printer_that_prints_already_refuses(running: Rig, polar: PolarCloud) -> None:
    start_job(running, "local.gcode")
    before = starts(running)
    job = polar.print("cube.gcode")
    assert polar.report(job)["state"] == "canceled"
    assert running.printer.print_state == "printing"
    assert starts(running) == before
    running.moonraker.call("printer.print.cancel")
    polar.wait_for_code(0, after=time.monotonic())
