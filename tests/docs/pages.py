"""The pages of docs/ taken apart: fenced blocks, inline code, tables, links; the tests here check what they say."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from midstream.app import make_master, make_options
from midstream.hub.command import Command
from midstream.hub.invocation import Tool
from midstream.hub.option import Option
from midstream.hub.options import Options

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
MADE = [DOCS / "examples.md", *sorted((DOCS / "reference").glob("*.md"))]
WRITTEN = sorted({*DOCS.glob("*.md")} - {*MADE})
BESIDE = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
TOOLS: tuple[Tool, ...] = ("midstream", "middump")

_FENCE = re.compile(r"^```([^`\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_CODE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_CELLS = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True)
class Block:
    """A fenced block: where it stands, its language and its text."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks(language: str, *pages: Path) -> list[Block]:
    """All blocks in a language, of these pages or of all that are written by hand."""
    return [
        Block(page, text.count("\n", 0, found.start()) + 1, language, found[2])
        for page in pages or WRITTEN
        for text in [page.read_text("utf-8")]
        for found in _FENCE.finditer(text)
        if found[1] == language
    ]


def prose(page: Path) -> str:
    """A page without its blocks and comments."""
    return _FENCE.sub("", _COMMENT.sub("", page.read_text("utf-8")))


def inline_code(page: Path) -> list[str]:
    """What stands between backticks."""
    return [" ".join(found[2].split()).replace("\\|", "|") for found in _CODE.finditer(prose(page))]


def links(page: Path) -> list[str]:
    """The targets of all links, outside of code."""
    return _LINK.findall(_CODE.sub("", prose(page)))


def tables(page: Path) -> Iterator[list[list[str]]]:
    """The tables as rows of cells, heads included."""
    rows: list[list[str]] = []
    for line in [*prose(page).splitlines(), ""]:
        if line.startswith("|"):
            cells = [cell.strip().replace("\\|", "|") for cell in _CELLS.split(line)[1:-1]]
            if not all(set(cell) <= set("-: ") and cell for cell in cells):
                rows.append(cells)
        elif rows:
            yield rows
            rows = []


def table(page: Path, *heads: str) -> list[list[str]]:
    """The rows of the one table with these heads."""
    (found,) = [rows[1:] for rows in tables(page) if tuple(rows[0]) == heads]
    return found


def codes(cell: str) -> list[str]:
    """What stands between backticks in a cell."""
    return [found[2].strip() for found in _CODE.finditer(cell)]


def anchors(page: Path) -> set[str]:
    """The anchors of the headings, as code hosts make them."""
    found: set[str] = set()
    for line in _FENCE.sub("", page.read_text("utf-8")).splitlines():
        if line.startswith("#"):
            words = re.sub(r"[^\w\- ]", "", line.lstrip("# ").lower())
            found.add(words.replace(" ", "-"))
    return found


@dataclass(frozen=True)
class Declared:
    """What both programs declare."""

    options: Mapping[str, Option]
    commands: Mapping[str, Command]
    of: Mapping[Tool, Options]


@cache
def declared() -> Declared:
    """Options and commands of the programs, whose masters never run."""

    async def made() -> Declared:
        masters = {tool: make_master(tool, make_options()) for tool in TOOLS}
        for master in masters.values():
            master.let_go()
        return Declared(
            {name: option for master in masters.values() for name, option in master.options.items()},
            {name: each for master in masters.values() for name, each in master.commands.commands.items()},
            {tool: master.options for tool, master in masters.items()},
        )

    return asyncio.run(made())
