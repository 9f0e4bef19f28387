"""Parts of the home folder's scripts by themselves: what they do to the owner's files, and with odd ones."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from root import REPOSITORY

LIBRARY = REPOSITORY / "packaging" / "host" / "lib"
SECTION = "[update_manager printer-uplink]\ntype: zip\npath: /home/pi/printer-uplink\n"
BEGIN, END = "# printer-uplink: begin (uninstall.sh takes it out)\n", "# printer-uplink: end\n"
BEFORE, AFTER = "[server]\nhost: 0.0.0.0\n", "# the camera\n[webcam one]\nlocation: top\n"


def shell(lines: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run lines of shell with the scripts' functions, in a home of their own."""
    load = "".join(
        f". {LIBRARY}/{name}.sh; " for name in ("common", "release", "service", "moonraker", "nginx", "shell")
    )
    return subprocess.run(
        ["bash", "-c", f"set -euo pipefail; {load} service=printer-uplink; {lines}"],
        check=False,
        cwd=folder,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(folder), "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(tmp_path)], check=True)
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


@pytest.mark.parametrize("command", ["append {0} more", "rewrite {0} lines_without nothing"])
def test_a_full_disk_leaves_the_owner_s_file_as_it_was(small_disk: Path, command: str) -> None:
    file = small_disk / "moonraker.conf"
    file.write_text("line\n" * 2500)
    done = shell(command.format(file), small_disk)
    assert done.returncode == 1 and "it is as it was" in done.stdout, done.stdout
    assert file.read_text() == "line\n" * 2500
    assert [path.name for path in small_disk.iterdir()] == ["moonraker.conf"]


def test_a_file_behind_a_link_keeps_link_owner_and_mode(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("first\nlast")
    (tmp_path / "real").chmod(0o640)
    (tmp_path / "link").symlink_to("real")
    assert shell("append link ours", tmp_path).returncode == 0
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "first\nlast\nours\n"
    assert (tmp_path / "real").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    "text",
    [
        BEFORE + BEGIN + SECTION + END + AFTER,
        BEFORE + BEGIN + SECTION + AFTER,
        BEFORE + BEGIN + SECTION + "\n" + AFTER + END,
        BEFORE + BEGIN + SECTION + END,
    ],
    ids=["as we wrote it", "no end mark", "an end mark that moved", "the last of the file"],
)
def test_taking_the_section_out_takes_nothing_else(tmp_path: Path, text: str) -> None:
    (tmp_path / "moonraker.conf").write_text(text)
    done = shell("moonraker_conf=moonraker.conf; update_section_remove", tmp_path)
    assert done.returncode == 0, done.stdout
    left = (tmp_path / "moonraker.conf").read_text()
    assert "update_manager" not in left
    assert left.replace(END, "").replace("\n\n", "\n").strip() == (BEFORE + (AFTER if "webcam" in text else "")).strip()


RECORD = {
    "service": "printer-uplink",
    "kind": "systemd",
    "data": "/d",
    "config": "/d/c.yaml",
    "log": "/d/l.log",
    "state": "/s",
    "moonraker_conf": "/d/m.conf",
    "folder": "/f",
}


@pytest.mark.parametrize("key", [None, *RECORD])
def test_a_record_that_lacks_something_is_refused(tmp_path: Path, key: str | None) -> None:
    record = tmp_path / ".config" / "printer-uplink" / "printer-uplink.installed"
    record.parent.mkdir(parents=True)
    record.write_text("".join(f"{name}={value}\n" for name, value in RECORD.items() if name != key))
    done = shell(f"folder=/f; list_records; load_record {record}; echo $config $log", tmp_path)
    if key is None:
        assert (done.returncode, done.stdout) == (0, "/d/c.yaml /d/l.log\n")
    else:
        assert done.returncode == 1 and "is damaged: run" in done.stdout, done.stdout


@pytest.mark.parametrize(
    ("one", "other", "newer"),
    [
        ("v1.0.1", "v1.0.0", True),
        ("v1.10.0", "v1.9.0", True),
        ("v1.0.0", "v1.0.0", False),
        ("v1.0.0", "v1.0.1", False),
        ("v1.0.0", "v1.0.0-rc1", True),
        ("v1.0.0-rc1", "v1.0.0", False),
        ("v1.0.0-rc2", "v1.0.0-rc1", True),
    ],
)
def test_versions_are_compared(tmp_path: Path, one: str, other: str, newer: bool) -> None:
    assert (shell(f"is_newer {one} {other}", tmp_path).returncode == 0) is newer


@pytest.mark.parametrize(
    ("path", "good"),
    [("/home/pi/my uplink", True), ("/höme/pi", True), ("relative", False)]
    + [(f"/home/{sign}x", False) for sign in "'\"%|&$;#*?`\\\n"],
)
def test_paths_that_unit_files_take_otherwise_are_refused(tmp_path: Path, path: str, good: bool) -> None:
    (tmp_path / "path").write_text(path)
    done = shell("IFS= read -r -d '' path <path || true; check_path \"$path\"", tmp_path)
    assert (done.returncode == 0) is good, done.stdout


def test_the_env_file_is_what_the_daemon_gets(tmp_path: Path) -> None:
    folder = tmp_path / ".config" / "printer-uplink"
    folder.mkdir(parents=True)
    (folder / "env").write_text('# a token\nTOKEN="a b=c"\nOTHER=$(touch /tmp/never)\nbad name=1\n')
    done = shell("kind=systemd; with_environment sh -c 'echo \"$TOKEN|$OTHER\"'", tmp_path)
    assert done.stdout == "a b=c|$(touch /tmp/never)\n"


def test_a_page_s_port_is_nobody_s_else(tmp_path: Path) -> None:
    """Neither one that listens nor one that another daemon's file names."""
    install = (REPOSITORY / "packaging" / "host" / "install.sh").read_text()
    function = "free_port() {" + install.split("free_port() {")[1].split("\n}\n")[0] + "\n}"
    records = tmp_path / ".config" / "printer-uplink"
    records.mkdir(parents=True)
    config = tmp_path / "one.yaml"
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free = int(shell(f"{function}\nfree_port", tmp_path).stdout)
        listener.bind(("127.0.0.1", free))
        listener.listen()
        second = int(shell(f"{function}\nfree_port", tmp_path).stdout)
        assert second > free
        config.write_text(f"control:\n  listen: 127.0.0.1:{second}\n")
        (records / "one.installed").write_text(f"config={config}\n")
        assert int(shell(f"{function}\nfree_port", tmp_path).stdout) > second
