from __future__ import annotations

import os
import textwrap
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream import filters
from midstream.console.key_file import KeyFileReader, Report, shipped_folder
from midstream.console.key_names import legacy_meaning, parse_chord
from midstream.console.keymap import CONTEXTS, Keymap
from midstream.flows.flow import Flow
from tests.kit.captured import http_flow
from tests.kit.stopwatch import within


def read(text: str, keymap: Keymap | None = None) -> tuple[Keymap, Report]:
    keymap = keymap if keymap is not None else Keymap()
    return keymap, KeyFileReader(keymap, filters.parse).read_text(textwrap.dedent(text), "my.yaml")


def read_file(path: Path, keymap: Keymap | None = None) -> tuple[Keymap, Report]:
    """As the console does at the start: over the default set."""
    keymap = keymap if keymap is not None else Keymap()
    KeyFileReader(keymap, filters.parse).read_set("default")
    return keymap, KeyFileReader(keymap, filters.parse, (path.parent / "keybindings",)).read_file(path)


def command_of(keymap: Keymap, keys: str, *contexts: str, flow: Flow | None = None) -> str:
    found = keymap.find(parse_chord(keys), contexts, flow).binding
    return found.command if found is not None else ""


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
        ("{keys: e, run: ' '}", "3:20", "no command is given"),
        ("{keys: e, run: flow.kill, in: [flow]}", "3:36", "'flow' is no context"),
        ("{keys: e, run: flow.kill, when: '~d ('}", "3:37", "when: column"),
        ("{keys: e, run: flow.kill, halp: x}", "3:31", "'halp' means nothing here; did you mean 'help'?"),
        ("{keys: e}", "3:5", "'run' is missing"),
        ("{run: flow.kill}", "3:5", "'keys' is missing"),
        ("just text", "3:5", "a mapping with keys, "),
        ("{keys: [e], run: flow.kill}", "3:12", "a plain text belongs here"),
        ("{keys: e, keys: f, run: flow.kill}", "3:15", "'keys' stands twice"),
        ("{keys: e, run: flow.kill, in: []}", "3:35", "'in' names no context"),
        ("{keys: !!python/name:os.system e, run: flow.kill}", "3:12", "tags such as !!python/name:os.system"),
        ("!mine {keys: e, run: flow.kill}", "3:5", "a mapping with keys, "),
        ("{keys: a b c d e f g h i, run: flow.kill}", "3:12", "a chord has at most 8 keys"),
        ("{keys: x, run: flow.kill}", "4:12", "'x' is bound already in global, in my.yaml:3"),
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
        "- key: e\n  run: x",
        "a: &a [*a]",
        "version: 1\nbind: &a [*a]",
        "version: 1\n---\nversion: 1",
        "7",
        "version: 1\nname: [x]",
        "version: 1\nbind:\n  - {keys: e, run: [x]}",
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


def test_a_file_is_laid_over_the_default_set(tmp_path: Path):
    path = tmp_path / "keys.yaml"
    path.write_text(
        "version: 1\nunbind:\n  - {keys: e, in: [flows]}\nbind:\n  - {keys: e, in: [flows], run: flow.kill}\n"
    )
    keymap, report = read_file(path)
    assert report.errors == []
    assert command_of(keymap, "e", "flows") == "flow.kill"
    assert command_of(keymap, "a", "flows") == "flow.resume @focus"
    assert ("unbound by keys.yaml:3", "flows") in {(lost.reason, lost.context) for lost in keymap.lost}


def test_extends_starts_anew(tmp_path: Path):
    folder = tmp_path / "keybindings"
    folder.mkdir()
    (folder / "work.yaml").write_text("version: 1\nbind: [{keys: w, run: flow.kill}]\n")
    (folder / "bare.yaml").write_text("version: 1\nextends: none\nbind: [{keys: w, run: flow.kill}]\n")
    path = tmp_path / "keys.yaml"
    path.write_text("version: 1\nextends: work\nbind: [{keys: y, run: flow.resume}]\n")
    keymap, report = read_file(path)
    assert (report.errors, report.started_anew) == ([], True)
    assert command_of(keymap, "w", "global") == "flow.kill"
    assert command_of(keymap, "a", "flows") == "flow.resume @focus", "work stands on the default set"
    path.write_text("version: 1\nextends: bare\nbind: [{keys: y, run: flow.resume}]\n")
    keymap, _ = read_file(path)
    assert {binding.command for binding in keymap.all()} == {"flow.kill", "flow.resume"}


def test_a_set_that_cannot_be_read_leaves_the_default_one(tmp_path: Path):
    (tmp_path / "broken.yaml").write_text("version: 1\nbind: [")
    path = tmp_path / "keys.yaml"
    path.write_text("version: 1\nextends: broken\nbind: [{keys: Y, run: flow.resume}]\n")
    keymap, report = read_file(path)
    assert len(report.errors) == 1
    assert report.errors[0].startswith(f"{tmp_path / 'broken.yaml'}:")
    assert not report.was_refused
    assert command_of(keymap, "Y", "flows", "global") == "flow.resume"
    assert command_of(keymap, "a", "flows") == "flow.resume @focus"


def test_a_set_that_is_not_there_names_those_that_are(tmp_path: Path):
    path = tmp_path / "keys.yaml"
    path.write_text("version: 1\nextends: defualt\n")
    keymap, report = read_file(path)
    assert report.errors == [f"{path}:2:10: there is no key set 'defualt'; did you mean 'default'?"]
    assert command_of(keymap, "a", "flows"), "what was there stays"


@pytest.mark.parametrize("name", ["~nobody_at_all/x", "x" * 4000, "/", "..", '"a\\0b"', "''", "~", ".", "/dev/zero"])
def test_odd_names_of_sets(tmp_path: Path, name: str):
    path = tmp_path / "keys.yaml"
    path.write_text(f"version: 1\nextends: {name}\n")
    keymap, report = read_file(path)
    assert len(report.errors) == 1
    assert report.errors[0].startswith(f"{path}:2:10: there is no key set ")
    assert command_of(keymap, "a", "flows")


def test_extends_in_a_circle_ends(tmp_path: Path):
    (tmp_path / "a.yaml").write_text("version: 1\nextends: b\n")
    (tmp_path / "b.yaml").write_text("version: 1\nextends: a\n")
    keymap, report = read_file(tmp_path / "a.yaml")
    assert any("circle" in error for error in report.errors)
    assert command_of(keymap, "a", "flows") == "flow.resume @focus"


def test_the_leader_takes_its_menus_along():
    keymap = Keymap()
    KeyFileReader(keymap, filters.parse).read_set("default")
    _, report = read(
        """\
        version: 1
        unbind:
          - {keys: ";", in: [flows, detail]}
          - {keys: leader z}
        options: {leader: ";"}
        bind:
          - {keys: leader y, run: flow.kill}
        """,
        keymap,
    )
    assert report.errors == []
    assert command_of(keymap, "; q", "global") == "console.exit.ask"
    assert command_of(keymap, "; y", "global") == "flow.kill"
    assert command_of(keymap, "; w", "detail") == "console.flowview.wrap"
    assert command_of(keymap, "; z", "global") == ""
    assert keymap.find((",",), ("flows", "list", "global"), None).following == []
    assert keymap.title((";",), ("global",)) == "More"


def test_a_leader_in_the_way_of_a_key_says_what_is_lost():
    keymap = Keymap()
    KeyFileReader(keymap, filters.parse).read_set("default")
    read("version: 1\noptions: {leader: g}\n", keymap)
    assert command_of(keymap, "g", "global") == "console.nav.start"
    assert any("the leader of my.yaml:2: 'g' is a binding of its own" in lost.reason for lost in keymap.lost)


def test_of_one_file_the_first_condition_that_holds_counts_and_later_files_come_first():
    conditions = "version: 1\nbind:\n  - {keys: e, when: ~q, run: one}\n  - {keys: e, when: ~http, run: two}\n"
    flow = http_flow("http://example.com/", status=None)
    keymap, _ = read(conditions + "  - {keys: e, run: three}\n")
    assert command_of(keymap, "e", "global", flow=flow) == "one"
    assert command_of(keymap, "e", "global") == "three"
    read("version: 1\nbind:\n  - {keys: e, when: ~http, run: four}\n", keymap)
    assert command_of(keymap, "e", "global", flow=flow) == "four"
    read("version: 1\nbind:\n  - {keys: e, run: five}\n", keymap)
    assert command_of(keymap, "e", "global", flow=flow) == "five", "without a condition it counts for every flow"
    assert {lost.reason for lost in keymap.lost} == {"overridden by my.yaml:3"}


# --- lists, the format of mitmproxy -----------------------------------------------------------------------------------


def test_a_list_is_bound_on_top_with_both_spellings():
    keymap = Keymap()
    KeyFileReader(keymap, filters.parse).read_set("default")
    _, report = read(
        """\
        -
          key: ctrl e
          cmd: console.edit.focus request-body
          ctx: ["flowlist", "flowview"]
          help: Edit the body
        - key: meta b
          cmd: |
            flow.mark @focus
              :red_circle:
        - key: page up
          ctx: [eventlog]
          cmd: console.nav.start
        - {key: e, cmd: flow.kill @focus, ctx: [flowlist]}
        - {key: n, cmd: flow.kill @all}
        """,
        keymap,
    )
    assert report.errors == []
    assert report.count == 5
    assert command_of(keymap, "ctrl e", "detail") == "console.edit.focus request-body"
    assert " ".join(command_of(keymap, "alt b", "global").split()) == "flow.mark @focus :red_circle:"
    assert command_of(keymap, "page_up", "log") == "console.nav.start"
    assert command_of(keymap, "e", "flows") == "flow.kill @focus", "the chords of e are gone there"
    assert command_of(keymap, "e h", "detail", flow=http_flow("http://example.com/"))
    assert command_of(keymap, "n", "flows", "list", "global") == "flow.kill @all", "global comes right after a pane"


def test_the_other_names_of_contexts_are_understood_in_our_format_too():
    keymap, report = read(
        "version: 1\nbind: [{keys: x, in: [flowlist, log], run: one}, {keys: y, in: [chooser], run: two}]\n"
        "unbind: [{keys: y, in: flowview}]\n"
    )
    assert [binding.contexts for binding in keymap.all()] == [("flows", "log")]
    assert report.count == 1
    assert report.errors == ["my.yaml:3:17: 'y' is not bound there"]


def test_every_context_of_the_list_format_is_known():
    names = (
        "chooser commands commonkey dataviewer eventlog flowlist flowview global grideditor help keybindings options"
    )
    entries = "".join(f"- {{key: x, cmd: flow.kill, ctx: [{name}]}}\n" for name in names.split())
    keymap, report = read(entries)
    assert report.errors == []
    assert [note.partition(": ")[2] for note in report.notes] == [
        "there is no chooser to bind keys in",
        "there is no dataviewer to bind keys in",
        "there is no grideditor to bind keys in",
    ]
    assert command_of(keymap, "x", "keys") == "flow.kill"


@pytest.mark.parametrize(
    ("entry", "where", "problem"),
    [
        ("{key: e, cmd: x, ctx: [flowlst]}", "1:26", "'flowlst' is no context; did you mean 'flowlist'?"),
        ("{key: e}", "1:3", "'cmd' is missing"),
        ("{key: e, cmd: x, color: y}", "1:20", "'color' means nothing here"),
        ("{key: [e], cmd: x}", "1:9", "a plain text belongs here"),
        ("{key: ctl e, cmd: x}", "1:9", "'ctl' is no key name; did you mean 'ctrl'?"),
        ("{key: e, cmd: x, ctx: []}", "1:25", "'ctx' names no context"),
        ("x", "1:3", "a mapping with key, cmd, ctx, help belongs here"),
    ],
)
def test_a_bad_entry_of_a_list_is_skipped(entry, where, problem):
    keymap, report = read(f"- {entry}\n- {{key: y, cmd: flow.kill}}\n")
    assert len(report.errors) == 1
    assert report.errors[0].startswith(f"my.yaml:{where}: ")
    assert problem in report.errors[0]
    assert command_of(keymap, "y", "global") == "flow.kill"


# --- hostile files (promises.md) --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"#" * 200_000, ": larger than 65,536 bytes"),
        (b"version: 1\nbind:\n  \xff\xfe", ":3:3: the file is not UTF-8"),
        (b"\x00\x01\x02", ":1:1: unacceptable character"),
        (b"version: 1\nbind: [{keys: e, run: x\x07}]", ":2:24: unacceptable character"),
        (b"[" * 60_000, ":1:51: nested deeper than 50 levels"),
        (b"{a: " * 10_000, ":1:198: nested deeper than 50 levels"),
        (b"version: 1\nbind:\n\t- x", ":3:1: "),
    ],
)
def test_hostile_files_are_one_line_with_a_place(tmp_path, content, problem):
    path = tmp_path / "keys.yaml"
    path.write_bytes(content)
    _, report = read_file(path)
    assert len(report.errors) == 1
    assert report.errors[0].startswith(f"{path}{problem}")
    assert "\n" not in report.errors[0]


def test_files_that_are_none(tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")
    for path in (tmp_path / "pipe.yaml", tmp_path, Path("/dev/zero"), tmp_path / "missing.yaml"):
        _, report = read_file(path)
        assert len(report.errors) == 1
        assert report.was_refused


def test_a_file_of_100_mb_is_not_read(tmp_path):
    path = tmp_path / "keys.yaml"
    with path.open("wb") as out:
        out.truncate(100 << 20)
    with within(2):
        _, report = read_file(path)
        assert report.errors == [f"{path}: larger than 65,536 bytes"]


def test_a_bomb_of_aliases_and_thousands_of_errors_stay_small():
    bomb = "a: &a [x, x]\n" + "".join(f"{name}: &{name} [*{last}, *{last}]\n" for last, name in pairwise("abcdefghij"))
    _, report = read(bomb)
    assert len(report.errors) == 1
    _, report = read("version: 1\nbind: [" + "x, " * 20_000 + "]")
    assert len(report.errors) == 51
    assert "there are more errors" in report.errors[-1]


yaml_like = st.recursive(
    st.sampled_from(
        ["1", "e", "ctrl e", "flow.kill", "~q", "global", "flowlist", "", "null", "leader", "!!int x", "*a"]
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.dictionaries(
            st.sampled_from(
                [
                    *("version", "bind", "menus", "unbind", "options", "extends", "name", "keys", "in", "run"),
                    *("when", "help", "title", "items", "leader", "key", "cmd", "ctx"),
                ]
            ),
            inner,
            max_size=4,
        ).map(lambda items: "{" + ", ".join(f"{key}: {value}" for key, value in items.items()) + "}"),
        inner.map(lambda item: f"&a {item}"),
    ),
    max_leaves=20,
)


@given(yaml_like)
def test_no_yaml_makes_it_raise(text):
    read(text)


@given(st.lists(yaml_like, min_size=1, max_size=4), st.lists(yaml_like, max_size=4))
def test_no_entries_make_it_raise(bind, unbind):
    _, report = read(f"version: 1\nbind: [{', '.join(bind)}]\nunbind: [{', '.join(unbind)}]")
    assert all("\n" not in error for error in report.errors)


@pytest.mark.parametrize("name", sorted(path.stem for path in shipped_folder().glob("*.yaml")))
def test_shipped_sets(name):
    keymap = Keymap()
    report = KeyFileReader(keymap, filters.parse).read_file(shipped_folder() / f"{name}.yaml")
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
