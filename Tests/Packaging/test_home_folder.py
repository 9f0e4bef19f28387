"""The installation in a home folder, beside the real Moonraker: installed, updated, rolled back, taken out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from printer_host import CONFIG, DATA, FOLDER, HOME, STATE, PrinterHost
from root import REPOSITORY, shell_help


@pytest.fixture
def host() -> Iterator[PrinterHost]:
    with PrinterHost() as host:
        host.prepare()
        host.publish("1.0.0")
        yield host


# What Moonraker remembers of us: its database, its log, its copy of its configuration.
MOONRAKER_OWN = (f"{DATA}/database/", f"{DATA}/logs/moonraker", f"{DATA}/config/.moonraker.conf.bkp")


def update_status(host: PrinterHost) -> dict[str, object]:
    return host.moonraker("GET", "/machine/update/status")["version_info"]["printer-uplink"]


def test_piped_from_github_it_runs_and_moonraker_knows_it(host: PrinterHost) -> None:
    said = host.install()
    assert "It runs." in said, said
    assert host.run("systemctl is-active printer-uplink") == "active"
    assert host.run("systemctl is-enabled printer-uplink") == "enabled"
    assert host.run("ps -o user= -C printer-uplink") == "pi"
    assert f"state_directory: {STATE}" in host.file(CONFIG).read_text()
    assert f"unix:{DATA}/comms/moonraker.sock" in host.file(CONFIG).read_text()
    assert host.file(f"{DATA}/moonraker.asvc").read_text() == "klipper_mcu\nKlipperScreen\ncrowsnest\nprinter-uplink\n"
    host.wait_for_moonraker()
    services = host.moonraker("GET", "/machine/system_info")["system_info"]["available_services"]
    assert "printer-uplink" in services
    status = update_status(host)
    assert status["version"] == "v1.0.0" and status["is_valid"] and not status["warnings"], status
    host.moonraker("POST", "/machine/services/restart?service=printer-uplink")
    host.until("systemctl is-active printer-uplink")
    warnings = host.moonraker("GET", "/server/info")["warnings"]
    assert not [text for text in warnings if "uplink" in text]
    extensions = host.until("curl -sf http://127.0.0.1:7125/server/extensions/list | grep printer-uplink")
    assert "printer-uplink" in extensions


def test_its_unit_is_as_hardened_as_the_package_s(host: PrinterHost) -> None:
    host.install()
    assert host.run("systemd-analyze verify printer-uplink.service 2>&1") == ""
    said = host.run("systemd-analyze security --no-pager printer-uplink | tail -1")
    exposure = re.search(r"([0-9.]+) \w+", said.split(":", 1)[1])
    assert exposure and float(exposure[1]) <= 2.5, said


def test_it_asks_on_the_terminal_even_when_piped(host: PrinterHost) -> None:
    url = "https://github.com/printer-uplink/printer-uplink/releases/latest/download/install.sh"
    # Of five questions the first four are answered: unix socket, systemd, no line in asvc, no section.
    said = host.run(
        f'script -qec "curl -fsSL {url} | bash -s -- --nginx no --start no" /dev/null',
        user="pi",
        input="http://127.0.0.1:7125\nsystemd\nno\nno\n",
    )
    assert "Where is Moonraker?" in said
    assert "moonraker: http://127.0.0.1:7125" in host.file(CONFIG).read_text()
    assert "printer-uplink" not in host.file(f"{DATA}/moonraker.asvc").read_text()
    assert "update_manager printer-uplink" not in host.file(f"{DATA}/config/moonraker.conf").read_text()
    assert host.run("systemctl is-active printer-uplink", check=False) == "inactive"


def test_a_second_run_changes_nothing_that_is_right(host: PrinterHost) -> None:
    host.install()
    before = {name: host.file(f"{DATA}/{name}").read_text() for name in ("moonraker.asvc", "config/moonraker.conf")}
    host.run(f"sed -i 's/name: Printer/name: Voron/' {CONFIG}")
    said = host.install()
    assert "It runs." in said and "(kept)" in said
    assert before == {name: host.file(f"{DATA}/{name}").read_text() for name in before}
    assert "name: Voron" in host.file(CONFIG).read_text()


def test_moonraker_updates_it_and_rolls_it_back(host: PrinterHost) -> None:
    host.install()
    host.wait_for_moonraker()
    former = host.pid()
    host.publish("1.1.0")
    # It is busy until its first look at everybody's releases, which takes a while without a network.
    host.until("curl -sf -X POST 'http://127.0.0.1:7125/machine/update/refresh?name=printer-uplink'", 120)
    assert update_status(host)["remote_version"] == "v1.1.0"
    host.moonraker("POST", "/machine/update/client?name=printer-uplink")
    assert host.installed_version == "v1.1.0"
    assert update_status(host)["version"] == "v1.1.0"
    assert host.is_executable(f"{FOLDER}/printer-uplink") and host.is_executable(f"{FOLDER}/update.sh")
    host.until("systemctl is-active printer-uplink")
    assert host.pid() not in ("", former)
    host.moonraker("POST", "/machine/update/rollback?name=printer-uplink")
    assert host.installed_version == "v1.0.0"
    host.until(f"{FOLDER}/printer-uplink status -c {CONFIG}")
    # Moonraker keeps nothing of the release before; the way back goes all the same.
    host.moonraker("POST", "/machine/update/client?name=printer-uplink")
    assert host.installed_version == "v1.1.0"
    said = host.run(f"{FOLDER}/update.sh --rollback 2>&1", user="pi")
    assert "fetching v1.0.0" in said and "v1.0.0 runs" in said, said
    assert host.installed_version == "v1.0.0"


def test_update_sh_checks_updates_and_goes_back(host: PrinterHost) -> None:
    host.install("--yes --update-manager no")
    assert "nothing to do" in host.run(f"{FOLDER}/update.sh --check", user="pi")
    host.publish("1.1.0")
    done = host.attempt(f"{FOLDER}/update.sh --check", user="pi")
    assert done.returncode == 1 and "v1.1.0 is there" in done.stdout
    archive = "/srv/releases/v1.1.0/printer-uplink-linux-amd64.zip"
    assert host.attempt(f"{FOLDER}/update.sh --check --archive {archive}", user="pi").returncode == 1
    assert host.installed_version == "v1.0.0", "--check only looks"
    host.run("systemctl stop github")
    assert host.attempt(f"{FOLDER}/update.sh --check", user="pi").returncode == 2, "nobody says"
    host.run("systemctl start github")
    host.run(f"{FOLDER}/printer-uplink read-only on -c {CONFIG}", user="pi")
    assert "v1.1.0 runs" in host.run(f"{FOLDER}/update.sh 2>&1", user="pi")
    assert host.installed_version == "v1.1.0"
    status = json.loads(host.run(f"{FOLDER}/printer-uplink status --json -c {CONFIG}", user="pi"))
    assert status["commands"]["read_only"]["is_on"], "the state is the former release's"
    assert "v1.0.0 runs" in host.run(f"{FOLDER}/update.sh --rollback 2>&1", user="pi")
    assert host.installed_version == "v1.0.0"
    assert "v1.1.0 runs" in host.run(f"{FOLDER}/update.sh --version v1.1.0 2>&1", user="pi")


def test_a_broken_release_is_taken_back(host: PrinterHost) -> None:
    host.install()
    host.publish("1.2.0", broken=True)
    done = host.attempt(f"UPLINK_PATIENCE=6 {FOLDER}/update.sh 2>&1", user="pi")
    assert done.returncode == 1, done.stdout
    assert "v1.2.0 does not come up" in done.stdout and "cannot run, on purpose" in done.stdout
    assert "v1.0.0 was put back, and runs" in done.stdout
    assert host.installed_version == "v1.0.0"
    assert host.run("systemctl is-active printer-uplink") == "active"
    # The installer does the same.
    done = host.attempt("UPLINK_PATIENCE=6 bash /srv/releases/v1.2.0/install.sh --yes 2>&1", user="pi")
    assert done.returncode == 1 and "the former version was put back, and runs: v1.0.0" in done.stdout, done.stdout
    assert host.installed_version == "v1.0.0"


def test_a_forged_archive_changes_nothing(host: PrinterHost) -> None:
    host.install()
    host.publish("1.1.0")
    host.run("echo forged >>/srv/releases/v1.1.0/printer-uplink-linux-amd64.zip")
    for command in (f"{FOLDER}/update.sh", "bash /srv/releases/v1.1.0/install.sh --yes --folder ~/other"):
        done = host.attempt(f"{command} 2>&1", user="pi")
        assert done.returncode != 0 and "is not what SHA256SUMS says" in done.stdout, done.stdout
    assert host.installed_version == "v1.0.0"


def test_variables_of_the_env_file_count_for_updates_too(host: PrinterHost) -> None:
    host.install()
    host.write(f"{HOME}/.config/printer-uplink/env", "PD_TOKEN=PAIR_1\n")
    host.run(
        f"sed -i 's|^backends:.*|backends:\\n  - {{ type: printdock, pairing_token: \"${{env:PD_TOKEN}}\" }}|' {CONFIG}",
        user="pi",
    )
    host.run("systemctl restart printer-uplink")
    host.publish("1.1.0")
    assert "v1.1.0 runs" in host.run(f"{FOLDER}/update.sh 2>&1", user="pi")


def test_run_again_it_remembers_what_it_was_told(host: PrinterHost) -> None:
    host.run("mkdir -p ~/printer_two_data/config ~/printer_two_data/logs", user="pi")
    flags = "--data /home/pi/printer_two_data --folder /home/pi/apps/uplink"
    host.install(f"--yes --asvc no --update-manager no {flags}")
    record = f"{HOME}/.config/printer-uplink/printer-uplink.installed"
    before = host.file(record).read_text()
    assert "/home/pi/printer_two_data" in before and "folder=/home/pi/apps/uplink" in before
    for again in (
        "curl -fsSL https://github.com/printer-uplink/printer-uplink/releases/latest/download/install.sh | bash -s --",
        "/home/pi/apps/uplink/install.sh",
    ):
        assert "It runs." in host.run(f"{again} --yes --asvc no --update-manager no 2>&1", user="pi")
        assert host.file(record).read_text() == before
    assert not host.file(FOLDER).exists() and not host.file(CONFIG).exists()
    # Another daemon gets the other printer, and not this one by mistake.
    assert "It runs." in host.run("/home/pi/apps/uplink/install.sh --yes --name one 2>&1", user="pi")
    assert f"data={DATA}" in host.file(record.replace("uplink.inst", "uplink-one.inst")).read_text()
    done = host.attempt("/home/pi/apps/uplink/install.sh --yes --name x --data ~/printer_data 2>&1", user="pi")
    assert done.returncode == 1 and "is printer-uplink-one's printer" in done.stdout, done.stdout


def test_a_damaged_record_removes_nothing(host: PrinterHost) -> None:
    host.install()
    record = f"{HOME}/.config/printer-uplink/printer-uplink.installed"
    host.write(record, "service=printer-uplink\nkind=systemd\n")
    host.run("touch ~/diary", user="pi")
    for script in ("uninstall.sh --yes --purge", "update.sh --rollback", "update.sh --version v1.0.0"):
        done = host.attempt(f"cd && {FOLDER}/{script} 2>&1", user="pi")
        assert done.returncode != 0 or "nothing to do" in done.stdout, done.stdout
    assert host.file(f"{HOME}/diary").exists() and host.file(CONFIG).exists() and host.file(FOLDER).is_dir()
    assert "It runs." in host.run(f"{FOLDER}/install.sh --yes 2>&1", user="pi")
    host.run(f"{FOLDER}/uninstall.sh --yes --purge", user="pi")
    assert host.file(f"{HOME}/diary").exists() and not host.file(CONFIG).exists()


def test_moonraker_is_not_restarted_under_a_print(host: PrinterHost) -> None:
    host.wait_for_moonraker()
    moonraker = "systemctl show --property=MainPID --value moonraker"
    former = host.run(moonraker)
    # It asks for a login: nobody can tell what the printer does.
    host.run(f"sed -i 's/127.0.0.0\\/8/10.0.0.0\\/8/' {DATA}/config/moonraker.conf; systemctl restart moonraker")
    former = host.run(moonraker)
    host.until("curl -s http://127.0.0.1:7125/server/info | grep -q Unauthorized", 40)
    assert "when nothing is being printed" in host.install()
    assert host.run(moonraker) == former


def test_moonraker_takes_a_broken_release_back(host: PrinterHost) -> None:
    host.install()
    host.wait_for_moonraker()
    host.publish("1.2.0", broken=True)
    host.until("curl -sf -X POST 'http://127.0.0.1:7125/machine/update/refresh?name=printer-uplink'", 120)
    # It says that the service could not be restarted, and leaves it at that.
    host.run("curl -s -m 60 -X POST 'http://127.0.0.1:7125/machine/update/client?name=printer-uplink'")
    assert host.installed_version == "v1.2.0"
    assert host.pid() == "", "it cannot run"
    host.moonraker("POST", "/machine/update/rollback?name=printer-uplink")
    assert host.installed_version == "v1.0.0"
    host.until(f"{FOLDER}/printer-uplink status -c {CONFIG}")


KILLER = """set -T
killer_count=0
[ "$KILL_AT" != count ] || exec 9>>/srv/killer/commands
trap 'killer_count=$((killer_count + 1)); case $KILL_AT in count) echo $killer_count >&9 ;; $killer_count) kill -KILL $$ ;; esac' DEBUG
"""
"""Read by every bash that runs a script: ends it, as a power cut would, before its n-th command."""


def commands_of(host: PrinterHost, command: str) -> int:
    """How many commands the longest of the scripts behind a line of shell runs."""
    host.write("/srv/killer/killer", KILLER)
    host.run("chown pi /srv/killer")
    host.run(f"BASH_ENV=/srv/killer/killer KILL_AT=count {command} 2>&1", user="pi")
    return max(int(line) for line in host.file("/srv/killer/commands").read_text().split())


def test_an_installation_cut_off_anywhere_is_mended_by_the_next(host: PrinterHost) -> None:
    archive = "/srv/releases/v1.0.0/printer-uplink-linux-amd64.zip"
    command = f"bash /srv/releases/v1.0.0/install.sh --yes --nginx yes --archive {archive}"
    count = commands_of(host, command)
    expected = owned_files(host)
    assert count > 100 and len(expected) > 6
    for moment in range(count // 14, count, count // 14):
        host.run(f"{FOLDER}/uninstall.sh --yes --purge", user="pi")
        done = host.attempt(f"BASH_ENV=/srv/killer/killer KILL_AT={moment} {command} 2>&1", user="pi")
        assert done.returncode != 0, f"command {moment} of {count}"
        host.run("nginx -t")
        said = host.run(f"{command} 2>&1", user="pi")
        assert "It runs." in said, f"command {moment} of {count}: {said}"
        assert owned_files(host) == expected, f"command {moment} of {count}"
        host.wait_for_moonraker()
        services = host.moonraker("GET", "/machine/system_info")["system_info"]["available_services"]
        assert "printer-uplink" in services, f"command {moment} of {count}"


def owned_files(host: PrinterHost) -> dict[str, str]:
    """Everything of an installation that is not the program, and what is in it."""
    paths = host.run(
        f"find {HOME} /etc /usr/local -name '*printer?uplink*' -not -path '{FOLDER}/*' -not -name '*.log*'"
        f" -not -path '{STATE}*' -not -path '{FOLDER}.former*'; grep -rl printer-uplink /etc/nginx {DATA}"
    ).split()
    own = sorted(path for path in set(paths) if not path.startswith(MOONRAKER_OWN) and "/logs/" not in path)
    return {path: host.file(path).read_text() if host.file(path).is_file() else "" for path in own}


def test_an_update_cut_off_anywhere_is_mended_by_the_next(host: PrinterHost) -> None:
    host.install("--yes --update-manager no")
    host.publish("1.1.0")
    back = f"{FOLDER}/update.sh --version v1.0.0"
    count = commands_of(host, f"{FOLDER}/update.sh --version v1.1.0")
    for moment in range(count // 10, count, count // 10):
        host.run(back, user="pi")
        former = host.pid()
        done = host.attempt(f"BASH_ENV=/srv/killer/killer KILL_AT={moment} {FOLDER}/update.sh 2>&1", user="pi")
        assert done.returncode != 0, f"command {moment} of {count}"
        assert host.is_executable(f"{FOLDER}/printer-uplink"), "there is a program at any moment"
        host.run(f"{FOLDER}/update.sh 2>&1", user="pi")
        assert host.installed_version == "v1.1.0", f"command {moment} of {count}"
        assert host.pid() not in ("", former), f"command {moment} of {count}: the new one runs"
        assert not host.file(f"{FOLDER}.unproven").exists()
    assert host.run(f"ls -d {FOLDER}*").split() == [FOLDER, f"{FOLDER}.former"]


def test_a_broken_release_cut_off_is_taken_back_by_the_next_run(host: PrinterHost) -> None:
    host.install("--yes --update-manager no")
    host.publish("1.2.0", broken=True)
    # It starts, and never says that it has.
    host.write("/srv/hang", "")
    done = host.attempt(f"timeout -s KILL 12 {FOLDER}/update.sh 2>&1", user="pi")
    assert done.returncode != 0 and host.installed_version == "v1.2.0", done.stdout
    host.file("/srv/hang").unlink()
    done = host.attempt(f"UPLINK_PATIENCE=6 {FOLDER}/update.sh 2>&1", user="pi")
    assert "v1.0.0 was put back, and runs" in done.stdout, done.stdout
    assert host.installed_version == "v1.0.0"


@pytest.mark.parametrize("kind", ["systemd", "supervisor", "initd", "cron"])
def test_folders_with_blanks_in_their_names(host: PrinterHost, kind: str) -> None:
    host.run("cd && mv printer_data 'my printer' && ln -s 'my printer' printer_data", user="pi")
    flags = f"--yes --service {kind} --update-manager yes --folder '/home/pi/my uplink' --data '/home/pi/my printer'"
    said = host.install(flags)
    assert "It runs." in said, said
    program, config = "/home/pi/my uplink/printer-uplink", "/home/pi/my printer/config/printer-uplink.yaml"
    host.run(f"'{program}' status -c '{config}'", user="pi")
    assert host.run("ps -o user= -C printer-uplink") == "pi"
    if kind == "systemd":
        assert host.run("systemd-analyze verify printer-uplink.service 2>&1") == ""
    host.wait_for_moonraker()
    assert update_status(host)["version"] == "v1.0.0"
    host.publish("1.1.0")
    assert "v1.1.0 runs" in host.run("'/home/pi/my uplink/update.sh' 2>&1", user="pi")
    host.run("'/home/pi/my uplink/uninstall.sh' --yes --purge", user="pi")
    assert host.pid() == "" and not host.file("/home/pi/my uplink").exists() and not host.file(config).exists()


def test_cron_needs_no_root(host: PrinterHost) -> None:
    host.file("/etc/sudoers.d/pi").unlink()
    said = host.install("--yes --service cron --nginx no --restart-moonraker no")
    assert "It runs." in said and "warning" not in said, said
    host.publish("1.1.0")
    assert "v1.1.0 runs" in host.run(f"{FOLDER}/update.sh 2>&1", user="pi")
    host.run(f"{FOLDER}/uninstall.sh --yes --purge", user="pi")
    assert host.pid() == ""


def test_shells_and_man_know_it(host: PrinterHost) -> None:
    host.install()
    assert shell_help(host, "pi") == {
        "bash": f"{FOLDER}/completions/printer-uplink.bash",
        "zsh": "_printer-uplink",
        "fish": "read-only",
        "man": f"{FOLDER}/completions/printer-uplink.1",
    }
    assert host.run("bash -lc 'printer-uplink version'", user="pi").startswith("printer-uplink ")
    host.run(f"{FOLDER}/uninstall.sh --yes", user="pi")
    assert host.run(f"find {HOME}/.local /usr/local -name '*printer-uplink*' -not -path '{STATE}*'") == ""


def test_uninstall_keeps_what_is_the_owner_s(host: PrinterHost) -> None:
    conf = host.file(f"{DATA}/config/moonraker.conf")
    before = conf.read_text()
    host.install("--yes --nginx yes")
    assert "update_manager printer-uplink" in conf.read_text()
    said = host.run(f"{FOLDER}/uninstall.sh --yes 2>&1", user="pi")
    assert f"kept: {CONFIG}" in said
    assert conf.read_text() == before + "\n"
    assert host.file(f"{DATA}/moonraker.asvc").read_text() == "klipper_mcu\nKlipperScreen\ncrowsnest\n"
    assert not host.file(FOLDER).exists() and host.pid() == ""
    assert host.run("systemctl list-unit-files 'printer-uplink*' --no-legend", check=False) == ""
    assert host.run("grep -r printer-uplink /etc/nginx", check=False) == ""
    assert host.file(CONFIG).exists() and host.file(STATE).is_dir()
    # Installed again, it goes on with both.
    assert "It runs." in host.install()


def test_uninstall_config_only_and_purge(host: PrinterHost) -> None:
    host.install("--yes --nginx yes")
    host.run(f"{FOLDER}/uninstall.sh --yes --config-only", user="pi")
    assert host.run("systemctl is-active printer-uplink") == "active"
    assert "printer-uplink" not in host.file(f"{DATA}/moonraker.asvc").read_text()
    assert "printer-uplink" not in host.file(f"{DATA}/config/moonraker.conf").read_text()
    said = host.run(f"{FOLDER}/uninstall.sh --yes --purge 2>&1", user="pi")
    for path in (CONFIG, STATE):
        assert f"purging {path}" in said
    left = host.run(
        f"find {HOME} /etc /usr/local -name '*printer?uplink*'; grep -rl printer-uplink /etc {HOME}", check=False
    )
    assert [line for line in left.splitlines() if not line.startswith(MOONRAKER_OWN)] == []


def test_the_web_server_shows_the_page_and_counts_nobody_as_local(host: PrinterHost) -> None:
    host.install("--yes --nginx yes")
    status = json.loads(host.until("curl -sf http://127.0.0.1/printer-uplink/api/status"))
    assert status["program"]["name"] == "printer-uplink"
    post = "curl -s -o /dev/null -w '%{http_code}' -X POST -H 'Content-Type: application/json' -d '{\"on\": true}'"
    assert host.run(f"{post} http://127.0.0.1/printer-uplink/api/read-only") == "403", (
        "who comes through nginx is not local"
    )
    assert host.run(f"{post} http://127.0.0.1:7180/api/read-only") == "200"


def test_an_enabled_cloud_brings_its_locations_along(host: PrinterHost) -> None:
    host.install()
    assert not host.file("/etc/nginx/snippets/printer-uplink.conf").exists(), "nobody needs it yet"
    host.write(f"{FOLDER}/config/nginx/printdock.conf", "location = /from-printdock { return 200 printdock; }\n")
    host.run(
        f"sed -i 's|^backends:.*|backends:\\n  - {{ type: printdock, pairing_token: PAIR_1, enabled: true }}|' {CONFIG}",
        user="pi",
    )
    host.run(f"sed -i 's|listen: 127.0.0.1:7180|listen: 127.0.0.1:7190|' {CONFIG}", user="pi")
    said = host.run(f"{FOLDER}/install.sh --yes 2>&1", user="pi")
    assert "nginx: " in said, said
    assert host.until("curl -sf http://127.0.0.1/from-printdock") == "printdock"
    host.until("curl -sf http://127.0.0.1/printer-uplink/api/status", 10)


def test_nginx_that_refuses_is_left_as_it_was(host: PrinterHost) -> None:
    host.write("/etc/nginx/conf.d/wrong.conf", "nonsense on;\n")
    site = host.file("/etc/nginx/sites-available/mainsail")
    before = site.read_text()
    said = host.install("--yes --nginx yes")
    assert "nginx refuses the snippets" in said and "It runs." in said, said
    assert site.read_text() == before
    assert not host.file("/etc/nginx/snippets/printer-uplink.conf").exists()


@pytest.mark.parametrize("kind", ["supervisor", "initd", "cron"])
def test_hosts_without_systemd_units(host: PrinterHost, kind: str) -> None:
    said = host.install(f"--yes --service {kind} --update-manager yes")
    assert "It runs." in said, said
    assert host.run("ps -o user= -C printer-uplink") == "pi"
    assert host.run("systemctl list-unit-files 'printer-uplink*' --no-legend", check=False) in (
        "",
        "printer-uplink.service generated -",
    )
    former = host.pid()
    host.run(f"kill -KILL {former}")
    host.until(f"p=$(pidof printer-uplink) && [ $p != {former} ]")
    host.publish("1.1.0")
    assert "v1.1.0 runs" in host.run(f"{FOLDER}/update.sh 2>&1", user="pi")
    # After a reboot it is there by itself.
    host.stop()
    host.boot()
    host.until(f"runuser -u pi -- {FOLDER}/printer-uplink status -c {CONFIG}", 30)
    host.wait_for_moonraker()
    assert not [text for text in host.moonraker("GET", "/server/info")["warnings"] if "uplink" in text]
    assert update_status(host)["version"] == "v1.1.0"
    # A wrong file ends it, and nothing starts it again.
    host.run(f"echo 'printr: {{}}' >>{CONFIG}; kill $(pidof printer-uplink); sleep 5")
    assert host.pid() == ""
    host.run(f"{FOLDER}/uninstall.sh --yes", user="pi")
    assert host.run("ls /etc/init.d /etc/supervisor/conf.d; crontab -u pi -l", check=False).count("printer-uplink") == 0


def test_the_two_ways_do_not_mix(host: PrinterHost) -> None:
    host.install()
    host.run("cp /srv/releases/v1.0.0/*.deb /root/package.deb")
    done = host.attempt("apt-get install -y -qq --no-install-recommends /root/package.deb 2>&1")
    assert done.returncode != 0 and "installed in a home folder already" in done.stdout
    host.run(f"{FOLDER}/uninstall.sh --yes", user="pi")
    host.run("apt-get install -y -qq --no-install-recommends /root/package.deb")
    assert "the two ways do not mix" in host.install(check=False)


def test_pairings_move_from_the_home_folder_to_the_package(host: PrinterHost) -> None:
    """The lines of docs/upgrading.md, as they stand there."""
    host.install()
    host.run(f"{FOLDER}/printer-uplink read-only on -c {CONFIG}", user="pi")
    host.run("cp /srv/releases/v1.0.0/*.deb ~/", user="pi")
    page = (REPOSITORY / "docs" / "upgrading.md").read_text()
    lines = page.split("## From one way to the other")[1].split("```sh\n")[1].split("```")[0]
    lines = (
        lines.replace("uninstall.sh", "uninstall.sh --yes")
        .replace("VERSION", "1.0.0")
        .replace("install ./", "install -y -qq --no-install-recommends ./")
    )
    host.run(f"cd && set -e\n{lines}", user="pi")
    host.until("systemctl is-active printer-uplink")
    assert host.run("stat -c %U /var/lib/printer-uplink/daemon.lock") == "pi"
    host.until("printer-uplink status -c /etc/printer-uplink/printer-uplink.yaml | grep -qi ready", 30)
    status = json.loads(host.until("printer-uplink status --json -c /etc/printer-uplink/printer-uplink.yaml"))
    assert status["commands"]["read_only"]["is_on"]


KIAUH = {
    "core/logger.py": "class Logger:\n"
    + "".join(
        f"    @staticmethod\n    def print_{kind}(msg, prefix=True, start='', end='\\n') -> None:\n"
        f"        print('{kind}:', msg)\n"
        for kind in ("status", "ok", "info", "error")
    ),
    "extensions/base_extension.py": "from abc import ABC, abstractmethod\n\n\nclass BaseExtension(ABC):\n"
    "    def __init__(self, metadata):\n        self.metadata = metadata\n\n"
    "    @abstractmethod\n    def install_extension(self, **kwargs): ...\n\n"
    "    def update_extension(self, **kwargs):\n        raise NotImplementedError\n\n"
    "    @abstractmethod\n    def remove_extension(self, **kwargs): ...\n",
    "extensions/__init__.py": "",
    "core/__init__.py": "",
    "__init__.py": "",
    # Found as its menu finds them: by the folder's metadata, the one class of the module that is an extension.
    "call.py": """import importlib, inspect, json, sys
from pathlib import Path
sys.path[:0] = ["/opt/kiauh", "/opt/kiauh/kiauh"]
from extensions.base_extension import BaseExtension
for folder in Path("/opt/kiauh/kiauh/extensions").iterdir():
    if not (folder / "metadata.json").exists():
        continue
    metadata = json.loads((folder / "metadata.json").read_text())["metadata"]
    assert metadata["updates"] and isinstance(metadata["index"], int) and isinstance(metadata["description"], list)
    module = importlib.import_module(f"kiauh.extensions.{folder.name}.{metadata['module']}")
    found = inspect.getmembers(
        module, lambda o: inspect.isclass(o) and issubclass(o, BaseExtension) and o != BaseExtension
    )
    getattr(found[0][1](metadata), sys.argv[1])()
""",
}
"""As much of KIAUH as its extensions are handed."""


def test_kiauh_s_menu_installs_updates_and_removes(host: PrinterHost) -> None:
    for name, text in KIAUH.items():
        host.write(f"/opt/kiauh/kiauh/{name}", text)
    for file in (REPOSITORY / "packaging" / "kiauh" / "printer_uplink").glob("*.*"):
        host.put(file, f"/opt/kiauh/kiauh/extensions/printer_uplink/{file.name}")
    call = "python3 /opt/kiauh/kiauh/call.py %s_extension 2>&1"
    assert "ok: printer-uplink is installed." in host.run(call % "install", user="pi")
    assert host.run("systemctl is-active printer-uplink") == "active"
    host.publish("1.1.0")
    assert "ok: printer-uplink is up to date." in host.run(call % "update", user="pi")
    assert host.installed_version == "v1.1.0"
    # It asks before it removes; without a terminal the answer is no.
    host.run(call % "remove", user="pi")
    assert host.run("systemctl is-active printer-uplink") == "active"
    said = host.run(f'script -qec "{call % "remove"}" /dev/null', user="pi", input="yes\n")
    assert "ok: printer-uplink is removed." in said
    assert host.pid() == "" and not host.file(FOLDER).exists()


def test_a_second_printer_on_the_same_host(host: PrinterHost) -> None:
    host.install("--yes --nginx yes")
    host.run("mkdir -p ~/printer_two_data/config ~/printer_two_data/logs", user="pi")
    said = host.install("--yes --nginx yes --name two --data /home/pi/printer_two_data")
    assert "It runs." in said, said
    second = f"{HOME}/printer_two_data/config/printer-uplink.yaml"
    assert "listen: 127.0.0.1:7181" in host.file(second).read_text()
    assert host.run("pidof printer-uplink | wc -w") == "2"
    page = json.loads(host.until("curl -sf http://127.0.0.1/printer-uplink-two/api/status"))
    assert page["printer"]["name"] == "two"
    host.publish("1.1.0")
    before = host.pid().split()
    assert "v1.1.0 runs" in host.run(f"{FOLDER}/update.sh 2>&1", user="pi")
    assert not set(host.pid().split()) & set(before), "both run the new one"
    host.run(f"{FOLDER}/uninstall.sh --yes --name two", user="pi")
    assert host.run("pidof printer-uplink | wc -w") == "1" and host.file(FOLDER).is_dir()
