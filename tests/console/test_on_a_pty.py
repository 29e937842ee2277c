"""The console as a program on a real pseudo terminal: what only a terminal can show."""

from __future__ import annotations

import os
import signal
import stat
import sys
from pathlib import Path

import pytest

from tests.kit.pty import ProgramOnPty

ROOT = Path(__file__).parent.parent.parent


def start(confdir: Path, loop: str = "uvloop", columns: int = 120, rows: int = 32, **more) -> ProgramOnPty:
    argv = [sys.executable, "-m", "tests.console.pty_program", str(confdir), loop]
    return ProgramOnPty(argv, columns, rows, cwd=ROOT, **more)


@pytest.fixture(params=["uvloop", "asyncio"])
def loop(request) -> str:
    return request.param


def write_editor(folder: Path, script: str) -> str:
    path = folder / "editor"
    path.write_text(f"#!{sys.executable}\n{script}")
    path.chmod(0o755)
    return str(path)


EDITOR = """
import os, stat, sys, time
path = sys.argv[-1]
text = open(path).read()
assert os.isatty(0) and os.isatty(1)
mode = stat.S_IMODE(os.stat(path).st_mode)
print("EDITOR HAS THE TERMINAL", oct(mode), flush=True)
sys.stdin.readline()
text = text.replace('"qty": 1', '"qty": 2222') if "qty" in text else text + "X-Test: yes\\n"
open(path, "w").write(text + ("\\n" if "qty" in text else ""))
"""


def test_start_and_quit_restores_the_terminal(tmp_path, loop):
    with start(tmp_path, loop) as program:
        program.wait_for("? help")
        assert "1 flows" in program.lines[0]
        assert not program.is_restored()
        program.send("q")
        program.wait_for("[y]es")
        program.send("y")
        assert program.wait_ended() == 0
        assert program.is_restored()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_fatal_signals_restore_the_terminal(tmp_path, loop, number):
    with start(tmp_path, loop) as program:
        program.wait_for("? help")
        program.signal(number)
        program.wait_ended()
        assert program.is_restored()


def test_ctrl_c_asks_and_an_interrupt_from_outside_too(tmp_path, loop):
    with start(tmp_path, loop) as program:
        program.wait_for("? help")
        program.send("<ctrl c>")
        program.wait_for("[y]es")
        program.send("n")
        program.wait_for(lambda program: "quit?" not in program.text)
        program.signal(signal.SIGINT)
        program.wait_for("[y]es")
        program.send("<ctrl c>")
        program.wait_ended()
        assert program.is_restored()


def test_a_crash_restores_the_terminal(tmp_path, loop):
    with start(tmp_path, loop) as program:
        program.wait_for("? help")
        program.send(":", "test.crash", "<enter>")
        assert program.wait_ended() != 0
        assert program.is_restored()
        assert "CancelledError" in program.text


def test_a_loop_that_hangs_is_ended_by_a_fatal_signal_with_the_terminal_restored(tmp_path):
    with start(tmp_path) as program:
        program.wait_for("? help")
        program.send(":", "test.block", "<enter>")
        program.wait_for(lambda program: (tmp_path / "blocked").exists())
        program.signal(signal.SIGTERM)
        assert program.wait_ended() == 128 + signal.SIGTERM
        assert program.is_restored()


def test_what_is_printed_goes_to_the_log_and_a_failing_task_ends_nothing(tmp_path, loop):
    with start(tmp_path, loop) as program:
        program.wait_for("? help")
        program.send("E", ":", "test.noise", "<enter>")
        program.wait_for("printed by a script")
        program.wait_for("written to descriptor two")
        program.wait_for("warned by a script")
        program.send(":", "test.task", "<enter>")
        program.wait_for("a background task failed")
        program.send("Q")
        program.wait_ended()
        assert program.is_restored()
        # The last errors are for the person who sees the shell again.
        assert "error: a background task failed" in program.text


def test_edit_head_and_body_in_the_editor_and_resume(tmp_path, loop):
    env = {"MIDSTREAM_EDITOR": write_editor(tmp_path, EDITOR)}
    with start(tmp_path, loop, env=env) as program:
        program.wait_for("? help")
        program.send(":", "test.held", "<enter>")
        program.wait_for("‖req")
        for keys, done in (("ee3", "request headers edited"), ("eb", "request body edited")):
            program.send(*keys)
            program.wait_for("EDITOR HAS THE TERMINAL 0o600")
            program.send("\n")
            program.wait_for(done)
            assert "1 flows" in program.lines[0]
        program.send("a")
        program.wait_for('sent yes 13 {"qty": 2222}')
        program.send("Q")
        program.wait_ended()
        assert program.is_restored()


def test_quitting_while_the_editor_is_open(tmp_path, loop):
    env = {"MIDSTREAM_EDITOR": write_editor(tmp_path, EDITOR)}
    with start(tmp_path, loop, env=env) as program:
        program.wait_for("? help")
        program.send(":", "test.held", "<enter>")
        program.wait_for("‖req")
        program.send("e", "b")
        program.wait_for("EDITOR HAS THE TERMINAL")
        program.signal(signal.SIGTERM)
        program.wait_ended()
        assert program.is_restored()


def test_without_an_editor_there_is_a_sentence(tmp_path):
    with start(tmp_path, env={"MIDSTREAM_EDITOR": "/nowhere/editor"}) as program:
        program.wait_for("? help")
        program.send(":", "test.held", "<enter>")
        program.wait_for("‖req")
        program.send("e", "b")
        program.wait_for("the editor '/nowhere/editor' could not be started")
        program.wait_for("1 flows")


def test_a_pasted_q_is_text_or_nothing(tmp_path, loop):
    with start(tmp_path, loop) as program:
        program.wait_for("? help")
        program.paste("Q\nQ\n")
        program.wait_for("pasted characters were refused")
        program.send(":")
        program.paste("pasted\x1b[A text")
        program.wait_for("pasted")
        assert program.process.poll() is None
        assert not any("\x1b" in line for line in program.lines)


def test_resize(tmp_path, loop):
    with start(tmp_path, loop) as program:
        program.wait_for("? help")
        program.resize(80, 24)
        program.wait_for(lambda program: "? help" in program.lines[23], what="the hints in the last row")
        program.resize(50, 12)
        program.wait_for(lambda program: program.lines[11].startswith(" 0/0"), what="the small form")


def test_a_terminal_that_does_not_read_holds_nothing_and_gets_the_newest_frame(tmp_path):
    with start(tmp_path, "asyncio", 200, 60) as program:
        program.wait_for("? help")
        # Nothing is read from the terminal while thousands of bytes wait to be painted again and again.
        for _ in range(60):
            os.write(program.master, b"\x0c")  # ctrl l: every row again
        program.send(":", "test.many", "<enter>")
        program.send("G")
        program.wait_for("example.com/99")


def test_the_terminal_is_told_to_leave_nothing_on_even_when_it_answers_no_queries(tmp_path):
    for modes in (None, {2026: 2, 2004: 2, 1049: 2, 1000: 2, 1006: 2}, {}):
        with start(tmp_path, modes=modes) as program:
            program.wait_for("? help")
            program.send("Q")
            program.wait_ended()
            assert program.is_restored()


def test_synchronized_output_where_the_terminal_has_it(tmp_path):
    with start(tmp_path, modes={2026: 2}) as program:
        program.wait_for("? help")
        program.send("?")
        program.wait_for(lambda program: b"\x1b[?2026h" in program.output, what="synchronized output")


def test_a_lone_esc_and_no_flow_control(tmp_path):
    with start(tmp_path) as program:
        program.wait_for("? help")
        program.send(":")
        program.wait_for("\n :")
        program.send("<esc>")
        program.wait_for(lambda program: "\n :" not in program.text)
        program.send("<ctrl s>")
        program.wait_for("ctrl s does nothing here")


def test_a_terminal_with_extended_keys_tells_ctrl_i_from_tab(tmp_path):
    with start(tmp_path, extended_keys=True) as program:
        program.wait_for(lambda program: b"\x1b[>5u" in program.output, what="the keyboard protocol is on")
        program.wait_for("? help")
        program.send("\x1b[105;5u")  # ctrl i
        program.wait_for("ctrl i does nothing here")
        program.send("\x1b[27u", ":", "\x1b[115;5u")  # esc and ctrl s, which are reports as well
        program.send("\x1b[27u", "Q")
        program.wait_ended()
        assert program.is_restored()
        assert b"\x1b[<u" in program.output


def test_no_terminal_is_a_sentence(tmp_path):
    import subprocess

    argv = [sys.executable, "-m", "tests.console.pty_program", str(tmp_path), "asyncio"]
    ended = subprocess.run(
        argv, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, start_new_session=True, timeout=30
    )
    assert ended.returncode != 0
    assert "the console needs a terminal" in ended.stderr


def test_stop_and_continue(tmp_path, loop):
    # A shell with job control: without one the kernel ignores the signal, as nobody could continue the process.
    command = f"set -m; {sys.executable} -m tests.console.pty_program {tmp_path} {loop}; echo STOPPED; read x; fg"
    with ProgramOnPty(["bash", "-c", command], cwd=ROOT) as program:
        program.wait_for("? help")
        program.send("<ctrl z>")
        program.wait_for("STOPPED")
        assert program.leftover_modes() == set()
        seen = len(program.output)
        program.send("<enter>")
        program.wait_for(lambda program: b"? help" in program.output[seen:] or b"help  " in program.output[seen:])
        assert program.leftover_modes() >= {1049, 2004}
        program.send("Q")
        program.wait_ended()
        assert program.leftover_modes() == set()


def test_history_is_kept_private_and_found_again(tmp_path):
    for _ in range(2):
        with start(tmp_path) as program:
            program.wait_for("? help")
            program.send(":", "view.order", "<enter>")
            program.wait_for("\n time")
            program.send("Q")
            program.wait_ended()
    path = tmp_path / "command_history"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == "view.order\nview.order\n"
    with start(tmp_path) as program:
        program.wait_for("? help")
        program.send(":", "<ctrl r>", "order", "<enter>")
        program.wait_for(": view.order")
