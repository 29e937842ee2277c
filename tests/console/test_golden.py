"""Whole screens against golden text. MIDSTREAM_GOLDEN=write in the environment writes them anew: read the diff."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest

from tests.console.masters import Shown, shown_console
from tests.kit.captured import http_flow

GOLDEN = Path(__file__).parent / "golden"
SIZES = [(120, 32), (80, 24)]


def compare(shown: Shown, name: str) -> None:
    """The screen without what depends on the minute: bars, rates and durations of held flows."""
    text = re.sub(r"[▁▂▃▄▅▆▇█ ]+ +<?\d+/s", "", shown.text)
    text = re.sub(r"lag \d+ms", "", text)
    text = re.sub(r"(?m)^ keys  \d+ ", " keys  N ", text)
    text = "\n".join(line.rstrip() for line in text.split("\n")) + "\n"
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("MIDSTREAM_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert text == path.read_text()


def some_traffic(shown: Shown) -> None:
    for number, (method, url, status) in enumerate(
        [
            ("GET", "https://shop.example/", 200),
            ("GET", "https://cdn.example/app.3f9c.js", 200),
            ("POST", "https://api.example/v2/login", 401),
            ("GET", "https://api.example/v2/cart?currency=EUR", 503),
            ("DELETE", "https://api.example/v2/cart/items/7", 204),
        ]
    ):
        flow = http_flow(url, method, status=status, start=1_700_000_000.0 + number, response_body=b"x" * 700 * number)
        shown.view.add(flow)
    flow.marked = ":default:"
    shown.view.update(flow)


@pytest.fixture(autouse=True)
def one_place_and_time(monkeypatch, tmp_path):
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("HOME", str(tmp_path))
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(("columns", "rows"), SIZES)
async def test_screens(tmp_path, columns, rows):
    size = f"{columns}x{rows}"
    async with shown_console(tmp_path / ".midstream", columns, rows) as shown:
        compare(shown, f"empty-{size}")
        some_traffic(shown)
        compare(shown, f"flows-{size}")
        shown.press("e")
        shown.console.keys._open()
        compare(shown, f"menu-{size}")
        shown.press("esc", ":", "flow.mark @focus :", "tab")
        compare(shown, f"completion-{size}")
        shown.press("esc", "esc", "f", "~d api")
        await shown.until(lambda: len(shown.view.shown) == 3)
        shown.press("enter")
        compare(shown, f"filtered-{size}")
        shown.press("z")
        compare(shown, f"confirm-{size}")
        shown.press("n", "o")
        compare(shown, f"chooser-{size}")


KEYS = """\
version: 1
unbind:
  - {keys: Z, in: [flows]}
bind:
  - {keys: d, in: [flows], run: flow.kill @focus, help: Kill instead}
  - {keys: T, in: [flows, detail], run: tagg.it @focus, help: Tag it}
  - {keys: ctrl i, run: flow.resume @all, help: Resume all}
  - {keys: entre, run: flow.resume @all}
"""


@pytest.mark.parametrize(("columns", "rows"), SIZES)
async def test_the_keys_pane(tmp_path, columns, rows):
    size = f"{columns}x{rows}"
    (tmp_path / ".midstream").mkdir()
    (tmp_path / ".midstream" / "keys.yaml").write_text(KEYS)
    async with shown_console(tmp_path / ".midstream", columns, rows) as shown:
        shown.press("K")
        compare(shown, f"keys-{size}")
        shown.press("/", "tagg", "enter")
        compare(shown, f"keys-missing-{size}")
        shown.press("/", "resume all", "enter", "n")
        compare(shown, f"keys-legacy-{size}")
        shown.press("/", "command.set intercept", "enter", "enter")
        compare(shown, f"keys-rebind-{size}")


async def test_the_small_form(tmp_path):
    async with shown_console(tmp_path, 50, 12) as shown:
        some_traffic(shown)
        compare(shown, "flows-50x12")
        shown.press("i", "~d x")
        compare(shown, "prompt-50x12")


async def test_what_is_painted_has_a_role_in_every_palette(tmp_path):
    from midstream.console.palettes import PALETTES
    from midstream.console.palettes.roles import ROLES

    for palette in PALETTES.values():
        assert set(palette) == set(ROLES)
    async with shown_console(tmp_path) as shown:
        some_traffic(shown)
        for keys in ((), ("O",), ("C",), ("?",), ("q", "q", "q", "E"), ("i", "("), ("esc", ","), ("esc", "enter")):
            shown.press(*keys)
            assert shown.text
            canvas = shown.screen.canvas
            assert canvas is not None
            used = {role for row in canvas.content() for role, _, _ in row}
            assert used <= set(ROLES), used - set(ROLES)
