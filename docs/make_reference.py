"""Makes docs/reference/: events, options, commands, filters and keys, each from its declarations.

    .venv/bin/python docs/make_reference.py            writes the pages
    .venv/bin/python docs/make_reference.py --check    names the pages that are stale, and fails if there are any

The pages are kept in git, so that they can be read without building anything; CI runs --check.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from midstream.app import make_master, make_options
from midstream.console.key_file import KeyFileReader
from midstream.console.keymap import CONTEXTS, Keymap
from midstream.filters import OPERATORS, parse
from midstream.hub.events import DECLARATIONS, Declaration
from midstream.hub.invocation import Tool
from midstream.hub.log import uninstall_all
from midstream.hub.master import Master
from midstream.hub.option import Option

PAGES = Path(__file__).resolve().parent / "reference"
TOOLS: tuple[Tool, ...] = ("midstream", "middump")
T = TypeVar("T")
NOTE = "<!-- Made by docs/make_reference.py from the declarations in the code; do not edit. -->"

FLOW_SPECS = [
    ("@all", "every flow, in the order of arrival"),
    ("@focus", "the flow that has the focus"),
    ("@shown", "the flows that the list shows, in its order"),
    ("@hidden", "the flows that the filter hides"),
    ("@marked, @unmarked", "flows with and without a mark"),
    ("@ID,ID,…", "flows by their id"),
    ("anything else", "a filter, over all flows"),
]
LOGIC = [
    ("!A", "not"),
    ("A & B", "both; side by side means the same and binds loosest"),
    ("A | B", "one of them"),
    ("( )", "what belongs together"),
    ("\"…\" or '…'", "an argument with spaces, brackets or quotes; a backslash takes the next character as it is"),
]


def main() -> int:
    pages = asyncio.run(made())
    stale = [name for name, text in pages.items() if not _is(PAGES / name, text)]
    strangers = sorted(path.name for path in PAGES.glob("*.md") if path.name not in pages)
    if "--check" in sys.argv[1:]:
        for name in [*stale, *strangers]:
            print(f"docs/reference/{name} is stale: run docs/make_reference.py", file=sys.stderr)
        return 1 if stale or strangers else 0
    PAGES.mkdir(exist_ok=True)
    for name in stale:
        (PAGES / name).write_text(pages[name], "utf-8")
    for name in strangers:
        (PAGES / name).unlink()
    print(f"{len(pages)} pages, {len(stale)} changed")
    return 0


async def made() -> dict[str, str]:
    """Every page by its file name."""
    masters = {tool: make_master(tool, make_options()) for tool in TOOLS}
    try:
        return {
            "events.md": events(),
            "options.md": options(masters),
            "commands.md": commands(masters),
            "filters.md": filters(),
            "keys.md": keys(),
        }
    finally:
        for master in masters.values():
            uninstall_all(master)


def events() -> str:
    groups: dict[str, list[Declaration]] = {}
    for declaration in DECLARATIONS.values():
        groups.setdefault(declaration.group, []).append(declaration)
    lines = [
        "An addon handles an event by a method of its name (a script: by a function). See [addons](../addons.md).",
        "After each event that carries a flow, `update` follows, and an intercepted flow is held until it is resumed.",
    ]
    for group, declared in groups.items():
        lines += ["", f"## {group}", ""]
        for each in declared:
            facts = [each.doc and " ".join(each.doc.split())]
            if each.sync_only:
                facts.append("The handler must be a plain function.")
            if each.deprecated:
                facts.append(f"Deprecated: {each.deprecated}.")
            lines += [f"### {each.name}", "", f"`{each.signature}`", "", *filter(None, facts), ""]
    return page("Events", lines)


def options(masters: Mapping[Tool, Master]) -> str:
    lines = [
        "Set by `--set name=value`, by a flag (`--listen-port 8081`), in `config.yaml`, by the command `set`, or in",
        "the options pane. See [configuration](../configuration.md).",
    ]
    for name, (option, tools) in sorted(gathered(masters, lambda master: dict(master.options.items())).items()):
        facts = [("type", f"`{option.type.label}`"), ("default", f"`{shown(option)}`")]
        if option.choices is not None:
            facts.append(("choices", ", ".join(f"`{choice}`" for choice in option.choices)))
        if option.kind.name != "text":
            facts.append(("kind", option.kind.name))
        facts += [("owner", option.owner_name), ("programs", tools)]
        line = " · ".join(f"{what} {value}" for what, value in facts if value)
        lines += ["", f"## {name}", "", option.help, "", line]
    return page("Options", lines)


def commands(masters: Mapping[Tool, Master]) -> str:
    lines = [
        "Typed behind `:`, bound to keys, or called by addons. See [the command language](../commands.md).",
        "",
        "Where flows are wanted, these can be given:",
        "",
        *table(("flows", "meaning"), FLOW_SPECS),
    ]
    for name, (each, tools) in sorted(gathered(masters, lambda master: master.commands.commands).items()):
        lines += ["", f"## {name}", "", f"`{each.signature_help()}`", "", each.help or "", "", f"programs {tools}"]
    return page("Commands", lines)


def filters() -> str:
    rows = [
        (f"{each.name} {each.argument}".strip(), f"{each.help} ({', '.join(each.flow_types)})") for each in OPERATORS
    ]
    lines = [
        "A filter selects flows: in the list, for intercepting, marking, printing. See [filters](../filters.md).",
        "A word alone is searched in the URL.",
        "",
        *table(("operator", "holds when"), rows),
        "",
        *table(("logic", "meaning"), LOGIC),
    ]
    return page("Filters", lines)


def keys() -> str:
    keymap = Keymap()
    KeyFileReader(keymap, parse).read_set("default")
    lines = ["The default set. `K` lists what is bound now. See [key bindings](../keys.md)."]
    for context, inherited in CONTEXTS.items():
        bound = list(keymap.in_context(context))
        if not bound:
            continue
        rows = [(" ".join(each.keys), f"{each.help}: `{each.command}`" + condition(each.when_text)) for each in bound]
        after = [f"`{other}`" for other in inherited[1:]]
        lines += ["", f"## {context}", ""]
        if after:
            lines += [f"Then those of {' and '.join(after)}.", ""]
        lines += table(("key", "what it does"), rows)
    return page("Keys", lines)


def gathered(masters: Mapping[Tool, Master], things: Callable[[Master], Mapping[str, T]]) -> dict[str, tuple[T, str]]:
    """Named things of all programs, each with the programs that have it."""
    found: dict[str, tuple[T, list[str]]] = {}
    for tool, master in masters.items():
        for name, thing in things(master).items():
            found.setdefault(name, (thing, []))[1].append(tool)
    return {name: (thing, ", ".join(tools)) for name, (thing, tools) in found.items()}


def shown(option: Option) -> str:
    match option.default_value:
        case None:
            return "none"
        case bool() as value:
            return str(value).lower()
        case "" | []:
            return "empty"
        case list() as values:
            return ", ".join(values)
        case value:
            return str(value)


def condition(text: str) -> str:
    return f", when `{text}`" if text else ""


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table whose first column is code."""
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for first, *others in rows:
        lines.append("| " + " | ".join([code(first), *(other.replace("|", "\\|") for other in others)]) + " |")
    return lines


def code(text: str) -> str:
    """Code inside a table cell, where a bar would end the cell and a backtick the code."""
    safe = text.replace("|", "\\|")
    return f"`` {safe} ``" if "`" in text else f"`{safe}`"


def page(title: str, lines: Sequence[str]) -> str:
    text = "\n".join([NOTE, "", f"# {title}", "", *lines]).rstrip() + "\n"
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    return text


def _is(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text("utf-8") == text


if __name__ == "__main__":
    sys.exit(main())
