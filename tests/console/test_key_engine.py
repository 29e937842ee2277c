from __future__ import annotations

import asyncio

from midstream.console.key_engine import KeyEngine, repeated
from midstream.console.keymap import Binding, Keymap

CONTEXTS = ("flows", "list", "global")


def make(missed: list[tuple[str, ...]] | None = None) -> tuple[KeyEngine, list[str], list[None]]:
    keymap = Keymap()
    keymap.add(Binding(("e", "h"), ("flows",), "head"))
    keymap.add(Binding(("a",), ("global",), "resume"))
    keymap.add(Binding((",", "m"), ("global",), "menu item"))
    keymap.menu_delay = 0.01
    ran: list[str] = []
    changes: list[None] = []
    engine = KeyEngine(
        keymap,
        lambda binding, count: ran.extend(repeated(binding.command, count)),
        lambda: changes.append(None),
        (missed if missed is not None else []).append,
    )
    return engine, ran, changes


async def test_a_key_and_a_chord():
    engine, ran, _ = make()
    assert engine.press("a", CONTEXTS, None)
    assert engine.press("e", CONTEXTS, None)
    assert engine.pending == ("e",)
    assert engine.press("h", CONTEXTS, None)
    assert ran == ["resume", "head"]
    assert engine.pending == ()


async def test_esc_drops_a_prefix_and_so_does_a_key_that_does_not_follow():
    missed: list[tuple[str, ...]] = []
    engine, ran, _ = make(missed)
    engine.press("e", CONTEXTS, None)
    assert engine.press("esc", CONTEXTS, None)
    assert engine.pending == ()
    assert missed == []
    engine.press("e", CONTEXTS, None)
    assert engine.press("a", CONTEXTS, None), "it ended the prefix and ran nothing"
    assert ran == []
    assert missed == [("e", "a")]
    assert not engine.press("y", CONTEXTS, None)


async def test_the_menu_opens_after_a_while_and_at_once_on_the_leader():
    engine, _, changes = make()
    engine.press("e", CONTEXTS, None)
    assert not engine.menu_is_open
    while not engine.menu_is_open:
        await asyncio.sleep(0)
    assert changes
    assert [binding.command for binding in engine.following] == ["head"]
    engine.drop()
    engine.press(",", CONTEXTS, None)
    assert engine.menu_is_open
    assert engine.press("m", CONTEXTS, None)
    assert not engine.menu_is_open


async def test_a_pending_prefix_never_times_out():
    engine, ran, _ = make()
    engine.press("e", CONTEXTS, None)
    while not engine.menu_is_open:
        await asyncio.sleep(0)
    assert engine.press("h", CONTEXTS, None)
    assert ran == ["head"]


async def test_digits_that_are_bound_to_nothing_say_how_often():
    engine, ran, _ = make()
    assert not engine.press("3", CONTEXTS, None), "a key file has to ask for it"
    engine.keymap.counts = True
    for key in "12":
        assert engine.press(key, CONTEXTS, None)
    assert engine.typed == "12"
    assert engine.press("a", CONTEXTS, None)
    assert ran == ["resume"] * 12
    assert engine.typed == ""
    engine.press("2", CONTEXTS, None)
    engine.press("e", CONTEXTS, None)
    assert engine.typed == "2 e"
    engine.press("h", CONTEXTS, None)
    assert ran[12:] == ["head"] * 2
    assert not engine.press("0", CONTEXTS, None), "no count begins with it"


async def test_a_count_is_dropped_by_esc_and_by_a_key_that_does_nothing():
    engine, ran, _ = make()
    engine.keymap.counts = True
    engine.press("4", CONTEXTS, None)
    assert engine.press("esc", CONTEXTS, None)
    engine.press("4", CONTEXTS, None)
    engine.press("~", CONTEXTS, None)
    engine.press("a", CONTEXTS, None)
    assert ran == ["resume"]


async def test_a_digit_that_is_bound_is_no_count_and_a_command_may_take_the_number():
    engine, ran, _ = make()
    engine.keymap.counts = True
    engine.keymap.add(Binding(("5",), ("global",), "five"))
    engine.keymap.add(Binding(("G",), ("global",), "go {count}"))
    engine.press("5", CONTEXTS, None)
    engine.press("7", CONTEXTS, None)
    engine.press("5", CONTEXTS, None)
    engine.press("G", CONTEXTS, None)
    engine.press("G", CONTEXTS, None)
    assert ran == ["five", "go 75", "go "]


def test_no_count_is_endless():
    assert len(repeated("resume", 999_999)) == 1_000
