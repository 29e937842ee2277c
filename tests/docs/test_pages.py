"""What the pages of docs/ say can be done: every block, flag, option, command, event, key, filter and link in them."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from midstream import filters
from midstream.console.finder import finder
from midstream.console.key_file import KeyFileReader
from midstream.console.key_list import CONTEXTS_OF, NO_PANE
from midstream.console.key_names import LEGACY_SAME, NAMED, parse_chord
from midstream.console.keymap import CONTEXTS, Keymap
from midstream.console.widgets.line_edit import _KEYS as LINE_KEYS
from midstream.hub import config_file, ctx, markers
from midstream.hub.arguments import ALL as ARGUMENT_TYPES
from midstream.hub.events import DECLARATIONS
from midstream.hub.flags import make_parser
from midstream.hub.invocation import Tool, understand
from midstream.hub.option_kinds import NAMED as KINDS
from midstream.master import DumpMaster
from midstream.options import Options
from midstream.store.specs import SPECS
from midstream.testing import context, tflow, treq, tresp, ttcpflow
from tests.docs.pages import (
    BESIDE,
    DOCS,
    MADE,
    ROOT,
    TOOLS,
    WRITTEN,
    Block,
    anchors,
    blocks,
    codes,
    declared,
    inline_code,
    links,
    table,
    tables,
)

PYTHON = blocks("python", *WRITTEN, *BESIDE)
NO_SCRIPTS = ("embedding.md", "testing.md")  # their blocks are programs and tests
SCRIPTS = [block for block in PYTHON if block.page.name not in NO_SCRIPTS]
COMMAND_LINES = blocks("sh", *WRITTEN, *BESIDE)


# -- python -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_python_compiles(block: Block) -> None:
    compile(block.text, str(block), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.parametrize("block", SCRIPTS, ids=str)
async def test_a_script_loads_and_runs(block: Block, tmp_path: Path) -> None:
    file = tmp_path / "script.py"
    file.write_text(block.text, "utf-8")
    async with context() as tests:
        module = tests.script(file)
        json = tresp(status_code=500, content=b'{"a": 1}', headers=((b"content-type", b"application/json"),))
        for flow in (tflow(resp=True), tflow(req=treq(path=b"/health")), tflow(resp=json), ttcpflow()):
            await tests.cycle(module, flow)
        assert not tests.log.has("warn") and not tests.log.has("error")


# -- command lines ------------------------------------------------------------------------------------------------


def invocations() -> Iterator[tuple[str, Tool, list[str]]]:
    """Where it stands, the program and its arguments, for each line that starts one of ours."""
    for block in COMMAND_LINES:
        for line in block.text.splitlines():
            words = shlex.split(line, comments=True)
            program = Path(words[0]).name if words else ""
            if program in TOOLS:
                yield f"{block}: {line}", program, words[1 : words.index(">") if ">" in words else None]


@pytest.mark.parametrize("invoked", [*invocations()], ids=lambda invoked: invoked[0])
def test_a_command_line_is_understood(invoked: tuple[str, Tool, list[str]]) -> None:
    _, tool, argv = invoked
    options = declared().of[tool]
    invocation = understand(tool, argv, options)
    for spec in invocation.specs:
        name, _, text = spec.partition("=")
        if name not in own_options():
            options.option(name).parse([text if "=" in spec else None])
    for name, texts in invocation.flags.items():
        options.option(name).parse(texts)
    filters.parse(invocation.filter or "~all")


def own_options() -> set[str]:
    """The options that scripts on the pages declare, and the one that stands for any."""
    return {name for block in SCRIPTS for name in re.findall(r'add_option\(\s*"(\w+)"', block.text)} | {"my_option"}


# -- what stands between backticks --------------------------------------------------------------------------------

WORDS = [(page, word) for page in (*WRITTEN, *BESIDE) for word in inline_code(page)]
# Names that stand for some other name, and one that is put together when it is needed.
INVENTED = {"my_addon", "my_package", "written_for_mitmproxy", "name_with_hyphens", "response_body_cut"}
COMMAND_ROOTS = {"view", "console", "options", "commands", "eventstore", "script", "proxyserver"}


def test_flags() -> None:
    known = {
        spelling for tool in TOOLS for spelling in make_parser(tool, "", declared().of[tool])._option_string_actions
    }
    known |= {"--name-with-hyphens", "--no-name", "--ignore", "--ignore-hosts", "--ssl-insec"}  # of no option here
    for page, word in WORDS:
        if word.startswith("--") and page.name != "CONTRIBUTING.md":
            assert re.split("[ =]", word)[0] in known, f"{page.name}: {word}"


def test_commands() -> None:
    for page, word in WORDS:
        name = re.split(r"[ (]", word.lstrip(":"))[0]
        is_python = "(" in word or word.endswith(".py")
        if (
            name.partition(".")[0] in COMMAND_ROOTS
            and "." in name
            and name.islower()
            and not is_python
            and "*" not in name
        ):
            assert name in declared().commands or page.name == "embedding.md", f"{page.name}: {word}"
        if name == "set" and " " in word and word.split()[1].islower():
            assert word.split()[1] in declared().options, f"{page.name}: {word}"


def test_filters() -> None:
    for _, word in WORDS:
        if re.match(r"[!(]*~[a-z]", word) and not word.startswith("~c 200.0"):
            filters.parse(word if not is_bare_operator(word) else f"{word} 200")


def test_what_is_said_about_wrong_and_slow_filters(caplog: pytest.LogCaptureFixture) -> None:
    bar, wrong, slow = (block.text.strip("\n") for block in blocks("text", DOCS / "filters.md"))
    said, caret = bar.split("\n")
    with pytest.raises(filters.FilterError) as caught:
        filters.parse(said.removeprefix(" filter: ").partition("   ")[0])
    assert str(caught.value) in said
    assert said[caret.index("^")] == "("
    with pytest.raises(filters.FilterError, match=re.escape(wrong)):
        filters.parse("~cc 404")
    flow = tflow(resp=tresp(content=b"a" * 60 + b"!"))
    flow.request.url = "https://example.com/trap"
    assert not filters.parse("~bs '(a|aa)+$'")(flow)
    assert slow in caplog.text
    (problem,) = [block.text.strip() for block in blocks("text", DOCS / "searching.md") if "given up" in block.text]
    found = finder("(a|aa)+$")
    assert not any(found.holds("a" * 5000 + "!") for _ in range(3))
    assert found.problem == problem


def is_bare_operator(word: str) -> bool:
    return any(each.name == word and each.argument for each in filters.OPERATORS)


def test_names_with_underscores() -> None:
    """An option, an event, an attribute: what is written like one and is none has gone, or never was."""
    reference = {
        line.partition("\t")[0] for line in (ROOT / "tests/parity/options.tsv").read_text("utf-8").splitlines()
    }
    code = "".join(path.read_text("utf-8") for path in (ROOT / "src").rglob("*.py"))
    written = set(re.findall(r"[A-Za-z_]\w*", code))
    for page in WRITTEN:
        if page.name == "differences.md":  # names the other program's things as well
            continue
        of_its_own = {name for block in blocks("python", page) for name in re.findall(r"\w+", block.text)}
        for word in inline_code(page):
            for marker in re.findall(r":[a-z_]+:(?!//)", word):
                assert marker in markers.names() or marker == ":name:", f"{page.name}: {word}"
            for name in re.findall(r"(?<![\w.:-])[a-z]+(?:_[a-z0-9]+)+(?![\w-]|\.py)", word):
                known = declared().options.keys() | DECLARATIONS.keys() | reference | written | of_its_own
                assert name in known | own_options() | INVENTED, f"{page.name}: {word}"


def test_environment_variables() -> None:
    code = "".join(path.read_text("utf-8") for path in (ROOT / "src").rglob("*.py"))
    for page, word in WORDS:
        for name in re.findall(r"MIDSTREAM_([A-Z_]{4,})", word):
            known = f'"{name}"' in code or f"MIDSTREAM_{name}" in code or page.name == "CONTRIBUTING.md"
            assert known, f"{page.name}: {word}"


# -- tables -------------------------------------------------------------------------------------------------------


def test_events_to_use() -> None:
    rows = table(DOCS / "addons.md", "to …", "handle", "and")
    named = [code for row in rows for code in codes(row[1])]
    assert set(named) <= DECLARATIONS.keys()
    assert [codes(row[0]) for row in table(DOCS / "addons.md", "event", "when", "what to do there")] == [
        ["load"],
        ["configure"],
        ["running"],
        ["done"],
    ]


def test_kinds_of_options() -> None:
    named = {code.strip('"') for row in table(DOCS / "addons.md", "kind", "is") for code in codes(row[0])}
    assert named == {*KINDS, "range 0..65535"}


def test_types_of_arguments() -> None:
    rows = table(DOCS / "addons.md", "annotation", "what is typed", "what the function gets")
    text = " ".join(row[0] for row in rows)
    spelled = {
        "str",
        "bytes",
        "int",
        "bool",
        "Path",
        "Cmd",
        "CmdArgs",
        "Marker",
        "CutSpec",
        "Choice",
        "Flow",
        "Sequence",
    }
    assert all(word in text for word in spelled)
    assert len(ARGUMENT_TYPES) == len(spelled) + 2, (
        "a type is missing in the table: Sequence[Flow] and Data are beside it"
    )


def test_flow_specs() -> None:
    named = {code for row in table(DOCS / "commands.md", "spec", "means") for code in codes(row[0])}
    assert named == SPECS.keys() | {"@ID", "@ID,ID"}


def test_contexts() -> None:
    rows = table(DOCS / "keys.md", "context", "is", "then")
    said = {name: tuple(codes(row[2])) for row in rows for name in codes(row[0])}
    assert said == {name: others[1:] for name, others in CONTEXTS.items()}
    (theirs,) = [rows for rows in tables(DOCS / "keys.md") if rows[0] == ["there", "here"]]
    mapped = {name: tuple(codes(row[1])) for row in theirs[1:] for name in codes(row[0])}
    same = {name: (name,) for name in ("commands", "options", "help", "global")}
    assert mapped | same == CONTEXTS_OF | dict.fromkeys(NO_PANE, ())


def test_key_names() -> None:
    text = (DOCS / "keys.md").read_text("utf-8")
    for name in NAMED - {"leader"} - {f"f{number}" for number in range(2, 24)}:
        assert f"`{name}`" in text.replace("\n", " "), name
    for key in ("ctrl i", "ctrl m", "ctrl j", "ctrl enter", "ctrl h", "ctrl ["):
        assert key in LEGACY_SAME and f"`{key}`" in text.replace("\n", " ")


@pytest.mark.parametrize("page", [*WRITTEN, ROOT / "README.md"], ids=lambda page: page.name)
def test_keys_in_tables(page: Path) -> None:
    bound = {binding.keys for binding in default_keys().all()}
    bound |= {(key,) for key in LINE_KEYS} | {
        ("tab",),
        ("shift tab",),
        ("up",),
        ("down",),
        ("ctrl r",),
        ("enter",),
        ("esc",),
    }
    for rows in tables(page):
        if rows[0][0] != "key":
            continue
        for row in rows[1:]:
            for key in codes(row[0]):
                assert parse_chord(key, ",") in bound, f"{page.name}: {key}"


def default_keys() -> Keymap:
    keymap = Keymap()
    KeyFileReader(keymap, filters.parse).read_set("default")
    return keymap


# -- files --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("block", blocks("yaml", DOCS / "keys.md"), ids=str)
def test_a_key_file_is_read(block: Block) -> None:
    keymap = default_keys()
    report = KeyFileReader(keymap, filters.parse).read_text(block.text, "keys.yaml")
    assert not report.errors
    for binding in keymap.all():
        assert binding.command.split()[0] in declared().commands or binding.source in ("", "default")


def test_the_error_of_a_key_file() -> None:
    (shown,) = blocks("text", DOCS / "keys.md")
    text = "version: 1\nbind:\n  - keys: ctlr e\n    run: console.exit\n"
    report = KeyFileReader(default_keys(), filters.parse).read_text(text, "~/.midstream/keys.yaml")
    assert report.errors == [shown.text.strip()]


@pytest.mark.parametrize("block", blocks("yaml", DOCS / "configuration.md"), ids=str)
def test_a_config_file_is_read(block: Block) -> None:
    for entry in config_file.entries(block.text, "config.yaml"):
        if entry.key not in own_options():
            declared().options[entry.key].checked(entry.value)


def test_lines_of_the_command_language() -> None:
    for block in blocks("text", DOCS / "commands.md"):
        for line in block.text.splitlines():
            assert line.split()[0] in declared().commands, line
            if ":" in line and "[]" in line:  # a signature
                assert declared().commands[line.split()[0]].signature_help() == line


# -- links --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [*WRITTEN, *MADE, *BESIDE], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in links(page):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file), target


def test_every_page_is_in_the_index() -> None:
    listed = set(re.findall(r"^(?:reference/)?[a-z0-9-]+$", (DOCS / "index.md").read_text("utf-8"), re.MULTILINE))
    pages = {str(page.relative_to(DOCS).with_suffix("")) for page in (*WRITTEN, *MADE)} - {"index"}
    assert pages <= listed


async def test_what_the_master_has(tmp_path: Path) -> None:
    (rows,) = [rows for rows in tables(DOCS / "addons.md") if "`ctx.master.view`" in str(rows)]
    names = [code.removeprefix("await ") for row in rows[1:] for code in codes(row[0])]
    master = DumpMaster(Options(confdir=str(tmp_path)), with_termlog=False)
    with ctx.use(master):
        for name in names:
            if name == "ctx.master.view":  # of the console's master only
                continue
            eval(re.split(r" = |\(\)$|\(\w+\)$", name)[0], {"ctx": ctx})
        assert master.addons.get("proxyserver").listen_addrs() == []
    master.let_go()
