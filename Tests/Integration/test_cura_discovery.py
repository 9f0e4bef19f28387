"""Cura finds the printer by multicast: two hosts on one wire, the real Avahi, and the library that Cura uses."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cura_client import CuraClient, Variant
from harness import PATIENCE, Rig, wait_until
from network_lab import NetworkLab, missing

from commanding import JSON, write_backends

SUFFIX = "._ultimaker._tcp.local."


class Found:
    """A rig whose daemon lives on the printer's host."""

    def __init__(self, rig: Rig, lab: NetworkLab) -> None:
        self.rig = rig
        self.lab = lab
        lab.take_in(rig)

    def entry(self, **keys: Any) -> JSON:
        return {"type": "cura", "listen": "0.0.0.0:80", "display_name": "Voron 2.4 ö"} | keys

    def write(self, **keys: Any) -> None:
        write_backends(self.rig, self.entry(**keys))

    def change(self, **keys: Any) -> None:
        """Another configuration, and SIGHUP."""
        document = self.rig.configuration() | {"backends": [self.entry(**keys)]}
        self.rig.daemon.change(document)

    def start(self, **keys: Any) -> None:
        self.write(**keys)
        self.rig.daemon.start()


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[NetworkLab]:
    if problem := missing():
        pytest.skip(problem)
    with NetworkLab(tmp_path) as lab:
        yield lab


@pytest.fixture
def found(rig: Rig, lab: NetworkLab) -> Found:
    return Found(rig, lab)


def only(services: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    assert len(services) == 1, services
    return next(iter(services.items()))


def test_cura_finds_the_printer_and_loses_it_with_the_backend(found: Found) -> None:
    """Appears, shows what Cura needs, goes within two seconds of `enabled: false`, comes back under the same name."""
    found.lab.start_bus()
    found.lab.start_avahi()
    browser = found.lab.browse()
    found.start()
    name, service = only(browser.wait_for(1, 15 * PATIENCE))
    assert name.endswith(SUFFIX)
    assert name.startswith("ultimakersystem-")
    assert service["address"] == "10.77.0.1"
    assert service["addresses"] == 1
    assert service["port"] == 80
    assert service["txt"] == {
        "type": "printer",
        "name": "Voron 2.4 ö",
        "machine": "9066",
        "firmware_version": "7.1.0",
        "cluster_size": "1",
    }
    begin = time.monotonic()
    found.change(enabled=False)
    browser.wait_for(0, 2 * PATIENCE)
    assert time.monotonic() - begin < 2 * PATIENCE
    found.change(enabled=True)
    again, _ = only(browser.wait_for(1, 10 * PATIENCE))
    assert again == name
    # On its own port 80, over the wire from the other host.
    output = other_host(found, "poll")
    assert "deviations: []" in output, output
    found.rig.daemon.stop()
    browser.wait_for(0, 2 * PATIENCE)


def other_host(found: Found, what: str) -> str:
    """Run a part of a Cura's session on the other host."""
    script = f"""
import sys
sys.path[:0] = {[str(Path(__file__).parent), str(Path(__file__).parents[1] / "Support")]!r}
import test_cura_discovery
test_cura_discovery.{what}()
"""
    command = [*found.lab.cura.prefix, found_python(), "-c", script]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def found_python() -> str:
    import sys

    return sys.executable


def poll() -> None:
    """Runs on the other host: add by address, poll."""
    with CuraClient("10.77.0.1", 80, Variant.CURA_4_13) as cura:
        cura.add_by_address()
        printers, _ = cura.poll()
        if not printers or printers[0]["ip_address"] != "10.77.0.1":
            cura.deviate(f"the camera is not at the printer's address: {printers}")
        print(f"deviations: {cura.deviations}")


@pytest.mark.soak
def test_avahi_may_come_late_end_and_crash(found: Found) -> None:
    browser = found.lab.browse()
    found.start()
    wait_until(lambda: "Avahi" in found.rig.daemon.log(), 10, "a word about Avahi")
    found.lab.start_bus()
    found.lab.start_avahi()
    name, _ = only(browser.wait_for(1, 20))
    found.lab.end_avahi()
    browser.wait_for(0, 5)
    found.lab.start_avahi()
    assert only(browser.wait_for(1, 10))[0] == name
    found.lab.avahi.kill()
    found.lab.start_avahi()
    count = len(browser.events())
    wait_until(lambda: len(browser.events()) > count or browser.present(), 15, "the service after a crash of Avahi")
    # D-Bus itself: Avahi ends with it.
    found.lab.bus.kill()
    found.lab.end_avahi()
    browser.wait_for(0, 10)
    assert found.rig.daemon.process.running
    found.lab.start_bus()
    found.lab.start_avahi()
    assert only(browser.wait_for(1, 25))[0] == name


@pytest.mark.soak
def test_a_killed_daemon_is_gone_from_the_network(found: Found) -> None:
    found.lab.start_bus()
    found.lab.start_avahi()
    browser = found.lab.browse()
    found.start()
    name, _ = only(browser.wait_for(1, 15))
    found.rig.daemon.process.kill()
    browser.wait_for(0, 5)
    found.rig.daemon.start()
    assert only(browser.wait_for(1, 15))[0] == name


@pytest.mark.soak
def test_a_name_that_another_host_has_is_given_up_and_said(found: Found) -> None:
    """No silent 'name #2': the new one is kept, so that Cura knows the printer again."""
    from zeroconf import ServiceInfo

    assert ServiceInfo is not None
    script = """
import socket, time
from zeroconf import IPVersion, ServiceInfo, Zeroconf
zeroconf = Zeroconf(interfaces=["10.77.0.2"], ip_version=IPVersion.V4Only)
kind = "_ultimaker._tcp.local."
info = ServiceInfo(kind, "ultimakersystem-taken." + kind, addresses=[socket.inet_aton("10.77.0.2")], port=80,
                   properties={"type": "printer"}, server="other.local.")
zeroconf.register_service(info)
print("registered", flush=True)
time.sleep(600)
"""
    other = found.lab.start("other", found.lab.cura, found_python(), "-c", script)
    wait_until(lambda: "registered" in other.text(), 15, "the other one")
    found.lab.start_bus()
    found.lab.start_avahi()
    browser = found.lab.browse()
    found.start(instance="ultimakersystem-taken")
    services = browser.wait_for(2, 30)
    ours = next(name for name in services if name != f"ultimakersystem-taken{SUFFIX}")
    assert ours.startswith("ultimakersystem-taken-")
    assert "ultimakersystem-taken" in "".join(found.rig.daemon.process.lines("taken"))
    found.rig.daemon.restart()
    time.sleep(2)
    wait_until(lambda: ours in browser.present(), 20, "the same name again")


@pytest.mark.soak
def test_a_static_service_file_is_the_second_way(found: Found) -> None:
    found.lab.start_bus()
    found.lab.start_avahi()
    browser = found.lab.browse()
    found.start(advertise="static")
    written = found.rig.daemon.state / "cura.service"
    wait_until(written.exists, 10, "the service file")
    time.sleep(1)
    assert browser.present() == {}
    found.lab.put_service_file("cura.service", written.read_text())
    name, service = only(browser.wait_for(1, 10))
    assert name.startswith("ultimakersystem-")
    assert service["txt"]["name"] == "Voron 2.4 ö"


@pytest.mark.soak
def test_without_discovery_nothing_is_shown_and_the_address_works(found: Found) -> None:
    found.lab.start_bus()
    found.lab.start_avahi()
    browser = found.lab.browse()
    found.start(advertise="off")
    wait_until(lambda: "deviations: []" in other_host(found, "poll"), 15, "the answer")
    assert browser.present() == {}
    maps = Path(f"/proc/{found.rig.daemon.process.pid}/maps").read_text()
    assert "libavahi" not in maps
