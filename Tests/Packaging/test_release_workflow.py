"""The steps of `.github/workflows/release.yml` that are shell, run here, with a `gh` that only writes down its calls."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import textwrap
from pathlib import Path

import pytest

from printer_host import made
from root import REPOSITORY

WORKFLOW = (REPOSITORY / ".github" / "workflows" / "release.yml").read_text()
GH = '#!/bin/sh\nfor word; do printf "%s\\n" "$word" >>"$GH_CALLS"; done\necho . >>"$GH_CALLS"\n'


def steps(job: str) -> list[str]:
    """The `run:` of a job, as shell."""
    part = WORKFLOW.split(f"\n  {job}:\n")[1]
    part = re.split(r"\n  \w+:\n", part)[0]
    found = re.findall(r"run: (?:\|\n((?:          .*\n?)+)|(.*))", part)
    return [textwrap.dedent(block) or line for block, line in found]


def call(step: str, folder: Path, tag: str) -> list[list[str]]:
    """Run a step as GitHub does; what it asked of `gh`."""
    (folder / "bin").mkdir(exist_ok=True)
    (folder / "bin" / "gh").write_text(GH)
    (folder / "bin" / "gh").chmod(0o755)
    calls = folder / "calls"
    calls.unlink(missing_ok=True)
    environment = {"PATH": f"{folder / 'bin'}:/usr/bin:/bin", "GH_CALLS": str(calls)}
    environment |= {"GITHUB_REF_NAME": tag, "GITHUB_REPOSITORY": "owner/name", "GH_TOKEN": "dummy"}
    subprocess.run(["bash", "-e", "-c", step], cwd=folder, env=environment, check=True)
    return [words.split() for words in calls.read_text().split("\n.\n")[:-1]] if calls.exists() else []


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    """What both machines made; that of arm64 is ours under its names."""
    shutil.copytree(made("1.0.0", False), tmp_path / "amd64")
    shutil.copytree(made("1.0.0", False), tmp_path / "arm64")
    for path in list((tmp_path / "arm64").iterdir()):
        path.rename(path.with_name(path.name.replace("amd64", "arm64")))
    sums = tmp_path / "arm64" / "SHA256SUMS"
    sums.write_text(sums.read_text().replace("amd64", "arm64"))
    return tmp_path


@pytest.mark.parametrize(("tag", "candidate"), [("v1.0.0", False), ("v1.0.0-rc1", True)])
def test_publishing_puts_both_machines_files_into_one_release(artifacts: Path, tag: str, candidate: bool) -> None:
    one_list, release = steps("publish")
    assert call(one_list, artifacts, tag) == []
    sums = (artifacts / "SHA256SUMS").read_text().splitlines()
    assert sorted(line.split()[1] for line in sums) == [
        "install.sh",
        "printer-uplink-linux-amd64.zip",
        "printer-uplink-linux-arm64.zip",
        "printer-uplink_1.0.0_amd64.deb",
        "printer-uplink_1.0.0_arm64.deb",
    ]
    create, upload, edit = call(release, artifacts, tag)
    assert create[:3] == ["release", "create", tag] and "--draft" in create
    assert create[create.index("--title") + 1] == tag, "Moonraker compares the title with the installed version"
    assert create[-1] == "arm64/printer-uplink-linux-arm64.zip", "to roll back, Moonraker takes the first file"
    assert ("--prerelease" in create and "--latest=false" in create) is candidate
    assert [Path(word).name for word in upload[5:]] == [
        "printer-uplink-linux-amd64.zip",
        "printer-uplink_1.0.0_arm64.deb",
        "printer-uplink_1.0.0_amd64.deb",
        "install.sh",
        "SHA256SUMS",
    ]
    assert edit[-1] == "--draft=false"


def test_making_is_what_everybody_does_at_home(tmp_path: Path) -> None:
    assert "make release" in steps("make")
    done = subprocess.run(
        ["scripts/release.sh", ".build/release/printer-uplink", str(tmp_path / "made")],
        check=False,
        cwd=REPOSITORY,
        env=os.environ | {"GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v99.0.0"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1 and "let them agree" in done.stderr, "a tag that the program does not know of"


def test_a_candidate_comes_before_its_release_for_dpkg_too() -> None:
    (package,) = made("1.0.0-rc1", False).glob("*.deb")
    version = subprocess.run(
        ["dpkg-deb", "--field", str(package), "Version"], check=True, capture_output=True, text=True
    ).stdout.strip()
    assert subprocess.run(["dpkg", "--compare-versions", version, "lt", "1.0.0"], check=False).returncode == 0
