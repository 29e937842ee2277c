"""Shows the body of a message in a program of the person's choice, an awaited child that owns the terminal meanwhile.

`console.bodyview` calls it. The body goes into a private file that is read only; editing is external_editor.py.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Mapping
from typing import TYPE_CHECKING

from midstream.console.edit_parts import body_file
from midstream.console.external_program import NoProgram, find_program, private_file
from midstream.flows.errors import CommandError
from midstream.flows.http import HTTPFlow
from midstream.text.environment import variables

if TYPE_CHECKING:
    from midstream.console.console import Console
    from midstream.flows.flow import Flow

PARTS = ("request", "response")
VARIABLES = (*variables("EDITOR"), "PAGER", "EDITOR")
FALLBACKS = ("less", "more")
# A viewer with a window of its own returns at once, and opens the file a moment later.
KEPT_AFTERWARDS = 1.0


def find_viewer(environment: Mapping[str, str]) -> list[str]:
    """The command line of the viewer; CommandError if there is none."""
    try:
        return find_program(
            environment, VARIABLES, FALLBACKS, "no viewer was found; set PAGER to one, such as PAGER=less"
        )
    except NoProgram as problem:
        raise CommandError(str(problem)) from None


async def view(console: Console, flow: Flow, part: str) -> None:
    """Show the body of the request or response of a flow, until the viewer is left."""
    if part not in PARTS:
        raise CommandError(f"{part!r} has no body; the parts are {' and '.join(PARTS)}")
    if not isinstance(flow, HTTPFlow):
        raise CommandError(f"a {flow.type} flow has no body; its messages stand in its details")
    flow = console.master.showing.flow(flow, last=0)
    message = flow.request if part == "request" else flow.response
    body, suffix = body_file(message) if message is not None else (None, "")
    if body is None:
        raise CommandError(f"this flow has no {part} body (yet)" if message is None else f"the {part} was not stored")
    if not body:
        raise CommandError(f"the body of the {part} is empty")
    await _show(console, body, suffix)


async def view_content(console: Console, content: bytes, what: str) -> None:
    """The same for a message of a conversation."""
    if not content:
        raise CommandError(f"the {what} is empty")
    await _show(console, content, ".json" if content[:1] in (b"{", b"[") else ".txt")


async def _show(console: Console, body: bytes, suffix: str) -> None:
    viewer = find_viewer(os.environ)
    path = private_file(body, suffix)
    try:
        path.chmod(0o400)
        try:
            await console.suspend([*viewer, str(path)])
        except OSError as error:
            raise CommandError(f"the viewer {viewer[0]!r} could not be started: {error.strerror or error}") from None
        await asyncio.sleep(KEPT_AFTERWARDS)
    finally:
        shutil.rmtree(path.parent, ignore_errors=True)
