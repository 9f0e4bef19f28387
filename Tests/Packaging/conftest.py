"""What the packaging tests are given: the packages, and a booted root."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from root import BUILD, REPOSITORY, Root

BINARY = Path(os.environ.get("PRINTER_UPLINK", BUILD / "release" / "printer-uplink")).resolve()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.geteuid() != 0:
        raise pytest.UsageError("the packaging tests boot roots with systemd-nspawn: run them as root")


def make_package(folder: Path, version: str | None = None) -> Path:
    """Our Debian package, of the program as it is; `version` instead of its own."""
    environment = os.environ | ({"VERSION": version} if version else {})
    subprocess.run(
        ["scripts/deb.sh", str(BINARY), str(folder)],
        cwd=REPOSITORY,
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    newest = max(folder.glob("*.deb"), key=lambda path: path.stat().st_mtime_ns)
    return newest


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_package(tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="session")
def former_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an upgrade starts from: the package that UPLINK_FORMER_PACKAGE names, else the same program under a lower version."""
    if named := os.environ.get("UPLINK_FORMER_PACKAGE"):
        return Path(named)
    return make_package(tmp_path_factory.mktemp("former"), "0.0.9")


@pytest.fixture
def root() -> Iterator[Root]:
    with Root() as root:
        yield root
