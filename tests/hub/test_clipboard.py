"""Copying: to the terminal first, then to the program of the session, then into a file that only we can read."""

import base64
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from midstream.flows.errors import CommandError
from midstream.hub.clipboard import OSC_52_LIMIT, Clipboard

VARIABLES = ("WAYLAND_DISPLAY", "DISPLAY", "TMUX")
Install = Callable[[str, str], Path]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "config"


@pytest.fixture
def clipboard(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Clipboard:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    return Clipboard(lambda: folder)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts a program of this name on the PATH; the shell script it is may write to `$OUT`, the path returned."""
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setenv("OUT", str(tmp_path / "out"))

    def make(name: str, script: str) -> Path:
        path = programs / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return tmp_path / "out"

    return make


def terminal_of(clipboard: Clipboard) -> list[str]:
    """What a terminal gets that takes everything."""
    sent: list[str] = []

    def send(sequence: str) -> bool:
        sent.append(sequence)
        return True

    clipboard.terminal = send
    return sent


async def test_without_a_clipboard_a_private_file_gets_the_text_and_is_named(
    clipboard: Clipboard, folder: Path
) -> None:
    said = await clipboard.copy("héllo\n")
    path = folder / "clipboard.txt"
    assert said == f"{path} (no clipboard was found)"
    assert path.read_bytes() == "héllo\n".encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    await clipboard.copy("two")
    assert [file.name for file in folder.iterdir()] == ["clipboard.txt"]
    assert path.read_text() == "two"


async def test_a_folder_that_cannot_be_written_is_an_error_in_one_sentence(clipboard: Clipboard, folder: Path) -> None:
    folder.write_text("no folder")
    with pytest.raises(CommandError, match=r"no clipboard was found, and .*clipboard\.txt cannot be written: "):
        await clipboard.copy("text")


async def test_the_terminal_comes_first(clipboard: Clipboard, folder: Path) -> None:
    sent = terminal_of(clipboard)
    assert await clipboard.copy("a\x1b]52;c;!\x07b") == "the clipboard (terminal)"
    assert sent == [f"\x1b]52;c;{base64.b64encode(b'a' + bytes([27]) + b']52;c;!' + bytes([7]) + b'b').decode()}\x07"]
    assert not folder.exists()


async def test_what_is_too_long_for_terminals_goes_elsewhere(clipboard: Clipboard, folder: Path) -> None:
    sent = terminal_of(clipboard)
    await clipboard.copy("x" * OSC_52_LIMIT)
    assert len(sent) == 1
    assert len(sent[0]) < 100_010
    assert "clipboard.txt" in await clipboard.copy("x" * (OSC_52_LIMIT + 1))
    assert len(sent) == 1


async def test_a_terminal_that_is_lent_to_a_child_is_not_written_to(clipboard: Clipboard) -> None:
    clipboard.terminal = lambda _: False
    assert "clipboard.txt" in await clipboard.copy("text")


@pytest.mark.parametrize(
    ("variable", "program", "arguments"),
    [
        ("WAYLAND_DISPLAY", "wl-copy", "--type text/plain"),
        ("DISPLAY", "xclip", "-selection clipboard -in"),
        ("DISPLAY", "xsel", "--clipboard --input"),
        ("", "pbcopy", ""),
        ("TMUX", "tmux", "load-buffer -w -"),
    ],
)
async def test_the_program_of_the_session_gets_the_text_by_its_standard_input(
    clipboard: Clipboard, install: Install, monkeypatch: pytest.MonkeyPatch, variable: str, program: str, arguments: str
) -> None:
    out = install(program, 'echo "$@" >"$OUT"; cat >>"$OUT"')
    if variable:
        monkeypatch.setenv(variable, "here")
    assert await clipboard.copy("-n $(id)\0") == f"the clipboard ({program})"
    assert out.read_text() == f"{arguments}\n-n $(id)\0"


async def test_programs_are_asked_beside_the_terminal_since_no_terminal_answers(
    clipboard: Clipboard, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("xclip", "cat >/dev/null")
    monkeypatch.setenv("DISPLAY", ":0")
    clipboard.terminal = lambda _: True
    assert await clipboard.copy("text") == "the clipboard (terminal, xclip)"


async def test_a_program_without_its_display_is_not_started(clipboard: Clipboard, install: Install) -> None:
    out = install("xclip", 'echo started >"$OUT"')
    assert "clipboard.txt" in await clipboard.copy("text")
    assert not out.exists()


async def test_after_a_program_that_fails_the_next_is_asked(
    clipboard: Clipboard, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("xclip", "exit 1")
    install("xsel", "cat >/dev/null")
    monkeypatch.setenv("DISPLAY", ":0")
    assert await clipboard.copy("x" * 1_000_000) == "the clipboard (xsel)"


async def test_a_program_that_hangs_is_given_up(
    clipboard: Clipboard, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = install("xclip", 'echo $$ >"$OUT"; exec sleep 100')
    monkeypatch.setattr("midstream.hub.clipboard.PATIENCE", 0.3)
    monkeypatch.setenv("DISPLAY", ":0")
    assert "clipboard.txt" in await clipboard.copy("text")
    with pytest.raises(ProcessLookupError):
        os.kill(int(out.read_text()), 0)


async def test_a_child_left_behind_by_the_program_is_not_waited_for(
    clipboard: Clipboard, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("xclip", "cat >/dev/null; sleep 1 &")
    monkeypatch.setattr("midstream.hub.clipboard.PATIENCE", 0.9)
    monkeypatch.setenv("DISPLAY", ":0")
    assert await clipboard.copy("text") == "the clipboard (xclip)"
