"""Which releases of Debian and Ubuntu the package of this machine's architecture installs and runs on.

These fetch the package's dependencies from the release's own mirror.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from root import Root

FILE = "/etc/printer-uplink/printer-uplink.yaml"


@pytest.mark.network
@pytest.mark.parametrize("suite", ["bookworm", "trixie", "noble"])
def test_it_installs_and_runs(suite: str, package: Path) -> None:
    with Root(suite) as root:
        root.put(package, "/root/package.deb")
        # In the chroot, with the host's network; booted without it.
        resolver = root.file("/etc/resolv.conf")
        resolver.unlink(missing_ok=True)
        shutil.copy2(os.path.realpath("/etc/resolv.conf"), resolver)
        done = subprocess.run(
            ["chroot", str(root.path), "bash", "-c"]
            + ["apt-get update -qq && apt-get install -y -qq --no-install-recommends /root/package.deb"],
            check=False,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        root.boot()
        root.until("systemctl is-active printer-uplink")
        root.until(f"printer-uplink status -c {FILE}")
        root.run("printer-uplink validate /usr/share/doc/printer-uplink/examples/all.yaml")
        assert root.run("systemd-analyze verify printer-uplink.service 2>&1") == ""
        version = root.run("systemctl --version | head -1; ldd --version | head -1")
        root.run("systemctl stop printer-uplink")
        assert root.run("systemctl show --property=Result --value printer-uplink") == "success"
        print(suite, version.replace("\n", ", "))
