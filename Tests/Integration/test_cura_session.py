"""Cura in all its generations goes through everything a person does there, without a deviation; the recorded session too."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from cura_client import CLUSTER, CuraClient, Variant, gcode_gz, material, ufp
from harness import ROOT, Rig, wait_until

from cura_printing import (
    clear_bed,
    client,
    end_jobs,
    gcode_files,
    name,
    short_gcode,
    spool_files,
    start_cura,
    wait_for_job,
    wait_for_no_job,
)

TRANSCRIPT = ROOT / "Tests" / "Fixtures" / "transcripts" / "cura.jsonl"


@pytest.fixture(scope="module")
def cura_rig() -> Iterator[Rig]:
    with Rig() as rig:
        start_cura(rig, speed=60)
        yield rig


@pytest.fixture
def idle(cura_rig: Rig) -> Rig:
    """The rig with nothing on and a clear bed."""
    with client(cura_rig, Variant.CURA_4_13) as cura:
        end_jobs(cura_rig, cura)
    clear_bed(cura_rig)
    return cura_rig


@pytest.mark.parametrize("variant", list(Variant))
def test_a_session_of_each_cura_has_no_deviation(idle: Rig, variant: Variant) -> None:
    with client(idle, variant) as cura:
        system = cura.add_by_address()
        assert system["name"] == "Voron 2.4"
        assert str(system["hardware"]["typeid"]) == "9066"
        assert system["variant"] == "Ultimaker 3"
        connect(cura)
        printers, jobs = cura.poll()
        assert printers[0]["status"] == "idle"
        assert printers[0]["friendly_name"] == "Voron 2.4"
        assert jobs == []
        life = life_of_a_job(idle, cura)
        queue(idle, cura, life)
        for path in ("/print_jobs", "/printers"):
            assert cura.browse(path).status in (200, 302)
        assert (cura.key is not None) == variant.signs
        assert cura.deviations == []


def connect(cura: CuraClient) -> None:
    """What Cura does as soon as it is connected: it sends the profiles that the printer lacks."""
    guid = "0ac56c90-0350-4753-bfd8-da1a08b42751"
    known = {entry["guid"]: entry["version"] for entry in cura.materials()}
    version = known.get(guid, 0) + 1
    assert cura.send_material(material(guid, version), signed=cura.variant.signs).status == 200
    assert {entry["guid"]: entry["version"] for entry in cura.materials()}[guid] == version


def life_of_a_job(rig: Rig, cura: CuraClient) -> str:
    """From the upload to the end, with a pause; the printer's uuid stays what it is."""
    job = name()
    assert cura.upload(f"{job}.ufp", ufp(short_gcode(8))).status in (200, 201)
    began = wait_for_job(cura, job, "pre_print", "printing")
    assert began["owner"] == "alice"
    assert cura.preview(began["uuid"]).status == 200
    assert cura.printers()[0]["status"] == "printing"
    wait_for_job(cura, job, "printing", uuid=began["uuid"])
    assert cura.pause(began["uuid"]).status in (200, 202)
    wait_for_job(cura, job, "paused", uuid=began["uuid"])
    assert cura.resume(began["uuid"]).status in (200, 202)
    wait_for_job(cura, job, "printing", uuid=began["uuid"])
    assert cura.abort(began["uuid"]).status in (200, 202)
    ended = wait_for_job(cura, job, "wait_cleanup", uuid=began["uuid"])
    assert ended["time_elapsed"] < ended["time_total"]  # so Cura says "aborted"
    assert rig.printer.print_state == "cancelled"
    assert cura.printers()[0]["status"] == "wait_cleanup"
    return job


def queue(rig: Rig, cura: CuraClient, ended: str) -> None:
    """The bed is occupied now: what comes waits. Gzipped and plain G-code, moved, overridden, deleted."""
    first, second = name(), name()
    assert cura.upload(f"{first}.gcode.gz", gcode_gz(short_gcode())).status in (200, 201)
    assert cura.upload(f"{second}.gcode", short_gcode()).status in (200, 201)
    one, two = wait_for_job(cura, first, "queued"), wait_for_job(cura, second, "queued")
    assert {f"{first}.gcode", f"{second}.gcode"} <= set(gcode_files(rig))
    assert [job["name"] for job in cura.jobs() if job["status"] == "queued"] == [one["name"], two["name"]]
    assert cura.move_to_top(two["uuid"]).status in (200, 202)
    wait_until(
        lambda: [job["uuid"] for job in cura.jobs() if job["status"] == "queued"] == [two["uuid"], one["uuid"]],
        10,
        "the second job on top",
    )
    assert cura.delete(one["uuid"]).status in (200, 202)
    wait_for_no_job(cura, first)
    assert f"{first}.gcode" in gcode_files(rig)
    assert cura.preview(one["uuid"]).status == 404
    # A start that a person asks for is one in spite of the bed; the job keeps its name.
    assert cura.resume(two["uuid"]).status in (200, 202)
    wait_for_job(cura, second, "pre_print", "printing", uuid=two["uuid"])
    assert cura.job(ended) is None
    assert cura.delete(two["uuid"]).status == 409
    assert cura.abort(two["uuid"]).status in (200, 202)
    wait_for_job(cura, second, "wait_cleanup", uuid=two["uuid"])
    assert cura.deviations == []


# The recorded session


def test_the_recorded_session_is_answered_in_full(idle: Rig) -> None:
    """What Cura 5.11 sent to the original, in its order: where that one hung or lacked something, ours answers."""
    with client(idle, Variant.CURA_5_11) as cura:
        replay = Replay(idle, cura)
        for line in TRANSCRIPT.read_text().splitlines():
            replay.step(json.loads(line))
        assert replay.failures == []
        assert cura.deviations == []
        assert spool_files(idle) == []


class Replay:
    """Sends each recorded request; jobs and boundaries are ours, all else is as it was."""

    def __init__(self, rig: Rig, cura: CuraClient) -> None:
        self.rig = rig
        self.cura = cura
        self.failures: list[str] = []
        self.names: list[str] = []
        self.scenario = ""

    def step(self, record: dict[str, Any]) -> None:
        request = record["request"]
        if record["scenario"] != self.scenario:
            self.scenario = record["scenario"]
            end_jobs(self.rig, self.cura)
            clear_bed(self.rig)
            self.names = []
        if "mdns" in request:
            return
        method, path = request["method"], request["path"]
        if method == "POST" and path.endswith("/print_jobs/"):
            self.upload(request)
            return
        if "{job}" in path and not (path := self.with_job(path, request)):
            self.failures.append(f"{method} {request['path']}: there is no such job")
            return
        lines = [f"Host: {self.cura.authority}" if line.startswith("Host:") else line for line in request["headers"]]
        body = (request["body"] or "").encode()
        reply = self.cura.exchange(method, path, lines, body)
        if reply.status not in request.get("expected", (200, 202)):
            self.failures.append(f"{method} {path}: {reply.status} {reply.body[:100]!r}")
        if reply.framing == "missing":
            self.failures.append(f"{method} {path}: no length")
        if path.endswith(("/printers", "/print_jobs")):
            self.cura.poll()

    def upload(self, request: dict[str, Any]) -> None:
        self.names.append(request["filename"].removesuffix(".ufp"))
        reply = self.cura.upload(request["filename"], ufp(short_gcode(8)), owner=request["owner"])
        if reply.status not in (200, 201):
            self.failures.append(f"upload of {request['filename']}: {reply.status}")
        wait_for_job(self.cura, self.names[-1], "queued", "pre_print", "printing")

    def with_job(self, path: str, request: dict[str, Any]) -> str | None:
        """The path with the uuid of the job that the record means: a running one has begun before it is told to pause."""
        job = self.cura.job(self.names[request["job"]])
        if job is None:
            return None
        action = (request["body"] or "") and json.loads(request["body"]).get("action")
        ready = {"pause": ("printing", "pre_print"), "print": ("paused",), "abort": ("printing", "pre_print", "paused")}
        if action in ready:
            wait_for_job(self.cura, "", *ready[action], uuid=job["uuid"])
        return path.replace("{job}", job["uuid"])


def test_polling_stays_quick_while_a_job_runs(idle: Rig) -> None:
    with client(idle) as cura:
        job = name()
        cura.upload(f"{job}.gcode", short_gcode(20))
        wait_for_job(cura, job, "printing")
        slowest = 0.0
        for _ in range(50):
            begin = time.monotonic()
            cura.look(f"{CLUSTER}/printers")
            cura.look(f"{CLUSTER}/print_jobs")
            slowest = max(slowest, time.monotonic() - begin)
        assert slowest < 0.2
        assert cura.deviations == []
