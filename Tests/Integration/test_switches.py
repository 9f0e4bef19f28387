"""Entries switched beside the file, and what waits for a person: whatever the file says, whoever comes first."""

from __future__ import annotations

import http.client
import json
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from harness import Rig, free_port, wait_until

from test_control_socket import UnixConnection

Document = dict[str, Any]


class Bench:
    """A daemon with hubs that nobody answers for; no printer."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.config = rig.daemon.config
        rig.daemon.variables["STATE_DIRECTORY"] = str(rig.daemon.state)
        self.document: Document = {
            "version": 1,
            "printer": {"name": "P", "moonraker": f"http://127.0.0.1:{free_port()}"},
            "state_directory": str(rig.daemon.state),
            "control": {"listen": f"127.0.0.1:{rig.daemon.port}"},
            "backends": [self.hub(name) for name in ("a", "b", "d")],
        }

    @staticmethod
    def hub(name: str, **more: Any) -> Document:
        url = f"http://127.0.0.1:{free_port()}/api.php"
        return {"type": "php-hub", "name": name, "server_url": url, "printer_token": "t" * 32} | more

    def entry(self, name: str) -> Document:
        return next(entry for entry in self.document["backends"] if entry["name"] == name)

    def write(self) -> None:
        self.rig.daemon.write(self.document)

    def start(self) -> None:
        self.rig.daemon.start()
        wait_until(lambda: self.command("status").returncode == 0, 10, "the daemon")

    def begin(self) -> None:
        self.write()
        self.start()

    def restart(self) -> None:
        self.rig.daemon.kill()
        self.start()

    def command(self, *words: str) -> Any:
        return self.rig.daemon.command(*words, "-c", str(self.config))

    def status(self) -> Document:
        return json.loads(self.command("status", "--json").stdout)

    def running(self) -> set[str]:
        return {entry["name"] for entry in self.status()["backends"] if entry["is_enabled"]}

    def permissions(self, name: str) -> str:
        return next(entry["permissions"] for entry in self.status()["backends"] if entry["name"] == name)

    def overlay(self) -> Document:
        path: Path = self.rig.daemon.state / "overlay.json"
        return json.loads(path.read_text())["entries"] if path.exists() else {}

    def audit(self, action: str) -> list[str]:
        lines = self.command("audit", "--json").stdout.splitlines()
        return [record["message"] for record in map(json.loads, lines) if record.get("action") == action]

    def edit(self) -> None:
        """Write the file and wait until the daemon has looked at it."""
        self.write()
        self.rig.daemon.process.signal(signal.SIGHUP)

    def tell(self, path: str, body: Document) -> tuple[int, Document]:
        connection = UnixConnection(self.rig.daemon.state / "control.sock")
        connection.request("POST", path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


@pytest.fixture
def bench(rig: Rig) -> Bench:
    return Bench(rig)


def test_switches_at_the_same_time_do_not_lose_each_other(bench: Bench) -> None:
    bench.begin()
    for on in (False, True, False, True, False):
        with ThreadPoolExecutor(3) as pool:
            orders = [{"backend": name, "on": on} for name in ("a", "b", "d")]
            assert {status for status, _ in pool.map(lambda order: bench.tell("/api/enabled", order), orders)} == {200}
        assert bench.running() == (set("abd") if on else set())
        assert set(bench.overlay()) == (set() if on else set("abd"))
    assert bench.status()["widened"] == []


@pytest.mark.parametrize("pinned", [False, True])
def test_a_cloud_can_be_switched_off_and_on_whatever_lies_in_the_file(bench: Bench, pinned: bool) -> None:
    bench.document["control"]["pin_permissions"] = pinned
    bench.begin()
    if pinned:
        bench.entry("b")["permissions"] = "full"
    else:
        bench.document["oops"] = 1
    bench.edit()
    wait_until(lambda: bench.status()["program"]["reload_problem"], 5, "a refused file")
    result = bench.command("disable", "a")
    assert result.returncode == 0, result.stderr
    assert bench.running() == {"b", "d"}
    assert bench.status()["program"]["reload_problem"], "the file is as it was"
    assert bench.command("unpair", "d").returncode == 0
    assert bench.running() == {"b"}
    assert bench.command("enable", "a").returncode == 0
    assert bench.running() == {"a", "b"}
    assert bench.permissions("b") == "print"
    assert set(bench.overlay()) == {"d"}


def test_a_refused_switch_is_not_kept(bench: Bench) -> None:
    token = bench.rig.folder / "late.token"
    del bench.entry("d")["printer_token"]
    bench.entry("d").update({"enabled": False, "printer_token_file": str(token)})
    bench.begin()
    assert bench.command("enable", "d").returncode == 1
    assert bench.overlay() == {}
    assert bench.command("reload").returncode == 0


def test_a_switch_that_cannot_be_at_a_start_costs_no_other(bench: Bench) -> None:
    token = bench.rig.folder / "late.token"
    token.write_text("t" * 32)
    token.chmod(0o600)
    del bench.entry("d")["printer_token"]
    bench.entry("d").update({"enabled": False, "printer_token_file": str(token)})
    bench.begin()
    assert bench.command("enable", "d").returncode == 0
    assert bench.command("disable", "a").returncode == 0
    bench.rig.daemon.kill()
    token.rename(token.with_suffix(".away"))
    bench.start()
    assert bench.running() == {"b"}
    assert set(bench.overlay()) == {"a", "d"}
    assert bench.command("reload").returncode == 0, "nothing else is held up"
    token.with_suffix(".away").rename(token)
    assert bench.command("reload").returncode == 0
    assert bench.running() == {"b", "d"}
    assert bench.status()["widened"] == []


def test_a_switch_is_gone_once_the_file_was_edited_and_edited_back(bench: Bench) -> None:
    bench.begin()
    assert bench.command("disable", "a").returncode == 0
    bench.entry("a")["enabled"] = False
    bench.edit()
    wait_until(lambda: bench.overlay() == {}, 5, "the switch is dropped")
    bench.entry("a")["enabled"] = True
    bench.edit()
    wait_until(lambda: "a" in bench.running(), 5, "the file counts")


def pinned(bench: Bench) -> None:
    """A pinned daemon whose file would allow more by now."""
    bench.document["control"]["pin_permissions"] = True
    bench.begin()
    bench.entry("b")["permissions"] = "full"
    bench.edit()
    wait_until(lambda: bench.status()["program"]["waiting"], 5, "what waits")


TEXT = "b: permissions was print, is full"


def test_what_is_pinned_waits_over_a_restart_until_a_person_reloads(bench: Bench) -> None:
    pinned(bench)
    for _ in range(2):
        status = bench.status()
        assert status["program"]["waiting"]["changes"] == [TEXT]
        assert TEXT in status["program"]["reload_problem"]
        assert bench.permissions("b") == "print"
        assert TEXT in bench.command("status").stdout
        bench.rig.daemon.process.signal(signal.SIGHUP)
        bench.restart()
    assert any(TEXT in message for message in bench.audit("waiting"))
    result = bench.command("reload")
    assert result.returncode == 0
    assert TEXT in result.stdout
    assert bench.permissions("b") == "full"
    assert bench.status()["program"]["waiting"] is None
    assert bench.status()["program"]["reload_problem"] is None
    assert any(TEXT in message and "the command line" in message for message in bench.audit("widened"))
    bench.restart()
    assert bench.permissions("b") == "full"
    assert bench.status()["program"]["waiting"] is None


def test_another_state_folder_does_not_get_around_what_is_pinned(bench: Bench) -> None:
    pinned(bench)
    bench.rig.daemon.kill()
    bench.document["state_directory"] = str(bench.rig.folder / "fresh")
    bench.write()
    bench.start()
    texts = bench.status()["program"]["waiting"]["changes"]
    assert texts == [f"state_directory was {bench.rig.daemon.state}, is {bench.rig.folder / 'fresh'}", TEXT]
    assert bench.permissions("b") == "print"
    assert not (bench.rig.folder / "fresh").exists()


def test_a_pinned_file_that_is_put_back_waits_no_more(bench: Bench) -> None:
    pinned(bench)
    bench.entry("b")["permissions"] = "print"
    bench.edit()
    wait_until(lambda: not bench.status()["program"]["waiting"], 5, "nothing waits")
    assert bench.status()["program"]["reload_problem"] is None


def test_what_was_accepted_and_cannot_be_read_keeps_what_waits_off(bench: Bench) -> None:
    pinned(bench)
    bench.rig.daemon.kill()
    (bench.rig.daemon.state / "accepted.yaml").unlink()
    bench.start()
    assert bench.running() == {"a", "d"}
    assert bench.command("enable", "b").returncode == 1
    assert bench.command("disable", "a").returncode == 0
    assert bench.command("reload").returncode == 0
    assert bench.running() == {"b", "d"}


def test_what_a_restart_allows_is_told_where_nothing_is_pinned(bench: Bench) -> None:
    bench.begin()
    bench.rig.daemon.kill()
    bench.entry("b")["permissions"] = "full"
    bench.write()
    bench.start()
    assert bench.permissions("b") == "full"
    assert [notice["text"] for notice in bench.status()["widened"]] == [TEXT]
    assert bench.audit("widened") == [TEXT]
    bench.restart()
    assert len(bench.status()["widened"]) == 1


def test_an_entry_that_is_edited_while_it_is_off_is_told_when_it_is_switched_on(bench: Bench) -> None:
    bench.begin()
    bench.command("disable", "b")
    bench.entry("b")["permissions"] = "full"
    bench.edit()
    wait_until(lambda: bench.permissions("b") == "full", 5, "the edit")
    assert bench.status()["widened"] == []
    bench.command("enable", "b")
    assert [notice["text"] for notice in bench.status()["widened"]] == [TEXT]


def test_an_order_for_another_file_is_refused(bench: Bench) -> None:
    bench.begin()
    other = bench.config.with_name("other file.yaml")
    other.write_text(yaml.safe_dump(bench.document))
    for words in (["read-only", "on"], ["bed-cleared"], ["disable", "a"], ["status"]):
        result = bench.rig.daemon.command(*words, "-c", str(other))
        assert result.returncode == 1
        assert f"runs with {bench.config}, not with {other}" in result.stderr
    assert bench.running() == set("abd")
    missing = bench.rig.daemon.command("bed-cleared", "-c", str(bench.config.with_name("typo.yaml")))
    assert missing.returncode == 78


def post_from_elsewhere(bench: Bench, token: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", bench.rig.daemon.port, timeout=5)
    fields = {"Content-Type": "application/json", "X-Forwarded-For": "10.0.0.1", "Authorization": f"Bearer {token}"}
    connection.request("POST", "/api/read-only", b'{"on": true}', fields)
    return connection.getresponse().status


def test_a_token_that_was_replaced_counts_no_more(bench: Bench) -> None:
    file = bench.rig.folder / "control.token"
    bench.document["control"]["token_file"] = str(file)
    bench.begin()
    first = file.read_text().strip()
    assert post_from_elsewhere(bench, first) == 200
    file.write_text("another-token-of-somebody\n")
    assert bench.command("reload").returncode == 0
    assert post_from_elsewhere(bench, first) == 401
    assert post_from_elsewhere(bench, "another-token-of-somebody") == 200
    file.unlink()
    bench.rig.daemon.process.signal(signal.SIGHUP)
    wait_until(file.exists, 5, "a new token")
    assert post_from_elsewhere(bench, "another-token-of-somebody") == 401


def test_a_token_file_is_a_widening_and_never_lies_where_moonraker_serves_it(bench: Bench) -> None:
    bench.document["control"]["pin_permissions"] = True
    bench.begin()
    served = bench.rig.folder / "printer_data" / "config"
    served.mkdir(parents=True)
    bench.document["control"]["token_file"] = str(served / "t")
    bench.edit()
    wait_until(lambda: "printer_data" in (bench.status()["program"]["reload_problem"] or ""), 5, "a refusal")
    assert list(served.iterdir()) == []
    bench.document["control"]["token_file"] = str(bench.rig.folder / "t")
    bench.edit()
    wait_until(lambda: bench.status()["program"]["waiting"], 5, "what waits")
    assert "control.token_file was not set" in bench.status()["program"]["waiting"]["changes"][0]
    assert not (bench.rig.folder / "t").exists()


def test_unpair_says_where_a_secret_still_stands(bench: Bench) -> None:
    bench.begin()
    line = bench.config.read_text().splitlines().index("  printer_token: " + "t" * 32) + 1
    result = bench.command("unpair", "a")
    assert result.returncode == 0
    assert f"printer_token stands in {bench.config}:{line}" in result.stdout
    own = bench.rig.daemon.state / "secrets" / "b%20printer_token"
    own.parent.mkdir(mode=0o700)
    own.write_text("t" * 32)
    own.chmod(0o600)
    del bench.entry("b")["printer_token"]
    bench.entry("b")["printer_token_file"] = str(own)
    bench.edit()
    assert bench.command("reload").returncode == 0
    assert "is removed" in bench.command("unpair", "b").stdout
    assert not own.exists()
