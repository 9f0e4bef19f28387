"""A machine that was set up for the Polar Cloud's own program goes over with its serial number: nobody registers again."""

from __future__ import annotations

import asyncio
import stat

import pytest
from cryptography.hazmat.primitives import serialization
from harness import Rig

from test_rig_polar import KEY, Printer

FORMS = [serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL]


@pytest.mark.parametrize("form", FORMS, ids=["pkcs8", "pkcs1"])
def test_an_existing_installation_greets_with_its_own_number_and_key(
    rig: Rig, form: serialization.PrivateFormat
) -> None:
    polar = rig.polar
    rig.start_printer()
    polar.start("--status-interval", "10", "--ping-interval", "2", "--ping-timeout", "2")

    async def as_the_original() -> str:
        printer = Printer(polar)
        await printer.registered()
        return printer.serial

    serial = asyncio.run(as_the_original())
    registered = len(polar.records("register"))
    folder = rig.folder / "config"
    folder.mkdir()
    original = folder / "polar_cloud.conf"
    text = f"[polar_cloud]\nserver_url = {polar.url}\nusername = {polar.email}\npin = {polar.pin}\n"
    text += f"serial_number = {serial}\nprinter_type = Ender 3\nwebcam_enabled = false\nstatus_interval = 10\n"
    original.write_text(text)
    key = KEY.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    (folder / "polar_cloud_key.pem").write_bytes(key)

    document = rig.configuration()
    document["backends"] = [{"type": "printdock", "enabled": False, "pairing_token": "PAIR_unused"}]
    rig.daemon.write(document)
    done = rig.daemon.command("import", str(original), "--config", str(rig.daemon.config), "--write")
    assert done.returncode == 0, done.stderr
    shown = done.stdout + done.stderr + rig.daemon.config.read_text()
    assert "PRIVATE KEY" not in shown
    assert f'"{polar.pin}"' not in shown
    identity = rig.daemon.state / "identities" / "polar.json"
    assert stat.S_IMODE(identity.stat().st_mode) == 0o600
    assert original.read_text() == text
    polar.client_restarted()
    rig.daemon.start()
    polar.wait_until_online()
    assert polar.records("hello")[-1]["body"]["serialNumber"] == serial
    assert len(polar.records("register")) == registered
    # On the host of the original it would be the same one.
    assert [text for text in polar.deviations() if "payload.MAC" not in text] == []
