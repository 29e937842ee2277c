"""Where dump lines and log lines go."""

import io
import os
import sys
from pathlib import Path

import pytest

from midstream.addons.output import Output


def test_each_text_is_there_at_once(tmp_path: Path) -> None:
    with open(tmp_path / "out", "w", buffering=1 << 16, encoding="utf-8") as file:
        output = Output(file)
        assert output.write("één\n")
        assert (tmp_path / "out").read_text("utf-8") == "één\n"


def test_the_standard_file_of_the_moment_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    out, err = Output(None, "stdout"), Output(None, "stderr")
    assert out.write("a")
    assert err.write("b")
    assert capsys.readouterr() == ("a", "b")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_what_the_file_cannot_hold_is_escaped(encoding: str) -> None:
    raw = io.BytesIO()
    output = Output(io.TextIOWrapper(raw, encoding=encoding))
    assert output.write("ü ␛\n")
    assert raw.getvalue() in (b"\\xfc \\u241b\n", b"\xfc \\u241b\n")


def test_a_process_without_standard_files_prints_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    output = Output(None, "stdout")
    assert output.write("x")
    assert not output.wants_colour()
    assert not output.is_terminal()


def test_a_reader_that_left() -> None:
    read, write = os.pipe()
    os.close(read)
    with open(write, "w") as file:
        output = Output(file)
        assert not output.write("into the void\n")
        assert not output.write("and once more\n")  # and closing the file does not raise either


def test_a_closed_file() -> None:
    file = io.StringIO()
    file.close()
    assert not Output(file).write("x")


class Full(io.StringIO):
    def __init__(self) -> None:
        super().__init__()
        self.is_full = True

    def write(self, text: str) -> int:
        if self.is_full:
            raise OSError(28, "No space left on device")
        return super().write(text)


def test_a_full_disk_is_told_once_and_ends_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    file = Full()
    output = Output(file, "stdout")
    assert output.write("lost\n")
    assert output.write("lost too\n")
    assert capsys.readouterr().err == "stdout: No space left on device; what should be printed is lost meanwhile\n"
    file.is_full = False
    assert output.write("there\n")
    assert file.getvalue() == "there\n"


def test_colours_are_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert Output(Terminal()).wants_colour()
    assert not Output(io.StringIO()).wants_colour()
