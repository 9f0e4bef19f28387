"""`cura-definition`: files from the real Moonraker's answers, printed, written, installed."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from harness import Rig

from cura_printing import start_cura, write_cura


def run(rig: Rig, *arguments: str) -> subprocess.CompletedProcess[str]:
    return rig.daemon.command("cura-definition", "--config", str(rig.daemon.config), *arguments)


def test_the_definition_has_what_the_printer_says(rig: Rig, tmp_path: Path) -> None:
    start_cura(rig)
    result = run(rig, "--output", str(tmp_path / "cura"))
    assert result.returncode == 0, result.stderr
    written = sorted(path.relative_to(tmp_path / "cura").as_posix() for path in (tmp_path / "cura").rglob("*.json"))
    assert written == ["definitions/uplink_test_printer.def.json", "extruders/uplink_test_printer_extruder_0.def.json"]
    assert result.stdout.splitlines() == [str(tmp_path / "cura" / path) for path in written]
    definition = json.loads((tmp_path / "cura" / written[0]).read_text())
    limits = rig.printer.object("toolhead")["axis_maximum"]
    values = {key: value["default_value"] for key, value in definition["overrides"].items()}
    assert [values[f"machine_{side}"] for side in ("width", "depth", "height")] == [int(limit) for limit in limits[:3]]
    assert definition["metadata"]["bom_numbers"] == [770001]
    assert definition["name"] == "Test printer"
    extruder = json.loads((tmp_path / "cura" / written[1]).read_text())
    assert extruder["overrides"]["machine_nozzle_size"]["default_value"] == 0.4
    assert '  bom: "770001"' in result.stderr.splitlines()
    # The daemon beside it was not disturbed.
    assert rig.daemon.log().count("identified") <= 1

    write_cura(rig, bom="770001", machine_variant="Test printer")
    assert "bom:" not in run(rig).stderr
    assert '"bom_numbers": [770001]' in run(rig).stdout


def test_it_goes_to_where_cura_reads_it(rig: Rig) -> None:
    start_cura(rig)
    result = run(rig, "--install")
    assert result.returncode == 1
    assert "--output" in result.stderr
    cura = rig.daemon.folder / ".local" / "share" / "cura" / "5.11"
    cura.mkdir(parents=True)
    result = run(rig, "--install")
    assert result.returncode == 0, result.stderr
    assert (cura / "definitions" / "uplink_test_printer.def.json").exists()
    assert (cura / "extruders" / "uplink_test_printer_extruder_0.def.json").exists()


def test_without_the_printer_it_asks_for_a_size(rig: Rig) -> None:
    write_cura(rig)
    result = run(rig, "--size", "235x235x250")
    assert result.returncode == 0, result.stderr
    assert '"machine_width"' in result.stdout
    result = run(rig)
    assert result.returncode == 1
    assert "--size" in result.stderr
    assert run(rig, "--entry", "nothing").returncode == 2
    assert run(rig, "--output", "x", "--install").returncode == 2
    assert "cura-definition" in rig.daemon.command("--help").stdout
    assert "--size XxYxZ" in rig.daemon.command("cura-definition", "--help").stdout


@pytest.mark.skipif(not Path("/usr/share/cura/resources/definitions").exists(), reason="Cura is not installed")
@pytest.mark.soak
def test_its_number_is_none_of_curas_own() -> None:
    for path in Path("/usr/share/cura/resources/definitions").glob("*.def.json"):
        metadata = json.loads(path.read_text()).get("metadata", {})
        for number in metadata.get("bom_numbers", []):
            assert not "770001".startswith(str(number)), path
            assert not str(number).startswith("770001"), path
    assert os.path.exists("/usr/share/cura/resources/definitions/fdmprinter.def.json")
