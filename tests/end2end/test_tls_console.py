"""What a person sees in the list when an app rejects our certificate again and again."""

from __future__ import annotations

from pathlib import Path

from tests.end2end.test_console import MIDSTREAM, curl, finish, free_port, pytestmark
from tests.kit.pty import ProgramOnPty

__all__ = ["pytestmark"]


def test_a_client_that_rejects_us_has_one_row_that_counts(tmp_path: Path) -> None:
    port = free_port()
    argv = [*MIDSTREAM, "--listen-host", "127.0.0.1", "-p", str(port), "--set", f"confdir={tmp_path / 'conf'}"]
    with ProgramOnPty([*argv, "--set", "connection_strategy=lazy"], 140, 30) as program:
        program.wait_for(f":{port}")
        for _ in range(4):
            child = curl(port, "https://pinned.test/")
            finish(program, child)
            assert child.returncode == 60
        program.wait_for("4 times: ")
        rows = [line for line in program.lines if "pinned.test:443" in line and "CONNECT" in line]
        assert len(rows) == 1, program.text
        program.send("<enter>")
        program.wait_for("trust")
        program.send("Q")
        assert program.wait_ended() == 0
