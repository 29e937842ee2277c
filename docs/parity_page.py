"""Makes docs/reference/parity.md: each option and command of mitmproxy, and where it lives here or why it does not.

Called by make_reference.py. The tables of mitmproxy's names are those of tests/parity/, the reasons those of
docs/differences.md, and where a thing lives is read from whoever declared it.
"""

from __future__ import annotations

import re
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.parity import report

from midstream.hub.invocation import Tool
from midstream.hub.master import Master

HEAD = [
    "What mitmproxy 12.2.3 has, in all its programs, and where it is here. Names, types, defaults and meanings are the",
    "same unless a difference is named; [the differences](../differences.md) have their reasons. A test compares both.",
]
NOT_ASKED_FOR = {"web": "there is no web interface", "http3": "comes with HTTP/3"}
_ROOT = Path(__file__).resolve().parents[1] / "src" / "midstream"


def lines(masters: Mapping[Tool, Master]) -> list[str]:
    """The page without its title."""
    made = [*HEAD]
    for kind, table in report.TABLES.items():
        made += [
            "",
            f"## {kind.capitalize()}s",
            "",
            f"| {kind} | programs here | where | difference |",
            "|---|---|---|---|",
        ]
        made += list(_rows(kind, table, masters))
    return made


def _rows(kind: str, table: str, masters: Mapping[Tool, Master]) -> Iterator[str]:
    reasons = report.allowed()
    coming = {each["owner"]: each["what"] for each in report.rows("owners.tsv")}
    for row in sorted(report.rows(table), key=lambda row: row["name"]):
        name = row["name"]
        found = {tool: each for tool, master in masters.items() if (each := _declared(master, kind, name)) is not None}
        note = " ".join(reasons.get(name, "").replace("|", ";").split()).strip(" ;").replace(" ;", ";")
        if not found:
            why = note or NOT_ASKED_FOR.get(row["owner"], f"not there yet: {coming[row['owner']]}")
            yield f"| `{name}` | none | | {why} |"
            continue
        where = _place(next(iter(found.values())))
        yield f"| `{name}` | {', '.join(found)} | `{where}` | {_cell(note)} |"


def _declared(master: Master, kind: str, name: str) -> Any:
    if kind == "command":
        return master.commands.commands.get(name)
    return dict(master.options.items()).get(name)


def _place(declared: Any) -> str:
    """The file of whoever declared it, below src/midstream/."""
    owner = declared.owner
    if owner is None:  # confdir: no addon owns the folder where everything of ours is kept
        return "hub/config.py"
    module = owner.__name__ if isinstance(owner, types.ModuleType) else type(owner).__module__
    return module.removeprefix("midstream.").replace(".", "/") + ".py"


def _cell(text: str) -> str:
    return re.sub(r"\]\((?!http)", "](../", text)
