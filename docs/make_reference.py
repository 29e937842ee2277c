"""Makes docs/reference/ (events, options, commands, filters, keys, each from its declarations), and docs/examples.md.

    .venv/bin/python docs/make_reference.py            writes the pages
    .venv/bin/python docs/make_reference.py --check    names the pages that are stale, and fails if there are any

The pages are kept in git, so that they can be read without building anything; CI runs --check.
"""

from __future__ import annotations

import argparse
import ast
import asyncio
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from midstream.app import make_master, make_options
from midstream.console.key_file import KeyFileReader
from midstream.console.keymap import CONTEXTS, Binding, Keymap
from midstream.filters import OPERATORS, parse
from midstream.hub.arguments import ALL as ARGUMENT_TYPES
from midstream.hub.arguments.cuts import PATHS
from midstream.hub.events import DECLARATIONS, Declaration
from midstream.hub.flags import SHORT, add_flags
from midstream.hub.invocation import Tool
from midstream.hub.log import uninstall_all
from midstream.hub.master import Master
from midstream.hub.option import Option
from midstream.store.specs import SPECS

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
sys.path[:0] = [str(DOCS), str(ROOT)]  # run as a script, and imported by tests

import parity_keys  # noqa: E402 # found by the line above
import parity_page  # noqa: E402

TOOLS: tuple[Tool, ...] = ("midstream", "middump")
T = TypeVar("T")
NOTE = "<!-- Made by docs/make_reference.py from the declarations in the code; do not edit. -->"

GROUPS = {
    "lifecycle": "What happens to the addon itself.",
    "connection": "Connections, before anybody knows what is spoken on them. The connection waits for the handlers.",
    "http": "An exchange sees `requestheaders`, `request`, `responseheaders`, `response`, or ends in `error`.",
    "tcp": "Raw bytes: what is neither HTTP nor TLS inside a tunnel, and what follows an upgrade.",
    "udp": "",
    "quic": "",
    "tls": "Handshakes with clients and with servers. The connection waits for the handlers.",
    "websocket": "",
    "dns": "",
    "socks5": "",
    "advanced": "",
}
LOGIC = [
    ("!A", "not"),
    ("A & B", "both; side by side means the same and binds loosest"),
    ("A | B", "one of them"),
    ("( )", "what belongs together"),
    ("\"…\" or '…'", "an argument with spaces, brackets or quotes; a backslash takes the next character as it is"),
]


def main() -> int:
    pages = asyncio.run(made())
    stale = [name for name, text in pages.items() if not _is(DOCS / name, text)]
    strangers = sorted(
        name for path in (DOCS / "reference").glob("*.md") if (name := f"reference/{path.name}") not in pages
    )
    if "--check" in sys.argv[1:]:
        for name in [*stale, *strangers]:
            print(f"docs/{name} is stale: run docs/make_reference.py", file=sys.stderr)
        return 1 if stale or strangers else 0
    (DOCS / "reference").mkdir(exist_ok=True)
    for name in stale:
        (DOCS / name).write_text(pages[name], "utf-8")
    for name in strangers:
        (DOCS / name).unlink()
    print(f"{len(pages)} pages, {len(stale)} changed")
    return 0


async def made() -> dict[str, str]:
    """Every page by its path below docs/."""
    masters = {tool: make_master(tool, make_options()) for tool in TOOLS}
    try:
        return {
            "reference/events.md": events(),
            "reference/options.md": options(masters),
            "reference/commands.md": commands(masters),
            "reference/filters.md": filters(),
            "reference/keys.md": keys(),
            "reference/parity.md": page("mitmproxy's options and commands", parity_page.lines(masters)),
            "reference/parity-console.md": page("mitmproxy's keys and screen", parity_keys.lines(default_keys())),
            "examples.md": examples(),
        }
    finally:
        for master in masters.values():
            uninstall_all(master)


def events() -> str:
    groups: dict[str, list[Declaration]] = {}
    for declaration in DECLARATIONS.values():
        groups.setdefault(declaration.group, []).append(declaration)
    lines = [
        "An addon handles an event by a method of its name, a script by a function. [Addons](../addons.md) tells which",
        "to use for what; `pydoc midstream.http` and its like list what the arguments have.",
        "",
        "Handlers may be `async def` where nothing else is said. What an event is about waits until all handlers have",
        "returned. After each event that carries a flow, `update` follows, and a flow that is held is waited for.",
    ]
    emitted = names_emitted()
    for group, declared in groups.items():
        lines += ["", f"## {group}", "", GROUPS[group], ""]
        for each in declared:
            facts = [each.doc and " ".join(each.doc.split())]
            if each.sync_only:
                facts.append("The handler must be a plain function.")
            if each.deprecated:
                facts.append(f"Deprecated: {each.deprecated}.")
            if each.name not in emitted:
                facts.append("Nothing emits it yet: midstream does not speak this protocol so far.")
            lines += [f"### {each.name}", "", f"`{each.signature}`", "", " ".join(filter(None, facts)), ""]
    return page("Events", lines)


def names_emitted() -> set[str]:
    """The events that the program emits somewhere, by the word in its source."""
    rooms = ROOT / "src" / "midstream"
    source = "".join(path.read_text("utf-8") for room in ("proxy", "hub") for path in (rooms / room).rglob("*.py"))
    named = set(re.findall(r"events\.(\w+)", source)) | set(re.findall(r'_emit\("(\w+)"', source))
    return named & DECLARATIONS.keys()


def options(masters: Mapping[Tool, Master]) -> str:
    lines = [
        "Set by `--set name=value`, by a flag, in `config.yaml`, by the command `set`, or in the options pane. See",
        "[configuration](../configuration.md).",
    ]
    for name, (option, tools) in sorted(gathered(masters, lambda master: dict(master.options.items())).items()):
        kind = described_kind(option)
        facts = [f"Type `{option.type.label}`{f', {kind}' if kind else ''}; {default(option)}."]
        other = dict(masters["middump"].options.items()).get(name)
        if other is not None and other.default != option.default:
            facts.append(f"In middump: {default(other)}.")
        if callable(option._choices):
            facts.append("Choices come and go with addons; completion lists them.")
        elif option.choices is not None:
            facts.append(f"Choices: {', '.join(f'`{choice}`' for choice in option.choices)}.")
        facts.append(f"Flags: {', '.join(f'`{flag}`' for flag in flags(option))}.")
        if len(tools) == 1:
            facts.append(f"Only in {tools[0]}.")
        lines += ["", f"## {name}", "", option.help, "", " ".join(facts)]
    return page("Options", lines)


def flags(option: Option) -> list[str]:
    """The spellings of an option on the command line."""
    parser = argparse.ArgumentParser(add_help=False)
    add_flags(parser, option, short=SHORT.get(option.name))
    return [spelling for action in parser._actions for spelling in action.option_strings]


def described_kind(option: Option) -> str:
    kind = option.kind
    if kind.name != "range":
        return {"text": "", "size": "a size such as `64k`"}.get(kind.name, f"a {kind.name}")
    match kind.low, kind.high:
        case low, None:
            return f"from {low}"
        case None, high:
            return f"up to {high}"
        case low, high:
            return f"from {low} to {high}"


def commands(masters: Mapping[Tool, Master]) -> str:
    specs = [(word, meaning) for word, (meaning, _) in SPECS.items()]
    specs += [("@ID,ID,…", "flows by their ids"), ("FILTER", "the flows that match a [filter](filters.md)")]
    lines = [
        "Typed behind `:`, bound to keys, or called by addons. See [the command language](../commands.md).",
        "",
        "## Flows",
        "",
        *table(("flow, flow[]", "means"), specs),
        "",
        "`middump` keeps no list: these mean the flows that are alive there; the others need a list.",
        "",
        "## Types",
        "",
        *table(("type", "is"), [(kind.display, described_type(kind)) for kind in ARGUMENT_TYPES]),
        "",
        "## Cuts",
        "",
        "A cut names one attribute of a flow; `header[NAME]` has the name of a header in it.",
        "",
        ", ".join(f"`{path}`" for path in (path + "NAME]" if path.endswith("[") else path for path in PATHS)),
    ]
    found = gathered(masters, lambda master: master.commands.commands)
    sizes = Counter(name.partition(".")[0] for name in found)
    groups: dict[str, list[str]] = {}
    for name in sorted(found):
        first = name.partition(".")[0]
        groups.setdefault(f"{first}.…" if sizes[first] > 1 else "Others", []).append(name)
    for group in sorted(groups, key=lambda group: (group == "Others", group)):
        lines += ["", f"## {group}"]
        for name in groups[group]:
            each, tools = found[name]
            only = ["", f"Only in {tools[0]}."] if len(tools) == 1 else []
            lines += ["", f"### {name}", "", f"`{each.signature_help()}`", "", each.help or "", *only]
    return page("Commands", lines)


def described_type(kind: type) -> str:
    """What its class, or its file, says about an argument type in the first sentence."""
    text = vars(kind).get("__doc__") or (sys.modules[kind.__module__].__doc__ or "").partition(": ")[2]
    first = " ".join(text.partition("\n\n")[0].split())
    return (first[:1].lower() + first[1:]).rstrip(".")


def filters() -> str:
    everything = {kind for each in OPERATORS for kind in each.flow_types}
    rows = [
        (
            f"{each.name} {each.argument}".strip(),
            each.help,
            "all" if everything <= {*each.flow_types} else ", ".join(each.flow_types),
        )
        for each in OPERATORS
    ]
    lines = [
        "A filter selects flows: in the list, for holding, marking, printing. [Filters](../filters.md) tells how they",
        "are written. A word alone is searched in the URL. No operator holds for flows of other kinds than its own.",
        "",
        *table(("operator", "holds when", "kinds of flows"), rows),
        "",
        *table(("logic", "meaning"), LOGIC),
    ]
    return page("Filters", lines)


def default_keys() -> Keymap:
    keymap = Keymap()
    KeyFileReader(keymap, parse).read_set("default")
    return keymap


def keys() -> str:
    keymap = default_keys()
    lines = ["The default set. `K` lists what is bound now. See [key bindings](../keys.md)."]
    for context, inherited in CONTEXTS.items():
        bound = list(keymap.in_context(context))
        if not bound:
            continue
        after = [f"`{other}`" for other in inherited[1:]]
        lines += ["", f"## {context}", ""]
        if after:
            lines += [f"Then those of {' and '.join(after)}.", ""]
        lines += key_table(bound)
    return page("Keys", lines)


def key_table(bound: Sequence[Binding]) -> list[str]:
    """One row for all keys that do the same."""
    rows: dict[tuple[str, str], list[str]] = {}
    for each in bound:
        what = f"{each.help}{condition(each.when_text)}"
        rows.setdefault((what, each.command), []).append(code(" ".join(each.keys)))
    lines = ["| key | does | by the command |", "|---|---|---|"]
    return lines + [f"| {', '.join(keys)} | {what} | {code(run)} |" for (what, run), keys in rows.items()]


def examples() -> str:
    """What stands beside the examples, with links that lead there from here, and the programs of the other folder."""
    folder = ROOT / "examples"
    _, _, text = (folder / "addons" / "README.md").read_text("utf-8").partition("\n\n")
    programs = sorted((folder / "embedding").glob("*.py"))
    lines = [
        *re.sub(r"\]\((?!https?:|#)", "](../examples/addons/", text).splitlines(),
        "",
        "## Programs with a proxy inside",
        "",
        "See [embedding](embedding.md).",
        "",
        *[f"- [{path.name}](../examples/embedding/{path.name}): {first_sentence(path)}" for path in programs],
    ]
    return page("Examples", lines)


def first_sentence(path: Path) -> str:
    text = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return " ".join(text.partition("\n\n")[0].split())


def gathered(
    masters: Mapping[Tool, Master], things: Callable[[Master], Mapping[str, T]]
) -> dict[str, tuple[T, list[str]]]:
    """Named things of all programs, each with the programs that have it."""
    found: dict[str, tuple[T, list[str]]] = {}
    for tool, master in masters.items():
        for name, thing in things(master).items():
            found.setdefault(name, (thing, []))[1].append(tool)
    return found


def default(option: Option) -> str:
    match option.default_value:
        case None:
            return "nothing by default"
        case "" | []:
            return "empty by default"
        case bool() as value:
            return f"default `{str(value).lower()}`"
        case list() as values:
            return f"default `{', '.join(values)}`"
        case value:
            return f"default `{value}`"


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
