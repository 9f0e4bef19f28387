"""A token that is rotated, and a SIGKILL at any instant: never locked out, never a second claim."""

from __future__ import annotations

import json
import time
from random import Random

import pytest
from harness import Rig, wait_until

from observe import accepted

SEED = 1


def reach_only(rig: Rig) -> None:
    """Write a configuration with the Reach backend alone, and let it pair."""
    document = rig.configuration()
    del document["backends"][1]
    rig.daemon.write(document)
    rig.daemon.start()
    rig.reach.wait_for("printer-data", where=accepted)
    rig.daemon.kill()
    rig.disturbed()


def stored_token(rig: Rig) -> str:
    return json.loads((rig.daemon.state / "identities" / "reach.json").read_text())["identity"]["token"]


def live_and_die(rig: Rig, lives: int) -> None:
    random = Random(SEED)
    reach_only(rig)
    for life in range(lives):
        rig.reach.order("rotate")
        begin = time.monotonic()
        rig.daemon.start()
        if life % 2:
            time.sleep(random.uniform(0, 0.4))
        else:  # close to the moment at which the new token has come
            wait_until(lambda begin=begin: rig.reach.records("register", begin), 15, "a heartbeat", 0.001)
            time.sleep(random.uniform(0, 0.03))
        rig.daemon.kill()
        rig.disturbed()
    begin = time.monotonic()
    rig.daemon.start()
    rig.reach.wait_for("register", 15, begin, accepted)
    rig.reach.wait_for("printer-data", 15, begin, accepted)
    assert len(rig.reach.records("claim")) == 1
    assert [record for record in rig.reach.records() if record["status"] == 401] == []
    tokens = {record["body"]["token"] for record in rig.reach.records("register") if accepted(record)}
    print(f"{len(tokens)} tokens were in use over {lives} lives")
    assert len(tokens) > lives / 10
    state = rig.reach.control("GET", "state")["state"]
    wait_until(lambda: stored_token(rig) == state["token"], 5, "the token in use on the disk")
    assert rig.deviations() == []


@pytest.mark.timeout(120)
def test_kills_during_rotations_never_cost_the_pairing(cloud_rig: Rig) -> None:
    live_and_die(cloud_rig, 16)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_two_hundred_kills_during_rotations_never_cost_the_pairing(cloud_rig: Rig) -> None:
    live_and_die(cloud_rig, 200)


def test_a_token_that_the_relay_lost_gives_way_to_the_former_after_a_kill(cloud_rig: Rig) -> None:
    rig = cloud_rig
    reach_only(rig)
    # Telemetry would find out at once: it is to be the next start.
    rig.reach.fault("printer-data", "hang", count=None)
    rig.reach.fault("pull", "hang", count=None)
    rig.reach.order("rotate", lost=True)
    rig.daemon.start()
    wait_until(lambda: stored_token(rig) == "dummy-token-lost", 15, "the new token on the disk", 0.005)
    rig.daemon.kill()
    rig.disturbed()
    rig.reach.clear_faults()
    begin = time.monotonic()
    rig.daemon.start()
    first = rig.reach.wait_for("register", 15, begin)
    assert (first["body"]["token"], first["status"]) == ("dummy-token-lost", 401)
    back = rig.reach.wait_for("register", 15, begin, accepted)
    assert back["body"]["token"] == "dummy-token-1"
    wait_until(lambda: stored_token(rig) == "dummy-token-1", 5, "the former token on the disk")
    assert len(rig.reach.records("claim")) == 1
    assert "dummy-token" not in rig.daemon.log()
