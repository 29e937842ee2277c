"""What the programs lack of the reference's options and commands, by owner, and what is declared in another way.

python -m tests.parity.report

The tables beside this file are facts of mitmproxy 12.2.3: names, types, defaults, choices, signatures, and which of our
two programs must have them. `owners.tsv` says which addon or part brings each, and when. What differs on purpose stands
in the tables of docs/differences.md.
"""

from __future__ import annotations

import asyncio
import csv
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from midstream import app
from midstream.hub.command import Command
from midstream.hub.invocation import Tool
from midstream.hub.master import Master
from midstream.hub.option import Option
from midstream.hub.option_types import BOOL, INT, OPTIONAL_INT, OPTIONAL_STR, STR, STRINGS

HERE = Path(__file__).parent
DIFFERENCES = HERE.parents[1] / "docs" / "differences.md"
HEADING = "## Options and commands that differ\n"
TABLES = {"option": "options.tsv", "command": "commands.tsv"}
TYPES = {
    BOOL: "bool",
    INT: "int",
    OPTIONAL_INT: "Optional[int]",
    OPTIONAL_STR: "Optional[str]",
    STR: "str",
    STRINGS: "Sequence[str]",
}
Facts = Mapping[str, str]
TOOLS: tuple[Tool, ...] = get_args(Tool)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something of a program that is not as the tables say. `what` is missing, different, foreign or own."""

    what: str
    kind: str  # option or command
    name: str
    tool: Tool
    detail: str = ""


def rows(file: str) -> list[dict[str, str]]:
    """The rows of a table beside this file."""
    with (HERE / file).open(encoding="utf-8") as opened:
        return list(csv.DictReader(opened, delimiter="\t", quoting=csv.QUOTE_NONE))


def owners() -> dict[str, str]:
    """When each owner comes: now, `stage 4` and so on, later, absent."""
    return {row["owner"]: row["when"] for row in rows("owners.tsv")}


def owner_of(finding: Finding) -> str:
    """Who brings what a finding is about."""
    return next((row["owner"] for row in rows(TABLES[finding.kind]) if row["name"] == finding.name), "-")


def allowed() -> dict[str, str]:
    """The names that may differ, with what docs/differences.md says about them."""
    found: dict[str, str] = {}
    section = DIFFERENCES.read_text("utf-8").partition(HEADING)[2].partition("\n## ")[0]
    for line in section.splitlines():
        matched = re.match(r"\| ((?:`[a-z0-9_.]+`(?:, )?)+) \| (.+ \|.*) \|$", line)
        if matched:
            found |= dict.fromkeys(re.findall(r"`([^`]+)`", matched[1]), matched[2])
    return found


def option_facts(option: Option) -> Facts:
    """What the table says about an option, as it is declared."""
    return {
        "type": TYPES[option.type],
        "default": json.dumps(option.default),
        "choices": "|".join(option.choices) if option.choices is not None else "-",
    }


def command_facts(command: Command) -> Facts:
    """What the table says about a command, as it is declared."""
    arguments, _, result = command.signature_help().removeprefix(command.name).partition(" -> ")
    return {"args": arguments.strip() or "-", "returns": result or "-"}


def declared(master: Master) -> dict[str, dict[str, Facts]]:
    """The options and commands of a program."""
    return {
        "option": {name: option_facts(option) for name, option in master.options.items()},
        "command": {name: command_facts(command) for name, command in master.commands.commands.items()},
    }


def compared(tool: Tool, master: Master) -> Iterator[Finding]:
    """Whatever is not as the tables say, deliberate or not."""
    there = declared(master)
    for kind, table in TABLES.items():
        known = {row["name"]: row for row in rows(table)}
        for name, row in known.items():
            wanted = row["tools"] in ("both", tool)
            facts = there[kind].get(name)
            if facts is None:
                if wanted:
                    yield Finding("missing", kind, name, tool)
                continue
            if not wanted:
                yield Finding("foreign", kind, name, tool, "the reference has it in other programs only")
            different = [f"{fact} {value}, known {row[fact]}" for fact, value in facts.items() if value != row[fact]]
            if different:
                yield Finding("different", kind, name, tool, "; ".join(different))
        for name in there[kind]:
            if name not in known:
                yield Finding("own", kind, name, tool)


async def survey() -> tuple[list[Finding], set[str]]:
    """All findings for both programs, and the addons that they have."""
    found: list[Finding] = []
    addons: set[str] = set()
    for tool in TOOLS:
        master = app.make_master(tool, app.make_options())
        try:
            found += compared(tool, master)
            addons |= set(master.addons.lookup)
        finally:
            master.let_go()
    return found, addons


def is_there(owner: str, addons: set[str]) -> bool:
    """Whether what an owner declares must be there."""
    return owners()[owner] == "now" or owner in addons


def mistakes(found: list[Finding], addons: set[str]) -> list[Finding]:
    """The findings that are neither deliberate nor for later."""
    documented = allowed()
    wrong = []
    for finding in found:
        if finding.name in documented or (finding.what == "own" and finding.name.startswith("console.")):
            continue
        owner = owner_of(finding)
        if finding.what == "missing" and owners()[owner] != "absent" and not is_there(owner, addons):
            continue
        wrong.append(finding)
    return wrong


def lines(found: list[Finding], addons: set[str]) -> Iterator[str]:
    """The report."""
    missing: dict[str, list[str]] = {}
    for finding in found:
        if finding.what == "missing":
            names = missing.setdefault(owner_of(finding), [])
            where = [each.tool for each in found if (each.what, each.name) == ("missing", finding.name)]
            shown = finding.name + ("" if len(where) == len(TOOLS) else f" ({where[0]})")
            if shown not in names:
                names.append(shown)
    yield "Missing, by owner:"
    for owner, when in owners().items():
        if owner in missing:
            yield f"  {owner} ({when}): {', '.join(missing[owner])}"
    yield "Different:"
    for finding in found:
        if finding.what in ("different", "foreign"):
            yield f"  {finding.tool} {finding.kind} {finding.name}: {finding.detail}"
    yield f"Of our own: {', '.join(dict.fromkeys(each.name for each in found if each.what == 'own'))}"
    wrong = mistakes(found, addons)
    yield f"Neither deliberate nor for later: {len(wrong)}"
    for finding in wrong:
        yield f"  {finding.tool} {finding.kind} {finding.name}: {finding.what} {finding.detail}".rstrip()


def main() -> int:
    """Print the report; status 1 when something is wrong."""
    found, addons = asyncio.run(survey())
    print("\n".join(lines(found, addons)))
    return 1 if mistakes(found, addons) else 0


if __name__ == "__main__":
    raise SystemExit(main())
