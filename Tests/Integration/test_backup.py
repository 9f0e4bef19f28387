"""Backups: the right files, once, to a storage that is not the owner's network; nothing stays behind."""

from __future__ import annotations

import hashlib
import io
import socket
import tarfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import PrintDockCloud, Rig, free_port, wait_until

from commanding import failed, left_behind, obey_printdock, succeeded

CONFIG: dict[str, bytes] = {
    "printer.cfg": b"[printer]\nkinematics: cartesian\n",
    "macros/park.cfg": b"[gcode_macro PARK]\ngcode: G4\n",
    "macros/deep/er.cfg": b"# deep\n" * 5000,
    "printer-20260101_120000.cfg": b"# a copy of SAVE_CONFIG\n",
    "Helper-Script/helper.cfg": b"# not ours\n",
    "notes.txt": b"not configuration\n",
}


@pytest.fixture
def cloud(rig: Rig) -> PrintDockCloud:
    """PrintDock at level full, with a printer that has a configuration."""
    return obey_backups(rig)


def obey_backups(rig: Rig, permissions: Any = "full", **keys: Any) -> PrintDockCloud:
    folder = rig.moonraker.data / "config"
    for name, data in CONFIG.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    rig.printdock.host = "localhost"  # so that loopback in any other spelling is not the cloud's own host
    root = str(rig.moonraker.data)
    return obey_printdock(rig, permissions=permissions, printer_data_root=root, **keys)


def back_up(cloud: PrintDockCloud, name: str, url: str | None = None, timeout: float = 20.0, **more: Any) -> Any:
    params: dict[str, Any] = {"backup_id": name, "include": {"config": True}}
    params |= {"presigned_url": cloud.presigned(name) if url is None else url} | more
    return cloud.completion(cloud.command("create_backup", params=params), timeout)


def members(data: bytes) -> dict[str, bytes]:
    """The archive's files; every entry must be a plain file."""
    found: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
        for member in archive:
            assert member.isreg(), member.name
            assert member.mode == 0o644
            content = archive.extractfile(member)
            assert content is not None
            found[member.name] = content.read()
    return found


def test_a_backup_holds_the_configuration_and_its_sum_is_right(cloud: PrintDockCloud, rig: Rig) -> None:
    completion = back_up(cloud, "bk_1")
    succeeded(completion, backup_id="bk_1")
    data = cloud.stored("bk_1")
    assert data is not None
    assert completion["result"]["sha256"] == hashlib.sha256(data).hexdigest()
    assert completion["result"]["size_bytes"] == len(data)
    wanted = ("printer.cfg", "macros/park.cfg", "macros/deep/er.cfg")
    assert members(data) == {f"config/{name}": CONFIG[name] for name in wanted}
    assert left_behind(rig.daemon.state) == []
    assert rig.deviations() == []
    assert str(rig.moonraker.data) not in str(completion)


def test_conf_files_come_by_option(rig: Rig) -> None:
    cloud = obey_backups(rig, backup_conf_files=True)
    succeeded(back_up(cloud, "bk_1"))
    data = cloud.stored("bk_1")
    assert data is not None
    assert "config/moonraker.conf" in members(data)


def test_links_are_followed_inside_and_left_out_outside(cloud: PrintDockCloud, rig: Rig) -> None:
    folder = rig.moonraker.data / "config"
    (rig.folder / "secret.cfg").write_text("a secret of the host")
    (folder / "inside.cfg").symlink_to("macros/park.cfg")
    (folder / "outside.cfg").symlink_to(rig.folder / "secret.cfg")
    (folder / "dangling.cfg").symlink_to("nowhere.cfg")
    (folder / "out").symlink_to(rig.folder)
    (folder / "loop").symlink_to(".")
    succeeded(back_up(cloud, "bk_1"))
    data = cloud.stored("bk_1")
    assert data is not None
    archive = members(data)
    assert archive["config/inside.cfg"] == CONFIG["macros/park.cfg"]
    assert not [name for name in archive if "outside" in name or "/out/" in name]
    assert b"a secret of the host" not in b"".join(archive.values())
    assert rig.deviations() == []


def test_without_the_permission_there_is_no_backup(rig: Rig) -> None:
    cloud = obey_backups(rig, permissions="print")
    failed(back_up(cloud, "bk_1"))
    assert cloud.stored("bk_1") is None
    assert cloud.records("storage") == []


@pytest.mark.parametrize("include", [{}, {"config": False}, {"gcodes": True}, {"config": "yes"}, None])
def test_nothing_to_back_up_is_a_failure(shared: Any, include: Any) -> None:
    rig, cloud = shared
    failed(back_up(cloud, "bk_empty", include=include))
    assert cloud.stored("bk_empty") is None
    assert left_behind(rig.daemon.state) == []


@pytest.fixture(scope="module")
def shared() -> Iterator[Any]:
    """One rig for tables."""
    with Rig() as rig:
        yield rig, obey_backups(rig)


BAD_IDS = ["../x", "a/b", "..", ".hidden", "", "x" * 129, "a\u0000b", "a\nb", "a b", "\u00e9", "/etc/x"]


@pytest.mark.parametrize("name", BAD_IDS)
def test_a_bad_name_of_a_backup_is_refused(shared: Any, name: str) -> None:
    rig, cloud = shared
    before = len(cloud.records("storage"))
    failed(back_up(cloud, name, cloud.presigned("x")))
    assert len(cloud.records("storage")) == before
    assert not list(rig.folder.rglob("*.tar.gz"))


@pytest.mark.parametrize("root", ["/", "/etc", "..", "~", "~root", "OTHER"])
def test_a_foreign_root_is_refused(shared: Any, root: Any) -> None:
    rig, cloud = shared
    before = len(cloud.records("storage"))
    wanted = str(rig.folder) if root == "OTHER" else root
    failed(back_up(cloud, "bk_root", printer_data_root=wanted))
    assert len(cloud.records("storage")) == before


def test_the_configured_root_may_be_named(shared: Any) -> None:
    rig, cloud = shared
    succeeded(back_up(cloud, "bk_named", printer_data_root=str(rig.moonraker.data)))


class Listener:
    """A TCP port on this host that must never be connected to."""

    def __init__(self) -> None:
        self.port = free_port()
        self.connections = 0
        self._sockets = [socket.create_server(("127.0.0.1", self.port))]
        self._sockets.append(socket.create_server(("::1", self.port), family=socket.AF_INET6))
        for server in self._sockets:
            threading.Thread(target=self._accept, args=(server,), daemon=True).start()

    def _accept(self, server: socket.socket) -> None:
        while True:
            server.accept()[0].close()
            self.connections += 1


FORBIDDEN = [
    "http://127.0.0.1:PORT/x",
    "http://127.1:PORT/x",
    "http://2130706433:PORT/x",
    "http://0x7f.1:PORT/x",
    "http://0177.0.0.1:PORT/x",
    "http://[::1]:PORT/x",
    "http://[::ffff:127.0.0.1]:PORT/x",
    "http://0.0.0.0:PORT/x",
    "https://127.0.0.1:PORT/x",
    "https://127.1:PORT/x",
    "https://2130706433:PORT/x",
    "https://[::1]:PORT/x",
    "https://[::ffff:7f00:1]:PORT/x",
    "https://0:PORT/x",
    "https://user:pass@127.0.0.1:PORT/x",
    "http://example.org/x",
    "http://192.168.0.1/x",
    "https://192.168.0.1/x",
    "https://10.1.2.3/x",
    "https://169.254.169.254/x",
    "https://[fe80::1%25lo]/x",
    "https://[fd00::1]/x",
    "file:///tmp/x",
    "ftp://example.org/x",
    "//example.org/x",
    "example.org",
    "https://",
    "",
    "https://" + "h" * 9000 + "/x",
]


@pytest.fixture(scope="module")
def listener() -> Listener:
    return Listener()


@pytest.mark.parametrize("url", FORBIDDEN)
def test_a_backup_never_goes_into_the_owners_network(shared: Any, listener: Listener, url: str) -> None:
    rig, cloud = shared
    before, connections, begin = len(cloud.records("storage")), listener.connections, time.monotonic()
    failed(back_up(cloud, "bk_forbidden", url.replace("PORT", str(listener.port))))
    assert time.monotonic() - begin < 6, "it was tried"
    assert listener.connections == connections
    assert len(cloud.records("storage")) == before
    assert left_behind(rig.daemon.state) == []


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    ("action", "details"),
    [
        ("status", {"status": 403}),
        ("status", {"status": 500}),
        ("redirect", {"status": 307, "location": "http://localhost:1/x"}),
        ("drop_before", {}),
        pytest.param("hang", {}, marks=pytest.mark.soak),  # half a minute
    ],
)
def test_a_storage_that_refuses_or_hangs_is_told_and_leaves_nothing(
    cloud: PrintDockCloud, rig: Rig, action: str, details: dict[str, Any]
) -> None:
    cloud.fault("storage", action, **details)
    number = cloud.command(
        "create_backup",
        params={"backup_id": "bk_1", "presigned_url": cloud.presigned("bk_1"), "include": {"config": True}},
    )
    cloud.wait_for("storage")
    failed(cloud.carry_out("pause", timeout=10), "")  # told at once: it overtakes
    completion = cloud.completion(number, 60)
    failed(completion)
    assert "signature" not in str(completion)
    assert left_behind(rig.daemon.state) == []
    assert "signature" not in rig.daemon.log()
    succeeded(back_up(cloud, "bk_2"))


def test_a_kill_during_a_backup_leaves_nothing_behind(cloud: PrintDockCloud, rig: Rig) -> None:
    cloud.fault("storage", "hang")
    number = cloud.command(
        "create_backup",
        params={"backup_id": "bk_1", "presigned_url": cloud.presigned("bk_1"), "include": {"config": True}},
    )
    cloud.wait_for("storage")
    rig.daemon.kill()
    rig.daemon.start()
    failed(cloud.completion(number, 30), "unknown")
    wait_until(lambda: left_behind(rig.daemon.state) == [], 5, "an empty staging folder")


def test_the_archive_is_private(cloud: PrintDockCloud, rig: Rig) -> None:
    cloud.fault("storage", "hang", seconds=5)
    cloud.command(
        "create_backup",
        params={"backup_id": "bk_1", "presigned_url": cloud.presigned("bk_1"), "include": {"config": True}},
    )
    cloud.wait_for("storage")
    staged = [Path(path) for path in left_behind(rig.daemon.state)]
    for path in staged:
        assert path.stat().st_mode & 0o077 == 0
        assert "bk_1" not in path.name
