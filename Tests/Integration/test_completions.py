"""Completions in the shells themselves, and the manual page as man shows it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from harness import Rig


@pytest.fixture
def home(rig: Rig) -> Path:
    """A home with a configuration that names one entry, and the program on the path."""
    folder = rig.folder / "home"
    (folder / "printer_data/config").mkdir(parents=True)
    (folder / "bin").mkdir()
    (folder / "bin" / "printer-uplink").symlink_to(rig.binary)
    text = "version: 1\nbackends:\n  - type: reach\n    name: my-reach\n    relay: https://r.example\n"
    (folder / "printer_data/config/printer-uplink.yaml").write_text(text)
    return folder


def run(home: Path, *command: str, given: str = "") -> subprocess.CompletedProcess[str]:
    environment = {"HOME": str(home), "PATH": f"{home}/bin:/usr/bin:/bin", "TERM": "dumb", "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        command, env=environment, input=given, capture_output=True, text=True, timeout=30, check=False
    )


def script(home: Path, shell: str) -> Path:
    path = home / f"completion.{shell}"
    result = run(home, "printer-uplink", "completions", shell)
    assert result.returncode == 0, result.stderr
    path.write_text(result.stdout)
    return path


LINES = [
    (["printer-uplink", "do"], {"doctor"}),
    (["printer-uplink", "doctor", "--re"], {"--report"}),
    (["printer-uplink", "doctor", "--ou"], {"--output"}),
    (["printer-uplink", "run", "--log-level", "de"], {"debug"}),
    (["printer-uplink", "read-only", ""], {"on", "off"}),
    (["printer-uplink", "disable", "my"], {"my-reach"}),
    (["printer-uplink", "explain", "polar"], {"polar"}),
    (["printer-uplink", "completions", "f"], {"fish"}),
]


@pytest.mark.parametrize(("words", "expected"), LINES)
def test_bash_completes(home: Path, words: list[str], expected: set[str]) -> None:
    path = script(home, "bash")
    quoted = " ".join(f"'{word}'" for word in words)
    lines = f"source {path}; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _printer_uplink"
    result = run(home, "bash", "--norc", "-c", lines + '; printf "%s\\n" "${COMPREPLY[@]}"')
    assert set(result.stdout.split()) == expected, result.stderr
    assert result.stderr == ""


@pytest.mark.skipif(not shutil.which("fish"), reason="fish is not installed")
@pytest.mark.parametrize(("words", "expected"), LINES)
def test_fish_completes(home: Path, words: list[str], expected: set[str]) -> None:
    path = script(home, "fish")
    result = run(home, "fish", "--no-config", "-c", f"source {path}; complete -C '{' '.join(words)}'")
    assert {line.split("\t")[0] for line in result.stdout.splitlines()} == expected, result.stderr
    assert result.stderr == ""


@pytest.mark.skipif(not shutil.which("zsh"), reason="zsh is not installed")
def test_zsh_takes_the_script_and_completes(home: Path) -> None:
    path = script(home, "zsh")
    driver = home / "drive.zsh"
    driver.write_text(
        f"""
        zmodload zsh/zpty
        zpty z zsh -f -i
        zpty -w z 'PS1=; autoload -Uz compinit && compinit -u -D && source {path} && echo LOADED'
        zpty -r -m z out '*LOADED*LOADED*'
        for line in "doct" "read-only o" "run --log-level de" "disable my"; do
          zpty -w -n z "printer-uplink $line"$'\\t'
          sleep 1
          zpty -w -n z $'\\x15'
        done
        sleep 1
        while zpty -r -t z chunk; do print -rn -- "$chunk"; done
        """
    )
    result = run(home, "zsh", "-f", str(driver))
    for text in ("printer-uplink doctor", "--log-level debug", "disable my-reach"):
        assert text in result.stdout.replace("\x08", ""), result.stdout
    assert "error" not in result.stdout


def test_the_manual_page_renders_without_warnings_and_names_every_command(home: Path) -> None:
    path = home / "printer-uplink.1"
    path.write_text(run(home, "printer-uplink", "completions", "man").stdout)
    result = run(home, "man", "--warnings=all", "-l", str(path))
    assert result.returncode == 0
    assert result.stderr == ""
    for text in ("doctor", "pair NAME [CODE]", "--report", "EXIT STATUS", "/etc/printer-uplink/printer-uplink.yaml"):
        assert text in result.stdout, text
    for command in ("run", "validate", "status", "enable", "disable", "completions"):
        assert command in result.stdout


def commands(home: Path) -> dict[str, set[str]]:
    """All commands of the help, each with its options."""
    text = run(home, "printer-uplink", "--help").stdout
    names = re.findall(r"^  ([a-z][a-z-]+) +\S", text[text.index("commands:") :], re.MULTILINE)
    assert len(names) > 15, text
    found = {}
    for name in names:
        help_text = run(home, "printer-uplink", name, "--help").stdout
        found[name] = set(re.findall(r"--([a-z][a-z-]*)", help_text[help_text.index("options:") :]))
        assert "config" in found[name], help_text
    return found


def test_every_command_and_option_is_in_each_shell_and_in_the_manual_page(home: Path) -> None:
    """As the program itself lists them: what a connector brings along, and what will come, included."""
    bash, zsh, fish = (script(home, shell).read_text() for shell in ("bash", "zsh", "fish"))
    manual = run(home, "printer-uplink", "completions", "man").stdout.replace("\\", "")
    for name, options in commands(home).items():
        (line,) = re.findall(rf"^ +{name}\) options='([^']*)'", bash, re.MULTILINE)
        assert {word[2:] for word in line.split() if word.startswith("--")} >= options, name
        (line,) = re.findall(rf"^ +{name}\) _arguments (.*) ;;$", zsh, re.MULTILINE)
        for option in options:
            assert f"--{option}[" in line, (name, option)
            assert re.search(rf"-l '?{option}\b", fish), (name, option)
            assert f"--{option}" in manual, (name, option)
        assert re.search(rf"-a '?{name}\b", fish), name
        assert f'.SS "{name}' in manual, name


@pytest.mark.parametrize("shell", ["", "tcsh"])
def test_another_shell_is_a_wrong_line(home: Path, shell: str) -> None:
    result = run(home, "printer-uplink", "completions", *([shell] if shell else []))
    assert result.returncode == 2
