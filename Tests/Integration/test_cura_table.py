"""Every request that Cura makes, one by one, and what comes of it at the printer: docs/connectors/cura.md."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from cura_client import CLUSTER, PRINTER, CuraClient, Variant, gcode_gz, material, raw, ufp
from harness import Rig, wait_until

from cura_printing import (
    clear_bed,
    client,
    end_jobs,
    gcode_files,
    name,
    port_of,
    short_gcode,
    start_cura,
    wait_for_cura,
    wait_for_job,
    wait_for_no_job,
)

CURA = b";FLAVOR:Marlin\n;Generated with Cura_SteamEngine 4.13.0\n"
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def table_rig() -> Iterator[Rig]:
    with Rig() as rig:
        start_cura(rig, speed=60)
        yield rig


@pytest.fixture
def cura(table_rig: Rig) -> Iterator[CuraClient]:
    """A Cura beside an idle printer whose bed nobody has looked at; at the end it has nothing to complain about."""
    with client(table_rig) as cura:
        end_jobs(table_rig, cura)
        yield cura
        assert cura.deviations == []


def queued(cura: CuraClient, minutes: float = 8) -> dict[str, str]:
    """A job that waits, since the bed is not known to be clear."""
    job = name()
    assert cura.upload(f"{job}.gcode", short_gcode(minutes)).status in (200, 201)
    return wait_for_job(cura, job, "queued")


def printing(cura: CuraClient) -> dict[str, str]:
    """A job that a person has started."""
    job = queued(cura)
    assert cura.resume(job["uuid"]).status in (200, 202)
    return wait_for_job(cura, job["name"], "printing", uuid=job["uuid"])


def test_get_system(cura: CuraClient) -> None:
    system = cura.add_by_address()
    assert system["firmware"] == "7.1.0"
    assert system["guid"] == cura.printers()[0]["uuid"]


def test_get_printers(cura: CuraClient) -> None:
    printer = cura.printers()[0]
    assert printer["machine_variant"] == "Ultimaker 3"
    assert printer["firmware_version"] == "7.1.0"
    assert printer["ip_address"] == "127.0.0.1"
    assert printer["enabled"] is True
    assert printer["unique_name"].startswith("ultimakersystem-")
    assert len(printer["configuration"]) >= 1


def test_the_printer_stays_in_the_list_whatever_is_away(cura: CuraClient, table_rig: Rig) -> None:
    table_rig.printer.shut_down()
    wait_for_cura(table_rig, "unreachable")
    table_rig.printer.restart()
    table_rig.moonraker.wait_for_klippy()
    wait_for_cura(table_rig, "idle")
    table_rig.moonraker.freeze()
    assert len(cura.printers()) == 1
    table_rig.moonraker.thaw()
    table_rig.moonraker.restart()
    table_rig.moonraker.wait_for_klippy()
    wait_for_cura(table_rig, "idle")


def test_get_print_jobs_shows_prints_from_elsewhere(cura: CuraClient, table_rig: Rig) -> None:
    (table_rig.moonraker.gcodes / "elsewhere.gcode").write_bytes(short_gcode(8))
    table_rig.moonraker.call("printer.print.start", filename="elsewhere.gcode")
    job = wait_for_job(cura, "elsewhere", "pre_print", "printing")
    assert job["owner"] == "Klipper"
    table_rig.moonraker.call("printer.print.cancel")
    ended = wait_for_job(cura, "elsewhere", "wait_cleanup")
    assert ended["uuid"] == job["uuid"]


def test_get_print_jobs_shows_the_queue_of_moonraker(cura: CuraClient, table_rig: Rig) -> None:
    (table_rig.moonraker.gcodes / "waiting.gcode").write_bytes(short_gcode(1))
    table_rig.moonraker.call("server.job_queue.post_job", filenames=["waiting.gcode"])
    job = wait_for_job(cura, "waiting", "queued")
    assert cura.delete(job["uuid"]).status in (200, 202)
    wait_for_no_job(cura, "waiting")
    assert table_rig.moonraker.call("server.job_queue.status")["queued_jobs"] == []


def test_set_print_job_state(cura: CuraClient, table_rig: Rig) -> None:
    job = printing(cura)
    assert cura.pause(job["uuid"]).status in (200, 202)
    table_rig.printer.wait_for_print_state("paused")
    wait_for_job(cura, "", "paused", uuid=job["uuid"])
    assert cura.resume(job["uuid"]).status in (200, 202)
    table_rig.printer.wait_for_print_state("printing")
    assert cura.abort(job["uuid"]).status in (200, 202)
    table_rig.printer.wait_for_print_state("cancelled")
    assert table_rig.printer.starts(f"{job['name'].removesuffix('.gcode')}.gcode") == 1


def test_abort_of_a_waiting_job_deletes_it(cura: CuraClient, table_rig: Rig) -> None:
    job = queued(cura)
    assert cura.abort(job["uuid"]).status in (200, 202)
    wait_for_no_job(cura, job["name"])
    assert table_rig.moonraker.call("server.job_queue.status")["queued_jobs"] == []


@pytest.mark.parametrize("action", ["pause", "print", "abort", "move", "force", "delete"])
def test_an_unknown_job_is_not_found(cura: CuraClient, action: str) -> None:
    assert act(cura, action, UNKNOWN).status == 404


def act(cura: CuraClient, action: str, uuid: str):
    if action == "move":
        return cura.move_to_top(uuid)
    if action == "force":
        return cura.force(uuid)
    if action == "delete":
        return cura.delete(uuid)
    return cura.action(uuid, action)


def test_actions_in_the_wrong_state_are_refused(cura: CuraClient, table_rig: Rig) -> None:
    waiting = queued(cura)
    assert cura.pause(waiting["uuid"]).status == 409
    running = printing(cura)
    assert cura.resume(waiting["uuid"]).status == 409  # not beside another one
    assert cura.move_to_top(running["uuid"]).status == 409
    assert cura.delete(running["uuid"]).status == 409
    assert cura.force(running["uuid"]).status == 200
    cura.abort(running["uuid"])
    table_rig.printer.wait_for_print_state("cancelled")
    wait_for_job(cura, "", "wait_cleanup", uuid=running["uuid"])
    assert cura.pause(running["uuid"]).status == 409
    assert table_rig.printer.starts(waiting["name"]) == 0


@pytest.mark.parametrize(
    ("method", "path", "document"),
    [
        ("PUT", "/print_jobs/{job}/action", {"action": "explode"}),
        ("PUT", "/print_jobs/{job}/action", {"action": 7}),
        ("PUT", "/print_jobs/{job}/action", {}),
        ("PUT", "/print_jobs/{job}/action", ["print"]),
        ("POST", "/print_jobs/{job}/action/move", {"to_position": "first", "list": "queued"}),
        ("POST", "/print_jobs/{job}/action/move", {"to_position": -1, "list": "queued"}),
        ("POST", "/print_jobs/{job}/action/move", {"to_position": 0, "list": "other"}),
        ("PUT", "/print_jobs/{job}", {"force": "yes"}),
    ],
)
def test_what_is_no_action_is_refused(cura: CuraClient, method: str, path: str, document: object) -> None:
    job = queued(cura)
    assert cura.act(method, CLUSTER + path.format(job=job["uuid"]), document).status == 400
    assert cura.job(job["name"])["status"] == "queued"


def test_move_print_job_to_top_counts_waiting_jobs_only(cura: CuraClient, table_rig: Rig) -> None:
    running = printing(cura)
    jobs = [queued(cura) for _ in range(3)]
    assert cura.move_to_top(jobs[2]["uuid"]).status in (200, 202)
    order = [jobs[2]["uuid"], jobs[0]["uuid"], jobs[1]["uuid"]]

    def waiting() -> list[str]:
        return [job["uuid"] for job in cura.jobs() if job["status"] == "queued"]

    wait_until(lambda: waiting() == order, 10, "the third on top")
    assert cura.jobs()[0]["uuid"] == running["uuid"]
    assert cura.move_to_top(jobs[2]["uuid"], position=1).status in (200, 202)
    wait_until(lambda: waiting() == [order[1], order[0], order[2]], 10, "the third in the middle")
    moonraker = table_rig.moonraker.call("server.job_queue.status")["queued_jobs"]
    assert [entry["filename"] for entry in moonraker] == [jobs[0]["name"], jobs[2]["name"], jobs[1]["name"]]


def test_force_print_job(cura: CuraClient) -> None:
    job = queued(cura)
    assert cura.force(job["uuid"]).status in (200, 202)
    forced = cura.job(job["name"])
    assert forced is not None
    assert forced["force"] is True


def test_delete_print_job(cura: CuraClient, table_rig: Rig) -> None:
    job = queued(cura)
    assert cura.delete(job["uuid"]).status in (200, 202)
    wait_for_no_job(cura, job["name"])
    assert job["name"] in gcode_files(table_rig)
    assert cura.delete(job["uuid"]).status == 404


def test_get_print_job_preview_image(cura: CuraClient) -> None:
    job, plain = name(), name()
    cura.upload(f"{job}.ufp", ufp(CURA + b"G28\nG1 X1 Y1\n", picture=True))
    cura.upload(f"{plain}.gcode", b"G28\nG1 X1 Y1\n")
    with_picture = cura.preview(wait_for_job(cura, job, "queued")["uuid"])
    placeholder = cura.preview(wait_for_job(cura, plain, "queued")["uuid"])
    assert (with_picture.status, placeholder.status) == (200, 200)
    assert with_picture.body != placeholder.body
    assert cura.preview(UNKNOWN).status == 404


@pytest.mark.parametrize("ending", ["ufp", "gcode.gz", "gcode", "g", "gco", "nc"])
def test_start_print_job_upload(cura: CuraClient, table_rig: Rig, ending: str) -> None:
    job, content = name(), short_gcode()
    packed = {"ufp": ufp(content), "gcode.gz": gcode_gz(content)}.get(ending, content)
    reply = cura.upload(f"{job}.{ending}", packed)
    assert reply.status in (200, 201)
    uuid = reply.json["uuid"]
    listed = wait_for_job(cura, job, "queued")
    assert listed["uuid"] == uuid
    stored = [path for path in gcode_files(table_rig) if path.startswith(job)]
    assert len(stored) == 1
    assert (table_rig.moonraker.gcodes / stored[0]).read_bytes() == content
    assert cura.resume(uuid).status in (200, 202)
    wait_for_job(cura, "", "pre_print", "printing", "wait_cleanup", uuid=uuid)


def test_the_same_name_twice_is_two_jobs_and_two_files(cura: CuraClient, table_rig: Rig) -> None:
    job = name()
    uuids = [cura.upload(f"{job}.gcode", b"G28\nG4 P%d\n" % number).json["uuid"] for number in (1, 2)]
    assert len(set(uuids)) == 2
    assert [path for path in gcode_files(table_rig) if path.startswith(job)] == [f"{job}-1.gcode", f"{job}.gcode"]
    assert [entry["uuid"] for entry in cura.jobs() if entry["name"].startswith(job)] == uuids


def test_send_materials_are_kept_over_a_restart(cura: CuraClient, table_rig: Rig) -> None:
    guid = "506c9f0d-e3aa-4bd4-b2d2-23e2425b1aa9"
    assert cura.send_material(material(guid, 7)).status == 200
    assert {"guid": guid, "version": 7} in cura.materials()
    uuid, instance = cura.printers()[0]["uuid"], cura.printers()[0]["unique_name"]
    table_rig.daemon.stop()
    table_rig.daemon.start()
    wait_for_cura(table_rig)
    assert {"guid": guid, "version": 7} in cura.materials()
    assert (cura.printers()[0]["uuid"], cura.printers()[0]["unique_name"]) == (uuid, instance)
    assert cura.send_material(b"<?xml version='1.0'?><nothing/>").status == 400
    assert cura.send_material(b"<!DOCTYPE a [<!ENTITY b 'c'>]><fdmmaterial>&b;</fdmmaterial>").status == 400


def test_jobs_keep_their_uuids_over_a_restart(cura: CuraClient, table_rig: Rig) -> None:
    running, waiting = printing(cura), queued(cura)
    wait_until(lambda: table_rig.moonraker.call("server.job_queue.status")["queued_jobs"], 10, "the job in the queue")
    time.sleep(0.5)
    table_rig.daemon.kill()
    table_rig.daemon.start()
    wait_for_cura(table_rig, "printing")
    assert wait_for_job(cura, "", "printing", uuid=running["uuid"])["owner"] == "alice"
    wait_for_job(cura, "", "queued", uuid=waiting["uuid"])
    assert cura.abort(running["uuid"]).status in (200, 202)
    table_rig.printer.wait_for_print_state("cancelled")


def test_the_stream_of_the_camera_is_not_on_this_port(cura: CuraClient) -> None:
    assert cura.browse("/?action=stream").status in (302, 404)


def test_the_browser_sees_its_jobs_and_no_markup_of_theirs(cura: CuraClient) -> None:
    job = name()
    cura.upload(f"{job}<b>.gcode", b"G28\n", owner="<script>alert(1)</script>")
    for path in ("/print_jobs", "/printers"):
        page = cura.browse(path)
        assert page.status == 200
        assert page.headers["content-type"].startswith("text/html")
        assert job in page.body.decode()
        assert b"<script>alert" not in page.body
        assert b"<b>" not in page.body


def test_paths_and_methods_that_are_none(cura: CuraClient) -> None:
    assert cura.act("GET", "/api/v1/nothing").status == 404
    assert cura.act("GET", "/machine/reboot").status == 404
    for method, path in (
        ("DELETE", f"{CLUSTER}/printers"),
        ("PUT", f"{CLUSTER}/print_jobs"),
        ("POST", f"{PRINTER}/system"),
        ("PATCH", f"{CLUSTER}/printers"),
    ):
        assert cura.act(method, path, {}).status == 405, (method, path)
    reply = cura.request("OPTIONS", f"{CLUSTER}/printers")
    assert reply.status in (404, 405)
    assert not [header for header in reply.headers if header.startswith("access-control-")]


def test_auth_check_and_verify(cura: CuraClient) -> None:
    cura.authorize()
    assert cura.key is not None
    assert cura.look(f"{PRINTER}/auth/check/{cura.key[0]}", slash=False) == {"message": "authorized"}
    assert cura.request("GET", f"{PRINTER}/auth/verify").status == 200


def test_foreign_peers_and_pages_change_nothing(cura: CuraClient, table_rig: Rig) -> None:
    """No page of the web can print: not cross-site, not by a name that is made to point here."""
    job = queued(cura)
    port = port_of(table_rig)
    path = f"{CLUSTER}/print_jobs/{job['uuid']}"
    body = '{"action": "abort"}'

    def status(method: str, target: str, *lines: str, host: str = f"127.0.0.1:{port}") -> int:
        head = [f"{method} {target} HTTP/1.1", f"Host: {host}", "Connection: close", *lines]
        if method != "GET":
            head += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        text = "\r\n".join(head) + "\r\n\r\n" + (body if method != "GET" else "")
        return int(raw("127.0.0.1", port, text.encode()).split(b" ")[1])

    assert status("PUT", f"{path}/action", "Origin: http://evil.example") == 403
    assert status("PUT", f"{path}/action", "Sec-Fetch-Site: cross-site") == 403
    assert status("DELETE", path, "Origin: null") == 403
    assert status("POST", f"{CLUSTER}/print_jobs/", "Origin: http://evil.example") == 403
    assert status("POST", f"{CLUSTER}/print_jobs/", "Sec-Fetch-Site: same-site") == 403
    assert status("GET", f"{CLUSTER}/print_jobs", host="evil.example") == 403
    assert status("GET", f"{CLUSTER}/print_jobs", "X-Forwarded-For: 8.8.8.8") == 403
    assert status("GET", f"{CLUSTER}/print_jobs", "X-Forwarded-For: 192.168.1.7") == 200
    assert cura.job(job["name"])["status"] == "queued"


def test_an_old_cura_without_keys_and_one_with_are_served_beside_each_other(cura: CuraClient, table_rig: Rig) -> None:
    with client(table_rig, Variant.CURA_4_13, owner="bob") as old:
        for _ in range(3):
            old.poll()
            cura.poll()
            time.sleep(0.05)
        assert old.deviations == []


def test_the_bed_is_what_an_upload_waits_for(cura: CuraClient, table_rig: Rig) -> None:
    waiting = queued(cura)
    end_jobs(table_rig, cura)
    clear_bed(table_rig)
    job = name()
    cura.upload(f"{job}.gcode", short_gcode())
    wait_for_job(cura, job, "sent_to_printer", "pre_print", "printing")
    wait_until(lambda: table_rig.printer.starts(f"{job}.gcode") == 1, 10, "its start")
    assert table_rig.printer.starts(waiting["name"]) == 0
