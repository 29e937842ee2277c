"""How the console looks: palettes while one chooses, NO_COLOR, ASCII in every scene, states told by text."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
from pathlib import Path

import pytest

import midstream.console
from midstream.console import glyphs
from midstream.console.palettes import NAMES, PALETTES
from midstream.console.widgets import cells
from tests.console import test_golden as golden
from tests.console.masters import Shown, shown_console
from tests.kit.captured import http_flow, websocket_flow

CONSOLE = Path(midstream.console.__file__).parent


@pytest.fixture(autouse=True)
def unicode_again():
    yield
    glyphs.use_ascii(False)


def registered(shown: Shown, role: str = "focus") -> object:
    return shown.screen._palette[role]


async def test_each_palette_is_shown_while_one_chooses_and_esc_restores(tmp_path):
    async with shown_console(tmp_path) as shown:
        before = registered(shown)
        shown.press(",", "p")
        assert "high_contrast" in shown.text
        shown.press("down", "down")
        assert shown.console.terminal.palette_name == "high_contrast"
        assert registered(shown) != before
        assert shown.options.console_palette == "dark"
        shown.press("esc")
        assert shown.console.terminal.palette_name == "dark"
        assert registered(shown) == before
        shown.press(",", "p", "down", "enter")
        assert shown.options.console_palette == shown.console.terminal.palette_name == "light"


@pytest.mark.parametrize("name", NAMES)
async def test_palettes_are_switched_live(tmp_path, name):
    async with shown_console(tmp_path) as shown:
        shown.console.run_command(f"console.colours.set {name}")
        assert shown.console.terminal.palette_name == name
        shown.options.console_palette_transparent = False
        assert shown.text
        shown.console.run_command("console.colours.set pink")
        assert "pink" in shown.text and shown.console.terminal.palette_name == name


async def test_no_color_is_mono_unless_a_palette_was_chosen(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    async with shown_console(tmp_path) as shown:
        assert shown.console.terminal.palette_name == "mono"
        shown.press(",", "p", "up", "enter")
        assert shown.console.terminal.palette_name == "colour_blind"
        shown.options.reset_one("console_palette")
        assert shown.console.terminal.palette_name == "mono"
    monkeypatch.setenv("NO_COLOR", "")
    async with shown_console(tmp_path) as shown:
        assert shown.console.terminal.palette_name == "dark"


# --- ASCII ------------------------------------------------------------------------------------------------------------


def bytes_beyond_ascii(shown: Shown) -> list[bytes]:
    shown.console.terminal.paint()
    assert shown.screen.canvas is not None
    return [data for row in shown.screen.canvas.content() for _, _, data in row if not data.isascii()]


@pytest.mark.parametrize("scene", golden.SCENES, ids=lambda scene: scene.name)
async def test_no_scene_paints_more_than_ascii(scene, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / ".midstream"
    folder.mkdir()
    if scene.key_file:
        (folder / "keys.yaml").write_text(scene.key_file)
    async with shown_console(folder, 100, 30) as shown:
        shown.options.console_ascii = True
        always = asyncio.all_tasks()
        done = scene.before(shown)
        if inspect.isawaitable(done):
            await done
        await golden.settle(shown, always)
        for key in scene.keys:
            if callable(key):
                key(shown)
            elif key == golden.MENU:
                shown.console.keys._open()
            else:
                shown.press(key)
            await golden.settle(shown, always)
            assert not bytes_beyond_ascii(shown), key
        if scene.until and scene.until.isascii():
            await shown.until_shown(scene.until)
            assert not bytes_beyond_ascii(shown)


async def test_signs_have_a_fallback_that_is_switched_live(tmp_path):
    async with shown_console(tmp_path) as shown:
        flow = http_flow("http://example.com/été", status=None, live=True)
        flow.intercept()
        shown.view.add(flow)
        assert "‖req" in shown.text
        shown.options.console_ascii = True
        assert "=req" in shown.text and not bytes_beyond_ascii(shown)
        shown.options.console_ascii = False
        assert "‖req" in shown.text


async def test_a_locale_without_unicode_is_ascii(tmp_path, monkeypatch):
    monkeypatch.setattr("urwid.get_encoding_mode", lambda: "narrow")
    async with shown_console(tmp_path) as shown:
        flow = http_flow("http://example.com/", status=None, live=True)
        flow.intercept()
        shown.view.add(flow)
        assert "=req" in shown.text and not bytes_beyond_ascii(shown)


@pytest.mark.parametrize(
    ("environment", "chosen", "plain"),
    [
        ({"LC_ALL": "C"}, True, True),
        ({"LANG": "POSIX", "LC_CTYPE": "C.UTF-8"}, True, True),  # LC_CTYPE is Python's own doing
        ({"LANG": "de_DE.ISO-8859-1", "LC_ALL": ""}, True, True),  # not installed
        ({"LC_ALL": "C", "LANG": "de_DE.UTF-8"}, True, True),
        ({}, True, False),  # a container; its terminal is one of today
        ({"LANG": "de_DE.UTF-8"}, True, False),  # not installed
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, False, False),
        ({"LC_ALL": "C", "PYTHONUTF8": "1"}, True, False),
    ],
)
def test_the_locale_that_was_asked_for_counts(environment, chosen, plain):
    assert glyphs.locale_is_plain(environment, chosen) is plain


def signs_of(path: Path) -> set[str]:
    """Characters beyond ASCII in the strings of a module that are no docstrings; surrogates stand for bytes."""
    tree = ast.parse(path.read_text("utf-8"))
    said = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    texts = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said
    ]
    return {sign for text in texts for sign in text if ord(sign) > 0x7F and not 0xD800 <= ord(sign) < 0xE000}


def test_every_sign_of_the_console_has_a_fallback_of_its_width():
    used = {sign for path in CONSOLE.rglob("*.py") for sign in signs_of(path)}
    used.discard("\U0010fffe")  # a paste, which is never painted
    assert used - set(glyphs.ASCII) - set(glyphs.PICTURES) == set()
    for sign, plain in (glyphs.ASCII | glyphs.PICTURES).items():
        assert plain.isascii() and len(plain) == 1, sign
        assert cells.width(sign) == 1, sign


# --- never by colour alone --------------------------------------------------------------------------------------------


async def test_rows_in_different_states_differ_by_their_text(tmp_path):
    def flow(**more: object):
        return http_flow("http://example.com/", start=1_700_000_000.0, **more)

    plain, marked, held, failed, edited, replayed, live = (
        *(flow() for _ in range(2)),
        flow(status=None, live=True),
        *(flow() for _ in range(3)),
        flow(status=None, live=True),
    )
    from midstream.flows.flow import Error

    marked.marked = ":default:"
    held.intercept()
    failed.error = Error("reset by peer", 1_700_000_001.0)
    edited.backup()
    edited.request.method = "GET"
    edited.comment = "x"
    replayed.is_replay = "request"
    async with shown_console(tmp_path) as shown:
        shown.options.console_ascii = True
        for each in (plain, marked, held, failed, edited, replayed, live, websocket_flow((True, b"a"))):
            shown.view.add(each)
        shown.view.set_focus(plain.id)
        rows = [line for line in shown.lines if " example.com" in line][:8]
        told = {re.sub(r" +\d+ +\d\d:\d\d:\d\d", "", row) for row in rows}
        assert len(told) == 8, told


@pytest.mark.parametrize(
    "role", [role for role in PALETTES["mono"] if role.endswith(".on") or role.startswith("focus")]
)
def test_what_is_chosen_is_seen_without_colour(role):
    look = PALETTES["mono"][role]
    assert look.mono != "default"


async def test_toasts_of_different_levels_differ_by_their_text(tmp_path):
    async with shown_console(tmp_path) as shown:
        told = set()
        for level in ("info", "warn", "error"):
            shown.console.messages.clear()
            shown.console.messages.news("the same words", level)
            told.add(next(line.strip() for line in shown.lines if "the same words" in line))
        assert told == {"the same words", "warn: the same words", "error: the same words"}


async def test_which_tab_is_shown_is_told_without_colour(tmp_path):
    async with shown_console(tmp_path) as shown:
        shown.options.console_palette = "mono"
        for key, name in (("1", "flows"), ("2", "queue"), ("3", "options"), ("4", "commands"), ("5", "keys")):
            shown.press(key)
            assert shown.text and shown.screen.canvas is not None
            row = next(iter(shown.screen.canvas.content()))
            on = [data.decode().strip() for role, _, data in row if role == "tab.on"]
            assert on == [f"{key} {name}"]
            assert PALETTES["mono"]["tab.on"].mono != PALETTES["mono"]["tab"].mono
        shown.view.add(http_flow("http://h.example/", status=None, live=True))
        held = shown.view.get(shown.view.shown[0])
        held.intercept()
        shown.view.update(held)
        shown.press("1")
        shown.view.add(http_flow("http://h.example/"))
        assert PALETTES["mono"]["tab.alert"].mono not in (PALETTES["mono"]["tab"].mono, PALETTES["mono"]["tab.on"].mono)
