from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream import filters
from midstream.console.key_file import KeyFileReader, Report, shipped_folder
from midstream.console.key_names import legacy_meaning
from midstream.console.keymap import CONTEXTS, Keymap


def read(text: str, keymap: Keymap | None = None) -> tuple[Keymap, Report]:
    keymap = keymap if keymap is not None else Keymap()
    known = {"flow.resume", "flow.kill"}

    def check(line: str) -> str:
        return "" if line.split(" ")[0] in known else f"no command is called {line!r}"

    return keymap, KeyFileReader(keymap, filters.parse, check).read_text(textwrap.dedent(text), "my.yaml")


def test_a_whole_file():
    keymap, report = read(
        """\
        version: 1
        name: my keys
        extends: none
        options: {leader: ";", menu_delay_ms: 100}
        bind:
          - keys: ctrl e
            in: [flows, detail]
            run: flow.resume @focus
            help: Resume
            when: "~q & !~s"
        menus:
          - {keys: "leader m", in: [flows], title: Mine, items: {t: ["flow.kill @focus", "Kill"], u: flow.resume}}
        """
    )
    assert report.errors == []
    assert report.count == 3
    assert keymap.leader == ";"
    assert keymap.menu_delay == 0.1
    (binding,) = list(keymap.in_context("detail"))
    assert (binding.keys, binding.help, binding.when_text, binding.source) == (
        ("ctrl e",),
        "Resume",
        "~q & !~s",
        "my.yaml:6",
    )
    assert keymap.find((";", "m", "t"), ("flows",), None).binding.help == "Kill"
    assert keymap.title((";", "m"), ("flows",)) == "Mine"


@pytest.mark.parametrize(
    ("entry", "where", "problem"),
    [
        ("{keys: entr, run: flow.kill}", "3:12", "'entr' is no key name; did you mean 'enter'?"),
        ("{keys: e, run: flow.kil}", "3:20", "no command is called 'flow.kil'"),
        ("{keys: e, run: flow.kill, in: [flow]}", "3:36", "'flow' is no context"),
        ("{keys: e, run: flow.kill, when: '~d ('}", "3:37", "when: column"),
        ("{keys: e, run: flow.kill, halp: x}", "3:31", "'halp' means nothing here; did you mean 'help'?"),
        ("{keys: e}", "3:5", "'run' is missing"),
        ("{run: flow.kill}", "3:5", "'keys' is missing"),
        ("just text", "3:5", "here stands a mapping"),
        ("{keys: [e], run: flow.kill}", "3:12", "here stands a plain text"),
        ("{keys: e, keys: f, run: flow.kill}", "3:15", "'keys' stands twice"),
        ("{keys: e, run: flow.kill, in: []}", "3:35", "'in' names no context"),
    ],
)
def test_errors_name_line_and_column_and_skip_only_their_entry(entry, where, problem):
    keymap, report = read(f"version: 1\nbind:\n  - {entry}\n  - {{keys: x, run: flow.resume}}\n")
    assert len(report.errors) == 1
    assert report.errors[0].startswith(f"my.yaml:{where}: ")
    assert problem in report.errors[0]
    assert keymap.find(("x",), ("global",), None).binding is not None


def test_a_conflict_is_an_error_with_its_place():
    _, report = read("version: 1\nbind:\n  - {keys: g g, run: flow.kill}\n  - {keys: g, run: flow.kill}\n")
    assert report.errors == ["my.yaml:4:12: 'g' starts the chord 'g g' in global"]


@pytest.mark.parametrize(
    "text",
    [
        "bind: [",
        "\tx",
        "version: 2",
        "- key: e\n  cmd: x",
        "version: 1\nbind: 7",
        "version: 1\noptions: {leader: g g}",
        "version: 1\noptions: {menu_delay_ms: soon}",
        "version: 1\nunbind: [{keys: x}]",
        "version: 1\nextends: nowhere",
        "version: 1\nmenus: [{keys: e, items: [a]}]",
        "!!python/object/apply:os.system ['true']",
        "[" * 3000,
    ],
)
def test_broken_files_are_one_error_line(text):
    _, report = read(text)
    assert len(report.errors) == 1
    assert "\n" not in report.errors[0]


@given(st.text(max_size=200))
def test_no_text_makes_it_raise(text):
    read(text)


def test_what_old_terminals_confuse_is_bound_but_noted():
    _, report = read("version: 1\nbind:\n  - {keys: ctrl i, run: flow.kill}\n")
    assert report.errors == []
    assert "'ctrl i' as 'tab'" in report.notes[0]


def test_a_persons_file_extends_the_default_set(tmp_path: Path):
    path = tmp_path / "keys.yaml"
    path.write_text(
        "version: 1\nunbind:\n  - {keys: e, in: [flows]}\nbind:\n  - {keys: e, in: [flows], run: flow.kill}\n"
    )
    keymap = Keymap()
    report = KeyFileReader(keymap, filters.parse, lambda line: "").read_file(path)
    assert report.errors == []
    assert keymap.find(("e",), ("flows",), None).binding.command == "flow.kill"
    assert keymap.find(("a",), ("flows",), None).binding.command == "flow.resume @focus"


def test_extends_in_a_circle_ends(tmp_path: Path):
    (tmp_path / "a.yaml").write_text("version: 1\nextends: b\n")
    (tmp_path / "b.yaml").write_text("version: 1\nextends: a\n")
    report = KeyFileReader(Keymap(), filters.parse, lambda line: "").read_file(tmp_path / "a.yaml")
    assert any("circle" in error for error in report.errors)


@pytest.mark.parametrize("name", sorted(path.stem for path in shipped_folder().glob("*.yaml")))
def test_shipped_sets(name):
    keymap = Keymap()
    report = KeyFileReader(keymap, filters.parse, lambda line: "").read_file(shipped_folder() / f"{name}.yaml")
    assert report.errors == []
    assert report.notes == []
    for binding in keymap.all():
        assert binding.help, f"{binding.keys} has no help"
        assert not any(legacy_meaning(key) for key in binding.keys), binding.keys
    # A chord must not hide behind a key of a farther context, nor the other way round, in any pane.
    for context, chain in CONTEXTS.items():
        for binding in keymap.in_context(context):
            for length in range(1, len(binding.keys)):
                for other in chain:
                    assert keymap.find(binding.keys[:length], (other,), None).binding is None, binding.keys
