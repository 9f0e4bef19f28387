"""Metrics as Prometheus itself judges them, and the Grafana file that shows them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest
from harness import BUILD, ROOT, Rig

PROMTOOL = shutil.which("promtool") or shutil.which("promtool", path=BUILD / "tools")


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not there: scripts/packages.sh test")
def test_promtool_has_nothing_to_say(daemon_rig: Rig) -> None:
    assert PROMTOOL is not None
    text = daemon_rig.daemon.get("/metrics")[1]
    assert text.count("\n") < 120, "low cardinality"
    result = subprocess.run(
        [PROMTOOL, "check", "metrics"], input=text, capture_output=True, text=True, timeout=30, check=False
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_grafana_asks_only_for_what_there_is(daemon_rig: Rig) -> None:
    text = daemon_rig.daemon.get("/metrics")[1]
    there = set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))
    dashboard = (ROOT / "config/grafana/printer-uplink.json").read_text()
    json.loads(dashboard)
    asked = set(re.findall(r"printer_uplink_\w+", dashboard))
    assert asked
    assert asked <= there
