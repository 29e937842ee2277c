"""What `midstream --sessions` prints and does: the sessions as a table, and deleting some. Called by `app.py`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from midstream.store import session_folder
from midstream.store.files import why
from midstream.store.session_folder import Entry, NoSession
from midstream.text.escape import visible
from midstream.text.sizes import human_size

FOLDER = "sessions"
"""In the config folder."""


def done(folder: Path, words: Sequence[str]) -> tuple[list[str], bool]:
    """Do what the words behind `--sessions` say: the lines to print, and whether all went well."""
    if not words:
        return table(folder), True
    if words[0] != "delete" or len(words) < 2:
        return ["--sessions alone lists them; --sessions delete NAME|all deletes, --resume NAME opens"], False
    lines, is_whole = [], True
    try:
        names = list(words[1:])
        chosen = (
            session_folder.entries(folder)
            if names == ["all"]
            else [session_folder.named(folder, name) for name in names]
        )
    except NoSession as error:
        return [str(error)], False
    for entry in chosen:
        try:
            gone = session_folder.delete(entry)
        except OSError as error:
            lines.append(f"{entry.name}: {why(error)}")
            is_whole = False
        else:
            lines.append(f"{entry.name} deleted" if gone else f"{entry.name} is in use, and was kept")
            is_whole &= gone or names == ["all"]
    return lines or [f"there is no session in {folder}"], is_whole


def table(folder: Path) -> list[str]:
    """A line for each session, the one used last first."""
    found = session_folder.entries(folder)
    if not found:
        return [f"there is no session in {folder}"]
    rows = [("NAME", "LAST USED", "FLOWS", "SIZE", "STATE"), *(_cells(entry) for entry in found)]
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    lines = []
    for row in rows:
        name, used, flows, size, state = row
        lines.append(
            f"{name:{widths[0]}}  {used:{widths[1]}}  {flows:>{widths[2]}}  {size:>{widths[3]}}  {state}".rstrip()
        )
    if any(entry.state != "in use" for entry in found):
        lines += ["", "midstream --resume NAME opens one, --sessions delete NAME deletes it; a beginning is enough"]
    return lines


def _cells(entry: Entry) -> tuple[str, str, str, str, str]:
    state = f"{entry.state}: {entry.problem}" if entry.problem else entry.state
    flows = f"{entry.flows:,}" if not entry.problem else "?"
    return visible(entry.name), said_time(entry.used), flows, human_size(entry.size), visible(state)


def said_time(seconds: float) -> str:
    """`2026-11-22 19:42`."""
    try:
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))
    except (OverflowError, ValueError, OSError):  # the file may say anything
        return "?"
