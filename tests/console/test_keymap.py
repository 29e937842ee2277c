from __future__ import annotations

import pytest

from midstream.console.keymap import Binding, Conflict, Keymap

FLOWS = ("flows", "list", "global")


def bind(keymap: Keymap, keys: str, command: str, context: str = "global", **more) -> None:
    keymap.add(Binding(tuple(keys.split()), (context,), command, **more))


def test_the_nearest_context_wins():
    keymap = Keymap()
    bind(keymap, "d", "global command")
    bind(keymap, "d", "flows command", "flows")
    assert keymap.find(("d",), FLOWS, None).binding.command == "flows command"
    assert keymap.find(("d",), ("detail", "global"), None).binding.command == "global command"
    assert keymap.find(("x",), FLOWS, None).binding is None


def test_chords_and_what_may_follow():
    keymap = Keymap()
    bind(keymap, "e h", "head", "flows")
    bind(keymap, "e b", "body", "list")
    found = keymap.find(("e",), FLOWS, None)
    assert found.binding is None
    assert [binding.command for binding in found.following] == ["head", "body"]
    assert keymap.find(("e", "b"), FLOWS, None).binding.command == "body"


def test_the_menu_lists_only_what_the_keys_would_reach():
    keymap = Keymap()
    bind(keymap, ", s t", "mark", "flows")
    bind(keymap, ", q", "close", "flows")
    bind(keymap, ", s", "save")
    bind(keymap, ", q x", "quit")
    bind(keymap, ", s u", "more", "list")
    found = keymap.find((",",), FLOWS, None)
    assert [binding.command for binding in found.following] == ["mark", "close", "more"]


def test_a_key_that_starts_a_chord_in_the_same_context_is_a_conflict():
    keymap = Keymap()
    bind(keymap, "g g", "top")
    with pytest.raises(Conflict):
        bind(keymap, "g", "other")
    with pytest.raises(Conflict):
        bind(keymap, "g g g", "other")
    bind(keymap, "g", "other", "flows")  # another context may


def test_a_binding_in_several_contexts_is_all_or_nothing():
    keymap = Keymap()
    bind(keymap, "g g", "top", "detail")
    with pytest.raises(Conflict):
        keymap.add(Binding(("g",), ("flows", "detail"), "x"))
    assert keymap.find(("g",), ("flows",), None).binding is None


def test_the_first_entry_whose_condition_holds_wins():
    keymap = Keymap()
    bind(keymap, "a", "always")
    bind(keymap, "a", "when odd", when=lambda flow: flow % 2 == 1, when_text="odd")
    assert keymap.find(("a",), ("global",), 3).binding.command == "when odd"
    assert keymap.find(("a",), ("global",), 4).binding.command == "always"
    assert keymap.find(("a",), ("global",), None).binding.command == "always"


def test_a_later_binding_replaces_and_unbinding_frees_the_prefix():
    keymap = Keymap()
    bind(keymap, "z z", "one")
    keymap.begin_layer()
    bind(keymap, "z z", "two")
    assert keymap.find(("z", "z"), ("global",), None).binding.command == "two"
    assert keymap.remove(("z",), ("global",))
    assert not keymap.remove(("z",), ("global",))
    bind(keymap, "z", "now alone")
    assert keymap.find(("z",), ("global",), None).binding.command == "now alone"


def test_what_runs_the_same_command_is_called_the_same():
    keymap = Keymap()
    bind(keymap, "a", "one", help="First")
    bind(keymap, "b", "one")
    bind(keymap, "c", "one", help="Another")
    bind(keymap, "d", "two")
    assert [binding.help for binding in keymap.in_context("global")] == ["First", "First", "Another", ""]
