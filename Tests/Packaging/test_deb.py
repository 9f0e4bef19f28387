"""The Debian package in a booted root: installed, stopped, hung, upgraded, removed, purged."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path

import pytest

from root import REPOSITORY, Root, shell_help

UNITS = ["printer-uplink.service", "printer-uplink@.service"]
FILE = "/etc/printer-uplink/printer-uplink.yaml"


def install(root: Root, package: Path, options: str = "") -> str:
    root.put(package, f"/root/{package.name}")
    return root.run(f"apt-get install -y -qq --no-install-recommends {options} /root/{package.name} 2>&1")


def pid(root: Root, unit: str = "printer-uplink") -> str:
    return root.run(f"systemctl show --property=MainPID --value {unit}")


@pytest.fixture
def installed(root: Root, package: Path) -> Root:
    root.boot()
    install(root, package)
    return root


def test_a_fresh_install_runs_at_once_as_its_own_user(installed: Root) -> None:
    assert installed.run("systemctl is-active printer-uplink") == "active"
    assert installed.run("systemctl is-enabled printer-uplink") == "enabled"
    assert installed.run(f"ps -o user= -p {pid(installed)}").startswith("printer")
    assert installed.run("stat -c '%a %U' /var/lib/printer-uplink") == "700 printer-uplink"
    assert installed.run(f"stat -c '%a %U:%G' {FILE}") == "640 root:printer-uplink"
    assert installed.run(f"printer-uplink status -c {FILE}")
    assert "Failed to" not in installed.run("journalctl -u printer-uplink -o cat")


def test_shells_and_man_know_it(installed: Root) -> None:
    assert shell_help(installed) == {
        "bash": "/usr/share/bash-completion/completions/printer-uplink",
        "zsh": "_printer-uplink",
        "fish": "read-only",
        "man": "/usr/share/man/man1/printer-uplink.1.gz",
    }


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_finds_nothing_wrong_with_the_units(installed: Root, unit: str) -> None:
    assert installed.run(f"systemd-analyze verify {unit.replace('@', '@voron')} 2>&1") == ""
    said = installed.run(f"systemd-analyze security --offline=yes /usr/lib/systemd/system/{unit} --no-pager | tail -1")
    exposure = re.search(r"([0-9.]+) \w+", said.split(":", 1)[1])
    assert exposure and float(exposure[1]) <= 2.5, said
    print(said)


def test_it_stops_within_three_seconds(installed: Root) -> None:
    start = time.monotonic()
    installed.run("systemctl stop printer-uplink")
    took = time.monotonic() - start
    assert took <= 3.0
    assert installed.run("systemctl show --property=Result --value printer-uplink") == "success"
    print(f"stopped within {took:.2f} s")


def test_a_hung_daemon_is_started_again(installed: Root) -> None:
    # Three seconds instead of thirty, so that the test need not wait so long.
    installed.write("/etc/systemd/system/printer-uplink.service.d/short.conf", "[Service]\nWatchdogSec=3\n")
    installed.run("systemctl daemon-reload && systemctl restart printer-uplink")
    former = pid(installed)
    time.sleep(4)
    assert pid(installed) == former, "it must live on while it is well"
    installed.run(f"kill -STOP {former}")
    installed.until(
        f"[ $(systemctl show --property=MainPID --value printer-uplink) != {former} ] && "
        "systemctl is-active printer-uplink",
        timeout=25,
    )
    assert installed.run("systemctl show --property=NRestarts --value printer-uplink") == "1"
    assert "watchdog" in installed.run("journalctl -u printer-uplink -o cat").lower()


def test_a_killed_daemon_comes_back(installed: Root) -> None:
    former = pid(installed)
    installed.run(f"kill -KILL {former}")
    installed.until(f"systemctl is-active printer-uplink && [ $(pidof printer-uplink) != {former} ]")


def test_a_wrong_file_stops_it_and_starts_nothing_again(installed: Root) -> None:
    installed.run(f"echo 'printr: {{}}' >>{FILE}; systemctl restart printer-uplink", check=False)
    time.sleep(4)
    show = installed.run("systemctl show --property=ActiveState,ExecMainStatus,NRestarts printer-uplink")
    assert set(show.split()) == {"ActiveState=failed", "ExecMainStatus=78", "NRestarts=0"}
    assert "did you mean printer?" in installed.run("journalctl -u printer-uplink -o cat")


def test_a_reload_takes_a_new_file(installed: Root) -> None:
    former = pid(installed)
    installed.run(f"sed -i 's/name: Printer/name: Voron/' {FILE} && systemctl reload printer-uplink")
    installed.until(f"printer-uplink status -c {FILE} | grep -q Voron")
    assert pid(installed) == former


def test_an_upgrade_keeps_state_and_file(root: Root, former_package: Path, package: Path) -> None:
    root.boot()
    install(root, former_package)
    root.run(f"sed -i 's/name: Printer/name: Voron/' {FILE} && printer-uplink read-only on -c {FILE}")
    former = pid(root)
    said = install(root, package)
    assert not root.run("dpkg-query -W -f='${Version}' printer-uplink").startswith("0.0."), said
    root.until("systemctl is-active printer-uplink")
    assert pid(root) != former, "the new program runs"
    status = root.until(f"printer-uplink status --json -c {FILE}")
    assert '"Voron"' in status
    assert re.search(r'"is_on":\s*true', status), "read-only is the former daemon's word, kept on the disk"


def test_a_way_back_keeps_them_too(installed: Root, former_package: Path) -> None:
    installed.run(f"printer-uplink read-only on -c {FILE}")
    install(installed, former_package, "--allow-downgrades")
    assert installed.run("dpkg-query -W -f='${Version}' printer-uplink").startswith("0.0.")
    installed.until("systemctl is-active printer-uplink")
    assert re.search(r'"is_on":\s*true', installed.until(f"printer-uplink status --json -c {FILE}"))


EVERYTHING = (
    "find / -xdev \\( -path /proc -o -path /sys -o -path /run -o -path /tmp -o -path /root -o -path /var/log -o -path /var/cache "
    "-o -path /var/lib/apt -o -path /var/lib/systemd/random-seed "
    # Of their own files dpkg, debconf and passwd keep a former state beside them.
    "-o -path '/etc/*-' -o -path '*-old' \\) -prune -o -print | sort"
)


def test_purge_leaves_the_system_as_it_was_before(root: Root, package: Path) -> None:
    root.boot()
    before = root.run(EVERYTHING).splitlines()
    install(root, package)
    root.write("/etc/printer-uplink/voron.yaml", "version: 1\ncontrol: { listen: 127.0.0.1:7181 }\nbackends: []\n")
    root.write("/etc/printer-uplink/moonraker.key", "abc\n", 0o640)
    root.write("/etc/systemd/system/printer-uplink@voron.service.d/own.conf", "[Service]\nNice=5\n")
    root.run("systemctl daemon-reload && systemctl enable -q --now printer-uplink@voron")
    root.until("printer-uplink status -c /etc/printer-uplink/voron.yaml")
    assert len(root.run(EVERYTHING).splitlines()) > len(before)
    said = root.run("apt-get purge -y -qq printer-uplink 2>&1")
    for path in ("/var/lib/printer-uplink-voron", "/etc/systemd/system/printer-uplink@voron.service.d"):
        assert f"purging {path}" in said
    assert set(root.run(EVERYTHING).splitlines()) == set(before)


def test_remove_keeps_and_purge_takes_away(installed: Root) -> None:
    installed.run(f"printer-uplink read-only on -c {FILE}")
    said = installed.run("apt-get remove -y -qq printer-uplink 2>&1")
    assert "kept /etc/printer-uplink and the pairings" in said
    assert installed.run("pidof printer-uplink", check=False) == ""
    assert installed.file("/var/lib/printer-uplink").is_dir() and installed.file(FILE).is_file()

    said = installed.run("apt-get purge -y -qq printer-uplink 2>&1")
    for path in ("/var/lib/printer-uplink", "/etc/printer-uplink"):
        assert f"purging {path}" in said
    assert "removing the user printer-uplink" in said
    left = installed.run(
        "find / -xdev \\( -path /proc -o -path /sys -o -path /root -o -path /var/log -o -path /var/cache \\) -prune -o "
        "-name '*printer?uplink*' -print; getent passwd printer-uplink; ls /run | grep printer",
        check=False,
    )
    assert left == ""


def test_installed_again_after_remove_it_goes_on(installed: Root, package: Path) -> None:
    installed.run(f"printer-uplink read-only on -c {FILE} && apt-get remove -y -qq printer-uplink")
    install(installed, package)
    installed.until("systemctl is-active printer-uplink")
    assert re.search(r'"is_on":\s*true', installed.until(f"printer-uplink status --json -c {FILE}"))
    assert installed.run("systemctl is-enabled printer-uplink") == "enabled"


def test_instances_come_back_after_remove_too(installed: Root, package: Path) -> None:
    installed.write("/etc/printer-uplink/voron.yaml", "version: 1\ncontrol: { listen: 127.0.0.1:7181 }\nbackends: []\n")
    installed.run("systemctl enable -q --now printer-uplink@voron && apt-get remove -y -qq printer-uplink")
    assert installed.run("pidof printer-uplink", check=False) == ""
    install(installed, package)
    installed.until("systemctl is-active printer-uplink@voron")


@pytest.mark.parametrize("owner", ["", "0", "root", "nobody-of-this-name"])
def test_whoever_is_no_ordinary_user_does_not_run_it(root: Root, package: Path, owner: str) -> None:
    """An empty answer is one too, where the package would have guessed another."""
    root.boot()
    root.run("useradd -m pi && install -d -o pi -g pi /home/pi/printer_data")
    root.run(f"echo printer-uplink printer-uplink/owner string '{owner}' | debconf-set-selections")
    install(root, package)
    assert root.run(f"ps -o user= -p {pid(root)}").startswith("printer")


def test_it_runs_as_the_owner_of_printer_data_who_was_named(root: Root, package: Path) -> None:
    root.boot()
    root.run(
        "useradd -m pi && install -d -o pi -g pi /home/pi/printer_data /home/pi/printer_data/logs /home/pi/private"
    )
    root.run("echo printer-uplink printer-uplink/owner string pi | debconf-set-selections")
    install(root, package)
    assert root.run(f"ps -o user= -p {pid(root)}") == "pi"
    assert root.run("stat -c %U /var/lib/printer-uplink") == "pi"
    root.run(
        f"sed -i '1,/^version/!b;s|^version: 1|version: 1\\nlog: {{ file: /home/pi/printer_data/logs/u.log }}|' {FILE}"
    )
    root.run("systemctl restart printer-uplink")
    root.until("[ -s /home/pi/printer_data/logs/u.log ]")
    inside = f"nsenter --target={pid(root)} --mount"
    assert root.run(f"{inside} ls /home/pi") == "printer_data", "it sees nothing else of the home folder"
    # The owner may ask it without being root.
    assert root.run(f"printer-uplink status -c {FILE}", user="pi")
    # Another answer later: dpkg-reconfigure, and the state goes along, and so do the keys that lie beside the file.
    key = "/etc/printer-uplink/printdock.token"
    root.write(key, "PAIR_1\n", 0o640)
    root.run(f"chown root:pi {key}")
    root.run(
        f"sed -i 's|^backends:.*|backends:\\n  - {{ type: printdock, pairing_token_file: {key}, enabled: true }}|' {FILE}"
    )
    root.run(
        "echo printer-uplink printer-uplink/owner string '' | debconf-set-selections; dpkg-reconfigure printer-uplink"
    )
    root.until("systemctl is-active printer-uplink")
    assert root.run(f"ps -o user= -p {pid(root)}").startswith("printer")
    assert root.run("stat -c %U /var/lib/printer-uplink") == "printer-uplink"
    assert root.run(f"stat -c %G {key}") == "printer-uplink"


def test_two_instances_live_beside_each_other(installed: Root) -> None:
    for number, name in enumerate(("voron", "ender")):
        installed.write(
            f"/etc/printer-uplink/{name}.yaml",
            f"version: 1\nstate_directory: /var/lib/printer-uplink-{name}\nprinter:\n  name: {name}\n"
            f"control:\n  listen: 127.0.0.1:{7181 + number}\nbackends: []\n",
            0o644,
        )
        installed.run(f"systemctl enable --now -q printer-uplink@{name}")
    for name in ("voron", "ender"):
        assert installed.run(f"systemctl is-active printer-uplink@{name}") == "active"
        assert name in installed.run(f"printer-uplink status -c /etc/printer-uplink/{name}.yaml")
        assert installed.file(f"/var/lib/printer-uplink-{name}/daemon.lock").exists()
    assert installed.run("pidof printer-uplink | wc -w") == "3"
    installed.run("apt-get purge -y -qq printer-uplink")
    assert installed.run("pidof printer-uplink; ls /var/lib | grep uplink", check=False) == ""


def test_the_drop_in_for_port_80(installed: Root) -> None:
    installed.run("systemctl stop nginx", check=False)
    installed.run(f"sed -i '1,/^version/!b;s|^version: 1|version: 1\\ncontrol: {{ listen: \"0.0.0.0:80\" }}|' {FILE}")
    installed.run("systemctl restart printer-uplink")
    installed.run("! curl -sf http://127.0.0.1/health", timeout=10)
    installed.put(
        REPOSITORY / "config/systemd/port-80.conf", "/etc/systemd/system/printer-uplink.service.d/port-80.conf"
    )
    installed.run("systemctl daemon-reload && systemctl restart printer-uplink")
    assert installed.until("curl -sf http://127.0.0.1/health") == "OK"


def test_it_does_not_mix_with_an_installation_in_a_home_folder(root: Root, package: Path) -> None:
    root.boot()
    root.write(
        "/etc/systemd/system/printer-uplink.service",
        "[Service]\nExecStart=/home/pi/printer-uplink/printer-uplink run\n",
    )
    root.put(package, "/root/package.deb")
    done = root.attempt("apt-get install -y -qq --no-install-recommends /root/package.deb 2>&1")
    assert done.returncode != 0 and "is installed in a home folder already" in done.stdout


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (
            "/etc/systemd/system/printer-uplink-two.service",
            "# Written by /home/pi/uplink/install.sh; change it with: …",
        ),
        ("/etc/supervisor/conf.d/printer-uplink.conf", "; Written by /home/pi/printer-uplink/install.sh."),
        ("/etc/init.d/printer-uplink", "# Written by /home/pi/printer-uplink/install.sh."),
        (
            "/var/spool/cron/crontabs/pi",
            "@reboot '/home/pi/u/keep-running.sh' '/home/pi/u/printer-uplink' 'c' 's' start # printer-uplink",
        ),
    ],
)
def test_each_way_of_a_home_folder_is_seen(root: Root, path: str, line: str) -> None:
    script = REPOSITORY / "packaging" / "debian" / "preinst"
    root.put(script, "/preinst")
    command = ["chroot", str(root.path), "sh", "/preinst", "install"]
    assert subprocess.run(command, check=False).returncode == 0
    root.write(path, f"{line}\n")
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 1 and path in done.stderr
