"""What starts by itself, and what never does: nothing starts on an occupied bed, whatever crashes or restarts."""

from __future__ import annotations

import random
import time

import pytest
from cura_client import CuraClient, ufp
from harness import PATIENCE, Rig, wait_until

from cura_printing import (
    GRIFFIN,
    clear_bed,
    client,
    name,
    short_gcode,
    start_cura,
    wait_for_cura,
    wait_for_job,
    write_cura,
)


def send(cura: CuraClient, minutes: float = 1, content: bytes | None = None) -> str:
    """Send a job; its file's name at the printer."""
    job = name()
    reply = cura.upload(f"{job}.gcode", content or short_gcode(minutes))
    assert reply.status in (200, 201, 202), reply
    return f"{job}.gcode"


def total_starts(rig: Rig) -> int:
    return len([entry for entry in rig.printer.requests("gcode/script") if "SDCARD_PRINT_FILE" in entry["script"]])


def run_to_the_end(rig: Rig, cura: CuraClient, file: str) -> None:
    wait_for_job(cura, file, "wait_cleanup", timeout=40)
    assert rig.printer.print_state == "complete"


def test_a_job_starts_on_a_clear_bed_and_the_next_one_waits_for_a_person(rig: Rig) -> None:
    start_cura(rig, speed=120)
    with client(rig) as cura:
        first = send(cura)
        wait_for_job(cura, first, "queued")  # nobody has looked at the bed yet
        assert rig.printer.starts(first) == 0
        clear_bed(rig)
        second = send(cura)
        time.sleep(1)
        # Another one waits already: a new one does not overtake it.
        assert rig.printer.starts(second) == 0
        for job in cura.jobs():
            assert cura.delete(job["uuid"]).status in (200, 202)
        third = send(cura)
        run_to_the_end(rig, cura, third)
        done = cura.job(third)
        assert done["time_elapsed"] == done["time_total"]  # so Cura says "finished"
        assert cura.printers()[0]["status"] == "wait_cleanup"
        fourth = send(cura)
        wait_for_job(cura, fourth, "queued")
        time.sleep(1.5)
        assert rig.printer.starts(fourth) == 0
        clear_bed(rig)
        time.sleep(1.5)
        assert rig.printer.starts(fourth) == 0  # what waits in the queue is a person's to start
        assert cura.resume(cura.job(fourth)["uuid"]).status in (200, 202)
        wait_for_job(cura, fourth, "pre_print", "printing")
        assert cura.deviations == []


@pytest.mark.parametrize("policy", ["never", "always"])
def test_the_other_policies(rig: Rig, policy: str) -> None:
    start_cura(rig, speed=120, auto_start=policy)
    with client(rig) as cura:
        first = send(cura)
        wait_for_job(cura, first, "queued")
        time.sleep(1)
        assert total_starts(rig) == 0  # the bed is unknown
        clear_bed(rig)
        if policy == "never":
            second = send(cura)
            wait_for_job(cura, second, "queued")
            time.sleep(1.5)
            assert total_starts(rig) == 0
        else:
            wait_for_job(cura, first, "pre_print", "printing", "wait_cleanup")
            second = send(cura)
            run_to_the_end(rig, cura, first)
            time.sleep(1.5)
            assert rig.printer.starts(second) == 0  # the first one lies there
            clear_bed(rig)
            wait_for_job(cura, second, "pre_print", "printing", "wait_cleanup")
        assert cura.deviations == []


@pytest.mark.parametrize("option", ["automatic_transition", "load_on_startup"])
def test_nothing_is_put_into_a_queue_that_moonraker_starts_by_itself(rig: Rig, option: str) -> None:
    start_cura(rig, speed=120, moonraker=f"[job_queue]\n{option}: True\n")
    with client(rig) as cura:
        clear_bed(rig)
        first = send(cura, minutes=2)
        wait_for_job(cura, first, "pre_print", "printing")
        second = send(cura)
        wait_for_job(cura, second, "error")
        assert option in cura.browse("/print_jobs").body.decode()
        assert rig.moonraker.call("server.job_queue.status")["queued_jobs"] == []
        run_to_the_end(rig, cura, first)
        time.sleep(1.5)
        assert rig.printer.starts(second) == 0


def test_a_restart_of_anything_does_not_clear_the_bed(rig: Rig) -> None:
    start_cura(rig, speed=120)
    with client(rig) as cura:
        clear_bed(rig)
        run_to_the_end(rig, cura, send(cura))
        for disturb in (rig.daemon.restart, rig.moonraker.restart, rig.printer.restart_process):
            disturb()
            rig.moonraker.wait_for_klippy()
            wait_for_cura(rig, None)
            wait_until(lambda: cura.printers()[0]["status"] in ("idle", "wait_cleanup"), 15, "the printer", 0.1)
            begin = total_starts(rig)
            send(cura)
            time.sleep(1.5)
            assert total_starts(rig) == begin, disturb


def test_a_crash_in_the_middle_of_a_print_neither_starts_it_again_nor_what_waits(rig: Rig) -> None:
    start_cura(rig, speed=60, auto_start="always")
    with client(rig) as cura:
        clear_bed(rig)
        first = send(cura, minutes=2)
        wait_for_job(cura, first, "pre_print", "printing")
        second = send(cura)
        wait_for_job(cura, second, "queued")
        wait_until(lambda: rig.moonraker.call("server.job_queue.status")["queued_jobs"], 10, "it in the queue")
        rig.daemon.kill()
        rig.printer.wait_for_print_state("complete", 60)
        rig.daemon.start()
        wait_for_cura(rig, None)
        wait_for_job(cura, second, "queued")
        time.sleep(2)
        assert rig.printer.starts(first) == 1
        assert rig.printer.starts(second) == 0
        clear_bed(rig)
        wait_for_job(cura, second, "pre_print", "printing", "wait_cleanup")
        assert rig.printer.starts(second) == 1


def test_a_file_for_another_printer_waits_and_says_why(rig: Rig) -> None:
    """Griffin G-code neither homes nor heats."""
    start_cura(rig, speed=120)
    with client(rig) as cura:
        clear_bed(rig)
        plain, packed = f"{name()}.gcode", f"{name()}.ufp"
        cura.upload(plain, GRIFFIN + short_gcode())
        cura.upload(packed, ufp(GRIFFIN + short_gcode()))
        for file in (plain, packed.removesuffix(".ufp")):
            wait_for_job(cura, file, "queued")
        time.sleep(1.5)
        assert total_starts(rig) == 0
        assert "Griffin" in rig.daemon.log()
        assert b"Griffin" in cura.browse("/print_jobs").body
        rig_job = cura.job(plain)
        assert cura.resume(rig_job["uuid"]).status in (200, 202)  # a person may insist
        wait_for_job(cura, plain, "pre_print", "printing", "wait_cleanup")
        assert cura.deviations == []


def test_griffin_is_let_through_where_the_owner_says_so(rig: Rig) -> None:
    start_cura(rig, speed=120, allow_griffin=True)
    with client(rig) as cura:
        clear_bed(rig)
        file = send(cura, content=GRIFFIN + short_gcode())
        wait_for_job(cura, file, "pre_print", "printing", "wait_cleanup")


def test_a_clear_bed_may_be_assumed_after_a_time(rig: Rig) -> None:
    start_cura(rig, speed=240, assume_clear_after="2s")
    with client(rig) as cura:
        clear_bed(rig)
        run_to_the_end(rig, cura, send(cura))
        waiting = send(cura)
        time.sleep(0.5)
        assert rig.printer.starts(waiting) == 0
        for job in cura.jobs():
            cura.delete(job["uuid"])
        time.sleep(2.5)
        file = send(cura)
        wait_for_job(cura, file, "pre_print", "printing", "wait_cleanup")
    result = rig.daemon.command("validate", str(rig.daemon.config))
    assert "assume_clear_after" in result.stdout


def test_read_only_and_permissions_hold_for_cura_too(rig: Rig) -> None:
    start_cura(rig, speed=120, permissions="monitor")
    with client(rig) as cura:
        clear_bed(rig)
        reply = cura.upload(f"{name()}.gcode", short_gcode())
        assert reply.status >= 400 or cura.jobs()[0]["status"] == "error"
        assert total_starts(rig) == 0
        write_cura(rig)
        rig.daemon.restart()
        wait_for_cura(rig)
        assert rig.daemon.command("read-only", "on", "--config", str(rig.daemon.config)).returncode == 0
        reply = cura.upload(f"{name()}.gcode", short_gcode())
        time.sleep(1)
        assert total_starts(rig) == 0
        assert cura.deviations == []


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
def test_kills_in_any_order_start_nothing_on_an_occupied_bed(rig: Rig, seed: int) -> None:
    """The daemon, Moonraker and Klippy end at random moments while Cura goes on sending; the journal of the printer is
    the judge: between two starts a person has looked, or the second one was a person's."""
    chance = random.Random(seed)
    start_cura(rig, speed=240, auto_start="always")
    cleared = 0
    with client(rig, timeout=5) as cura:
        for _ in range(25):
            action = chance.choice(["send", "send", "send", "daemon", "moonraker", "klippy", "clear", "wait"])
            if action == "send":
                try_to(lambda: send(cura))
            elif action == "daemon":
                rig.daemon.restart()
            elif action == "moonraker":
                rig.moonraker.kill()
                rig.moonraker.relaunch()
            elif action == "klippy":
                rig.printer.restart()
            elif action == "clear":
                wait_for_cura(rig, None, timeout=30)
                if rig.printer.print_state not in ("printing", "paused") and try_to(lambda: clear_bed(rig)):
                    cleared += 1
            time.sleep(chance.uniform(0, 1.5) * PATIENCE)
            assert total_starts(rig) <= cleared, (seed, action)
    assert cleared > 0


def try_to(step) -> bool:
    try:
        step()
    except Exception:
        return False
    return True
