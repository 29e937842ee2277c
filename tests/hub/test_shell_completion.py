"""Completion scripts in the real shells: a flag, a value, an option name behind --set, a file."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from midstream import cli
from tests.kit.pty import ProgramOnPty

pytestmark = pytest.mark.end2end

START = {
    "bash": "PS1='$ '; source {}",
    # The system's own completions are not looked at: they take seconds to load.
    "zsh": "PS1='$ '; unsetopt beep; autoload -Uz compinit; compinit -u -D; eval \"$(cat {})\"",
}
SHELLS = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
}


def made(shell: str, tool: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> Path:
    """The script of a program, in a file."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    assert getattr(cli, tool)(["--completion", shell]) == 0
    printed = capfd.readouterr()
    assert printed.err == ""
    path = folder / f"{tool}.{shell}"
    path.write_text(printed.out)
    return path


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Iterator[ProgramOnPty]:
    """An interactive shell that has read the script of middump."""
    path = made(request.param, "middump", tmp_path, capfd)
    (tmp_path / "my-script.py").write_text("")
    with ProgramOnPty(SHELLS[request.param], cwd=tmp_path, env={"HOME": str(tmp_path)}) as program:
        program.send(START[request.param].format(path) + "; echo read''y\r")
        program.wait_for("ready")
        yield program
        program.send("\x15exit\r")


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("middump --listen-p", "middump --listen-port "),
        ("middump --no-rawt", "middump --no-rawtcp "),
        ("middump --key-type ec", "middump --key-type ecdsa "),
        ("middump --set key_ty", "middump --set key_type="),
        ("middump --set key_type=e", "middump --set key_type=ecdsa "),
        ("middump --set rawtcp=f", "middump --set rawtcp=false "),
        ("middump -s my-", "middump -s my-script.py "),
        ("middump --completion f", "middump --completion fish "),
    ],
)
def test_tab_completes(shell: ProgramOnPty, typed: str, completed: str) -> None:
    shell.send(f"{typed}\tX")
    shell.wait_for(f"{completed}X")


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("middump --listen-p", ["--listen-port"]),
        ("middump --set key_ty", ["key_type="]),
        ("middump --set key_type=", ["key_type=ecdsa", "key_type=rsa"]),
        ("middump --flow-detail", ["--flow-detail"]),
        ("middump -m soc", ["socks5"]),
        ("middump -s my-", ["my-script.py"]),
    ],
)
def test_fish(tmp_path: Path, capfd: pytest.CaptureFixture[str], line: str, offered: list[str]) -> None:
    path = made("fish", "middump", tmp_path, capfd)
    (tmp_path / "my-script.py").write_text("")
    done = subprocess.run(
        ["fish", "--no-config", "-c", f"source {path}; complete -C '{line}'"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert [each.split("\t")[0] for each in done.stdout.splitlines()] == offered
    assert done.stderr == ""


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_the_console_has_its_own_options(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    script = made(name, "midstream", tmp_path, capfd)
    text = script.read_text()
    assert "console-palette" in text and "view_order=" in text
    assert "dumper" not in text
    subprocess.run([name, "-n", str(script)], check=True, timeout=60)


def test_another_shell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.middump(["--completion", "ksh"]) == 1
    assert "invalid choice: 'ksh'" in capsys.readouterr().err
