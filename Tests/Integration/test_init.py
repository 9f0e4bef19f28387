"""`init` with the real binary: by options, through a pipe, at a terminal; as root for another user; killed."""

from __future__ import annotations

import os
import pty
import select
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from harness import DEFAULT_BINARY, ROOT, die_with_parent, free_port

NOBODY = 65534
WRONG_LINE = 2


@pytest.fixture(scope="module")
def binary() -> Path:
    path = Path(os.environ.get("PRINTER_UPLINK", DEFAULT_BINARY))
    return path if path.is_absolute() else ROOT / path


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that other users may enter, unlike pytest's own."""
    path = Path(tempfile.mkdtemp(prefix="uplink-init-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def moonraker() -> str:
    """Nobody listens there: what follows is quick."""
    return f"http://127.0.0.1:{free_port()}"


def environment(home: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(home), "NO_COLOR": "1"}


def init(
    binary: Path, folder: Path, *arguments: str, given: str = "", prefix: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Run it where standard input is a pipe."""
    return subprocess.run(
        [*prefix, str(binary), "init", *arguments],
        input=given,
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=die_with_parent,
        check=False,
    )


class Conversation:
    """`init` at a terminal."""

    def __init__(self, binary: Path, folder: Path, *arguments: str) -> None:
        self._master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [str(binary), "init", *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=folder,
            env=environment(folder),
            start_new_session=True,
        )
        os.close(slave)
        self.text = ""
        self._heard = 0

    def hear(self, words: str, timeout: float = 30) -> str:
        """What it says up to `words`."""
        end = time.monotonic() + timeout
        while words not in self.text[self._heard :]:
            ready, _, _ = select.select([self._master], [], [], max(0, end - time.monotonic()))
            assert ready, f"it never said {words!r}: {self.text}"
            try:
                self.text += os.read(self._master, 4096).decode().replace("\r\n", "\n")
            except OSError:  # the terminal is closed
                assert words in self.text[self._heard :], f"it never said {words!r}: {self.text}"
        begin = self._heard
        self._heard = self.text.index(words, begin) + len(words)
        return self.text[begin : self._heard]

    def answer(self, question: str, line: str) -> str:
        heard = self.hear(question)
        self.hear("\n")
        os.write(self._master, (line + "\n").encode())
        return heard

    def press(self, key: bytes) -> None:
        os.write(self._master, key)

    def close(self) -> int:
        try:
            return self.process.wait(30)
        finally:
            self.process.kill()
            os.close(self._master)


def test_every_question_has_an_option_and_the_file_is_good(binary: Path, folder: Path, moonraker: str) -> None:
    for name in ("moonraker.key", "code", "dock", "pin", "token"):
        (folder / name).write_text("SECRET123456789\n")
        (folder / name).chmod(0o600)
    (folder / "etc").mkdir()
    answers = {
        "name": 'Vöron "2.4"',
        "moonraker": moonraker,
        "api-key-file": "moonraker.key",  # from where the person stands, not from where the file will lie
        "log-file": "log",
        "backends": "reach, printdock,php-hub,polar,cura",
        "permissions": "monitor",
        "reach-relay": "https://127.0.0.1:1",
        "reach-pairing-code-file": "code",
        "printdock-pairing-token-file": "dock",
        "php-hub-server-url": "http://127.0.0.1:1/api.php",
        "php-hub-printer-token-file": "token",
        "polar-username": "somebody@example.org",
        "polar-pin-file": "pin",
    }
    options = {
        line.split()[0][2:]
        for line in init(binary, folder, "--help").stdout.splitlines()
        if line.startswith("      --") and line.split()[0] not in ("--once", "--version")
    }
    assert options == set(answers), "an option that this test does not know"
    path = folder / "etc" / "c.yaml"
    arguments = [word for name, value in answers.items() for word in (f"--{name}", value)]
    done = init(binary, folder, "-c", str(path), *arguments)
    assert done.returncode == 0, done.stderr
    document = yaml.safe_load(path.read_text())
    assert document["printer"] == {
        "name": 'Vöron "2.4"',
        "moonraker": moonraker,
        "api_key_file": str(folder / "moonraker.key"),
    }
    assert document["log"] == {"file": str(folder / "log")}
    assert [entry["type"] for entry in document["backends"]] == ["reach", "printdock", "php-hub", "polar", "cura"]
    assert {entry["permissions"] for entry in document["backends"]} == {"monitor"}
    assert document["backends"][0]["pairing_code_file"] == str(folder / "code")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "SECRET" not in done.stdout + done.stderr + path.read_text()
    # It has checked the file, run the doctor, and says how to try.
    assert f"{path}: ok" in done.stdout
    assert "Moonraker" in done.stdout
    assert f"run --once -c {path}" in done.stdout.splitlines()[-1]

    before = path.read_bytes()
    again = init(binary, folder, "-c", str(path), *arguments)
    assert again.returncode == 1
    assert "is there already and stays as it is" in again.stderr
    assert path.read_bytes() == before
    link = folder / "link.yaml"
    link.symlink_to(folder / "nowhere")
    assert init(binary, folder, "-c", str(link), "--yes").returncode == 1
    assert not (folder / "nowhere").exists()


def test_without_a_terminal_it_says_what_the_line_lacks(binary: Path, folder: Path, moonraker: str) -> None:
    path = folder / "c.yaml"
    piped = init(binary, folder, "-c", str(path), "--name", "V", given="http://127.0.0.1:1\n\n\n\n\n\n")
    assert piped.returncode == WRONG_LINE
    assert "give --moonraker ADDRESS, --backends TYPES, or --yes" in piped.stderr
    for arguments, words in (
        (("--yes", "--backends", "polar,php-hub"), "no usual answer for --polar-username VALUE"),
        (("--yes", "--moonraker", "foo bar"), "--moonraker: "),
        (("--yes", "--backends", "reach,reach"), "'reach' is named twice"),
        (("--yes", "--api-key-file", "none.key"), f"{folder}/none.key does not exist"),
        (("--yes", "--polar-username", "a@b.example"), "name it in --backends too"),
    ):
        refused = init(binary, folder, "-c", str(path), *arguments)
        assert refused.returncode == WRONG_LINE, refused.stderr
        assert words in refused.stderr
    assert list(folder.iterdir()) == []
    # The usual answers; a hub cannot be without its token, so its entry waits for one.
    options = ["--moonraker", moonraker, "--backends", "php-hub", "--php-hub-server-url", "http://127.0.0.1:1/api.php"]
    done = init(binary, folder, "-c", str(path), "--yes", *options)
    assert done.returncode == 0, done.stderr + done.stdout
    [entry] = yaml.safe_load(path.read_text())["backends"]
    assert entry["enabled"] is False
    assert "printer_token_file" in path.read_text()


def test_where_it_cannot_write_it_says_so_before_the_first_question(binary: Path, folder: Path) -> None:
    done = init(binary, folder, "-c", str(folder / "none" / "c.yaml"))
    assert done.returncode == 1
    assert f"the folder {folder}/none is not there" in done.stderr
    config = folder / "printer_data" / "config"
    config.mkdir(parents=True)
    (config / "printer-uplink.conf").write_text("version: 1\nprinter: {name: Mine}\nbackends: []\n")
    for arguments in ((), ("-c", str(config / "printer-uplink.yaml"))):
        done = init(binary, folder, "--yes", *arguments)
        assert done.returncode == 1
        assert "printer-uplink.conf is there already" in done.stderr
        assert not (config / "printer-uplink.yaml").exists()


def test_at_a_terminal_it_asks_until_the_answer_is_one(binary: Path, folder: Path, moonraker: str) -> None:
    path = folder / "c.yaml"
    talk = Conversation(binary, folder, "-c", str(path), "--name", "Voron")
    try:
        talk.answer("Where is Moonraker? [http://127.0.0.1:7125]", "foo bar")
        talk.answer("Where is Moonraker?", moonraker)
        talk.answer("API key", "none.key")
        assert "none.key does not exist" in talk.answer("API key", "")
        talk.answer("Which clouds", "polr")
        assert "did you mean 'polar'?" in talk.answer("Which clouds", "polar,php-hub")
        talk.answer("What may the clouds do", "all")
        talk.answer("What may the clouds do", "control")
        talk.answer("A log file", "")
        talk.answer("Polar Cloud account", "")
        assert "This has no usual answer." in talk.answer("Polar Cloud account", "somebody@example.org")
        talk.answer("The hub", "http://hub.example.org/api.php")
        assert "insecure" in talk.answer("The hub", "https://127.0.0.1:1/api.php")
        assert not path.exists()
        talk.answer("the printer_token of 'php-hub'", "")
        talk.hear(f"{path}: ok")
        talk.answer("Do one full round with every cloud now? [no]", "")
        talk.hear(f"run --once -c {path}")
    finally:
        status = talk.close()
    assert status == 0
    assert "What do you call" not in talk.text
    document = yaml.safe_load(path.read_text())
    assert document["printer"] == {"name": "Voron", "moonraker": moonraker}
    polar, hub = document["backends"]
    assert (polar["username"], polar["permissions"]) == ("somebody@example.org", "control")
    assert (hub["server_url"], hub["enabled"]) == ("https://127.0.0.1:1/api.php", False)
    checked = subprocess.run([binary, "validate", path], capture_output=True, env=environment(folder), check=False)
    assert checked.returncode == 0


@pytest.mark.parametrize("key", [b"\x03", b"\x04"], ids=["Ctrl-C", "Ctrl-D"])
def test_an_end_in_the_middle_of_the_questions_leaves_nothing(binary: Path, folder: Path, key: bytes) -> None:
    talk = Conversation(binary, folder, "-c", str(folder / "c.yaml"))
    try:
        talk.answer("What do you call the printer?", "V")
        talk.hear("Where is Moonraker?")
        if key == b"\x03":  # the terminal is not its controlling one
            talk.process.terminate()
        else:
            talk.hear("\n")
            talk.press(key)
    finally:
        status = talk.close()
    assert status != 0
    assert list(folder.iterdir()) == []


def test_killed_while_it_writes_it_leaves_no_half_file(binary: Path, folder: Path, moonraker: str) -> None:
    path = folder / "c.yaml"
    arguments = ["-c", str(path), "--yes", "--moonraker", moonraker]
    for calls in ("fsync", "?link,?linkat"):
        strace = ("strace", "-f", "-o", "/dev/null", "-e", f"trace={calls}", "-e", f"inject={calls}:signal=SIGKILL")
        killed = init(binary, folder, *arguments, prefix=strace)
        assert killed.returncode != 0
        assert "is written" not in killed.stdout
        assert not path.exists()
    assert init(binary, folder, *arguments).returncode == 0
    assert path.read_text().endswith("backends: []\n")


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files to other users")
def test_what_root_writes_the_daemons_user_can_read_and_nobody_else(binary: Path, folder: Path, moonraker: str) -> None:
    def may_read(path: Path, user: int) -> bool:
        command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "cat", str(path)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    package, home, open_to_all = folder / "package", folder / "home", folder / "open"
    for place, owner, mode in ((package, 0, 0o750), (home, NOBODY, 0o755), (open_to_all, 0, 0o2775)):
        place.mkdir()
        os.chown(place, owner, NOBODY)
        place.chmod(mode)
        done = init(binary, folder, "-c", str(place / "voron.yaml"), "--yes", "--moonraker", moonraker)
        assert done.returncode == 0, done.stderr
    # The package's folder: root's, for a group. A user's own. One for which a group says nothing.
    assert stat.S_IMODE((package / "voron.yaml").stat().st_mode) == 0o640
    assert [may_read(package / "voron.yaml", user) for user in (NOBODY, NOBODY - 1)] == [True, False]
    assert (home / "voron.yaml").stat().st_uid == NOBODY
    assert [may_read(home / "voron.yaml", user) for user in (NOBODY, NOBODY - 1)] == [True, False]
    assert not may_read(open_to_all / "voron.yaml", NOBODY)
