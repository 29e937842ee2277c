"""The program that the pty tests run: a console on a master without a proxy, and commands that make trouble on demand.

python -m tests.console.pty_program CONFDIR LOOP, LOOP being uvloop or asyncio
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
import warnings
from pathlib import Path

from midstream.console import terminal_guard
from midstream.console.console import Console
from tests.console.masters import make_console
from tests.kit.captured import http_flow


class Trouble:
    """Commands that a test types."""

    def __init__(self, console: Console, main: asyncio.Task[None]) -> None:
        self._console = console
        self._main = main
        commands = console.master.commands
        for name in ("held", "many", "noise", "crash", "task", "block", "lag"):
            commands.add(f"test.{name}", getattr(self, name))

    async def held(self) -> None:
        """Hold a POST, and show what became of it when it is released."""
        flow = http_flow(
            "http://example.com/login",
            "POST",
            status=None,
            request_body=b'{"qty": 1}',
            request_headers=((b"Content-Type", b"application/json"), (b"content-length", b"10")),
            live=True,
        )
        self._console.view.add(flow)
        self._console.view.set_focus(flow.id)
        flow.intercept()
        await self._console.master.events.update([flow])
        await flow.wait_for_resume()
        headers = flow.request.headers
        self._console.message(f"sent {headers.get('x-test')} {headers['content-length']} {flow.request.text}")

    def many(self) -> None:
        """A hundred flows."""
        for number in range(100):
            self._console.view.add(http_flow(f"http://example.com/{number}"))

    def noise(self) -> None:
        """Write where nobody should."""
        print("printed by a script")
        os.write(2, b"written to descriptor two\n")
        # Where this file lies must not decide how much of the line fits on the screen.
        warnings.warn_explicit("warned by a script", UserWarning, "script.py", 1)

    def crash(self) -> None:
        """End the main task with an exception, as a bug would."""
        self._main.get_loop().call_soon(self._main.cancel)

    def task(self) -> None:
        """A task of the proxy that fails."""
        self._console.master.background.spawn(fail(), "a task")

    def block(self) -> None:
        """Hold the loop for good, in a program that is less patient with that than ours."""
        terminal_guard.PATIENCE = 0.5
        (self._console.confdir / "blocked").touch()
        time.sleep(3600)

    def lag(self) -> None:
        """Hold the loop for a while."""
        time.sleep(0.4)


async def fail() -> None:
    raise RuntimeError("a task of the proxy failed")


async def main(confdir: Path) -> None:
    console = make_console(confdir)
    task = asyncio.current_task()
    assert task is not None
    Trouble(console, task)
    async with asyncio.TaskGroup() as group:
        group.create_task(console.master.run())
        await console.run()


if __name__ == "__main__":
    warnings.simplefilter("default")
    if sys.argv[2] == "uvloop":
        import uvloop

        factory = uvloop.new_event_loop
    else:
        factory = asyncio.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main(Path(sys.argv[1])))
