"""What a command says that never arrives is no success."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from harness import DEFAULT_BINARY, ROOT


@pytest.fixture(scope="module")
def binary() -> Path:
    path = Path(os.environ.get("PRINTER_UPLINK", DEFAULT_BINARY))
    return path if path.is_absolute() else ROOT / path


@pytest.mark.parametrize("arguments", [["validate"], ["completions", "bash"], ["version"], ["init", "--help"]])
def test_output_that_cannot_be_written_fails(binary: Path, tmp_path: Path, arguments: list[str]) -> None:
    if arguments == ["validate"]:
        (tmp_path / "c.yaml").write_text("version: 1\nprinter: {name: V}\nbackends: []\n")
        arguments = ["validate", str(tmp_path / "c.yaml")]
    command = [str(binary), *arguments]
    assert subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    closed = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *command], stderr=subprocess.PIPE, text=True, timeout=30, check=False
    )
    assert closed.returncode == 1
    assert "standard output" in closed.stderr
    # A reader that has enough is no failure.
    early = subprocess.run(
        ["bash", "-o", "pipefail", "-c", '"$@" | true; [ $? = 0 ] || [ $? = 1 ]', "bash", *command],
        timeout=30,
        check=False,
    )
    assert early.returncode == 0
