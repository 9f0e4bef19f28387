"""A machine that was set up for Reach's own agent goes over without pairing again."""

from __future__ import annotations

import json
import stat
import time
from pathlib import Path

from harness import Rig, free_port

from observe import accepted


def agent_files(rig: Rig, **variables: str) -> Path:
    """The agent's folder, paired with the relay before us."""
    rig.reach.set(claimed=True)
    folder = rig.folder / "reach-link"
    folder.mkdir()
    written = {
        "REACH_LINK_RELAY": rig.reach.url,
        "REACH_LINK_TOKEN": "dummy-token-1",
        "REACH_LINK_PRINTER_ID": "printer-001",
        "REACH_LINK_TELEMETRY_INTERVAL": "2",
    } | variables
    (folder / ".env").write_text("".join(f"{key}={value}\n" for key, value in written.items()))
    state = {"reachLinkToken": "dummy-token-1", "printerId": "printer-001", "relayUrl": rig.reach.url, "savedAt": 1}
    (folder / ".reach-link-state.json").write_text(json.dumps(state))
    return folder


def test_an_imported_pairing_reports_without_a_claim(cloud_rig: Rig) -> None:
    rig = cloud_rig
    port = free_port()
    folder = agent_files(rig, REACH_LINK_HEALTH_PORT=str(port), REACH_LINK_MOONRAKER_URL=rig.moonraker.url)
    document = rig.configuration()
    document["backends"] = [{"type": "printdock", "enabled": False, "pairing_token": "PAIR_unused"}]
    rig.daemon.write(document)
    done = rig.daemon.command("import", str(folder / ".env"), "--config", str(rig.daemon.config), "--write")
    assert done.returncode == 0, done.stderr
    assert "reach-link-agent.py does not run here now" in done.stderr
    assert "dummy-token" not in done.stdout + done.stderr + rig.daemon.config.read_text()
    identity = rig.daemon.state / "identities" / "reach.json"
    assert stat.S_IMODE(identity.stat().st_mode) == 0o600
    begin = time.monotonic()
    rig.daemon.start()
    rig.reach.wait_for("register", after=begin, where=accepted)
    rig.reach.wait_for("printer-data", after=begin, where=accepted)
    assert rig.reach.records("claim") == []
    again = rig.daemon.command("import", str(folder / ".env"), "--config", str(rig.daemon.config), "--write")
    assert again.returncode == 1
    assert "another printer-uplink" in again.stderr
    assert rig.deviations() == []


def test_the_agents_variables_fill_the_only_entry(cloud_rig: Rig) -> None:
    rig = cloud_rig
    rig.reach.set(claimed=True)
    document = rig.configuration()
    document["backends"] = [{"type": "reach"}]
    rig.daemon.write(document)
    rig.daemon.variables = {
        "REACH_LINK_RELAY": rig.reach.url,
        "REACH_LINK_TOKEN": "dummy-token-1",
        "REACH_LINK_PRINTER_ID": "printer-001",
        "REACH_LINK_TELEMETRY_INTERVAL": "2",
    }
    begin = time.monotonic()
    rig.daemon.start()
    rig.reach.wait_for("printer-data", after=begin, where=accepted)
    assert rig.reach.records("claim") == []
    notes = [backend["notes"] for backend in json.loads(rig.daemon.get("/api/status")[1])["backends"]]
    assert "token comes from the environment variable REACH_LINK_TOKEN" in notes[0]
    assert "dummy-token" not in rig.daemon.log()
