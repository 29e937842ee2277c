"""Random keys, pastes, clicks and sizes for the real program on a terminal, with traffic running.

However it ends, by Q or by what the keys came to, it ends with 0, gives the terminal back, and has logged no traceback.
MIDSTREAM_RANDOM_KEYS=20000 presses so many keys instead of the few that every run of the tests has time for. What is
on the screen after each key is looked at in tests/console/test_random_keys_*.py.
"""

from __future__ import annotations

import os
import random
import re
import select
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from midstream.console.key_file import shipped_folder
from tests.console.random_keys import MOVES, PASTES, SIZES, WORDS, to_urwid
from tests.kit.harmless import harmless_environment
from tests.kit.pty import ProgramOnPty
from tests.kit.threaded_origin import QuietHandler, threaded_origin

pytestmark = pytest.mark.end2end

ROOT = Path(__file__).parents[2]
KEYS = int(os.environ.get("MIDSTREAM_RANDOM_KEYS", "1200"))
SEED = int(os.environ.get("MIDSTREAM_RANDOM_SEED", "1"))
PROGRAM = """
import os, sys
from tests.kit.harmless import guard
guard(sys.argv.pop(1))
os.dup2(os.open("../stderr", os.O_WRONLY | os.O_CREAT), 2)
from midstream.cli import midstream
raise SystemExit(midstream())
"""
WATCH = """
import logging
class Watch(logging.Handler):
    def emit(self, record):
        if record.exc_info and record.levelno >= logging.WARNING:
            with open("../tracebacks", "a") as file:
                print(logging.Formatter().format(record), file=file)
logging.getLogger().addHandler(Watch())
"""
BYTES = {
    "enter": "\r", "esc": "\x1b", "tab": "\t", "backspace": "\x7f", "up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C",
    "left": "\x1b[D", "home": "\x1b[H", "end": "\x1b[F", "page up": "\x1b[5~", "page down": "\x1b[6~",
    "insert": "\x1b[2~", "delete": "\x1b[3~", "shift tab": "\x1b[Z", "f1": "\x1bOP", "f5": "\x1b[15~",
    "ctrl left": "\x1b[1;5D", "ctrl right": "\x1b[1;5C", "ctrl _": "\x1f",
}  # fmt: skip


LEFT, ENTERED = b"\x1b[?1049l", b"\x1b[?1049h"
ODD_BYTES = (b"\x1b[", b"\x1b[99~", b"\xff", b"\x00", b"\x1bO", b"\x1b[<1;2", "é日".encode(), b"\x9b")


class Origin(QuietHandler):
    """Answers JSON."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.answer(b'{"sku": ["A-1009", {"qty": 2}], "path": "%s"}' % self.path.encode())


def as_bytes(key: str) -> bytes:
    """What a terminal sends for one of urwid's keys; nothing for those that few terminals have."""
    if key in BYTES or len(key) == 1:
        return BYTES.get(key, key).encode("utf-8", "replace")
    modifier, _, rest = key.partition(" ")
    if modifier == "meta" and len(rest) == 1:
        return b"\x1b" + rest.encode()
    if modifier == "ctrl" and len(rest) == 1 and rest.isalpha():
        return bytes([ord(rest) & 0x1F])
    return b""


class Person:
    """Who presses the keys, without knowing what is open."""

    def __init__(self, seed: int, key_set: str) -> None:
        self.random = random.Random(seed)
        files = [shipped_folder() / f"{name}.yaml" for name in ("default", key_set)]
        chords = re.findall(r'keys: (?:"(.+?)"|(\S[^,]*?)),', "\n".join(file.read_text() for file in files))
        self.chords = [(quoted or plain).split(" ") for quoted, plain in chords]

    def some(self, size: tuple[int, int]) -> bytes:
        """What is pressed next."""
        draw = self.random.random()
        if draw < 0.4:
            chord = " ".join(self.random.choice(self.chords)).replace("leader", ",")
            keys = re.findall(r"(?:ctrl |alt |shift )?\S+", chord)
            if "Q" in keys and self.random.random() < 0.9:
                return b""
            return b"".join(as_bytes(to_urwid(key)) for key in keys)
        if draw < 0.55:
            return as_bytes(self.random.choice(MOVES))
        if draw < 0.65:
            return self.random.choice([b"\x1b", b"\x1b", b"\r", b"n", b"d"])
        if draw < 0.75:
            return self.random.choice(WORDS).encode()
        if draw < 0.78:
            text = self.random.choice(PASTES).encode("utf-8", "replace")
            return b"\x1b[200~" + text.replace(b"\x1b", b"") + b"\x1b[201~"
        if draw < 0.83:
            column, row = self.random.randrange(size[0]) + 1, self.random.randrange(size[1]) + 1
            button = self.random.choice([0, 0, 0, 1, 2, 64, 65, 32])
            return b"\x1b[<%d;%d;%dM\x1b[<%d;%d;%dm" % (button, column, row, button, column, row)
        if draw < 0.9:
            return self.random.choice(ODD_BYTES)
        return bytes([self.random.randrange(1, 127)])


@contextmanager
def visits(port: int, origin: int) -> Iterator[None]:
    """Requests through the proxy, one after the other, until the block ends."""
    over = threading.Event()

    def visit() -> None:
        while not over.wait(0.02):
            with socket.socket() as client:
                client.settimeout(0.5)
                try:
                    client.connect(("127.0.0.1", port))
                    head = f"GET http://127.0.0.1:{origin}/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                    client.sendall(head.encode())
                    while client.recv(65536):
                        pass
                except OSError:
                    pass

    thread = threading.Thread(target=visit)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def type_in(program: ProgramOnPty, data: bytes) -> None:
    """Write without ever waiting for a program that waits for us."""
    end = time.monotonic() + 20
    while data and program.process.poll() is None:
        assert time.monotonic() < end, f"it takes no keys any more\n{program.text}"
        if select.select([], [program.master], [], 0)[1]:
            data = data[os.write(program.master, data[:512]) :]
        program.read(0)


@pytest.mark.parametrize("key_set", ["default", "vim", "emacs"])
def test_random_keys(tmp_path, key_set):
    person, pressed, lives = Person(SEED, key_set), 0, 0
    env = {**harmless_environment(tmp_path), "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}", "PYTHONDONTWRITEBYTECODE": "1"}
    (tmp_path / "watch.py").write_text(WATCH)
    with threaded_origin(Origin) as origin:
        while pressed < KEYS // 3:
            port, lives = free_port(), lives + 1
            argv = [sys.executable, "-c", PROGRAM, str(tmp_path), "--listen-host", "127.0.0.1", "-p", str(port)]
            argv += ["--set", f"console_keys={key_set}", "-s", str(tmp_path / "watch.py")]
            with ProgramOnPty(argv, env=env, cwd=tmp_path / "cwd") as program, visits(port, origin):
                program.wait_for(f":{port}")
                pressed += live(program, person, KEYS // 3 - pressed)
                end_it(program)
                status = program.wait_ended()
                assert program.is_restored()
            # Not in its working folder: there keys may choose them as files to save to.
            said, tracebacks = (tmp_path / "stderr").read_text(), tmp_path / "tracebacks"
            # The last errors, such as a file that cannot be written, are told at the end; nothing else is.
            assert not said or said.startswith("error: "), said
            assert "Warning" not in said and "Traceback" not in said, said
            assert status == 0 or (status == 1 and said), said  # 1: flows could not be saved or read, as was asked
            assert not tracebacks.exists(), tracebacks.read_text()
    print(f"{key_set}: {pressed} keys in {lives} lives")


def live(program: ProgramOnPty, person: Person, most: int) -> int:
    """Press keys until there were enough, or one of them has ended the program; how many there were."""
    size = (120, 32)
    for number in range(most):
        if number % 50 == 49:
            size = person.random.choice(SIZES)
            program.resize(*size)
        type_in(program, person.some(size))
        if number % 10 == 9:
            program.read(0.01)
        if is_over(program):
            return number + 1
    return most


def end_it(program: ProgramOnPty) -> None:
    """ctrl c twice ends it from anywhere."""
    end = time.monotonic() + 20
    program.resize(120, 32)
    while not is_over(program):
        assert time.monotonic() < end, f"ctrl c does not end it\n{program.text}"
        type_in(program, b"\x03")
        answered = time.monotonic() + 0.3
        while time.monotonic() < answered and not is_over(program):
            program.read()


def is_over(program: ProgramOnPty) -> bool:
    """Whether it has ended. Nothing is pressed while the terminal is the shell's or the editor's."""
    end = time.monotonic() + 20
    while program.process.poll() is None and program.output.rfind(LEFT) > program.output.rfind(ENTERED):
        assert time.monotonic() < end, f"it neither ends nor comes back\n{program.text}"
        program.read()
    return program.process.poll() is not None
