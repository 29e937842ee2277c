"""Palettes: every role in all of them, and text that can be read, measured as WCAG does."""

from __future__ import annotations

import pytest
import urwid

from midstream.console.palettes import NAMES, PALETTES
from midstream.console.palettes.contrast import DECORATION, READABLE, STRONG, contrast, readable, rgb
from midstream.console.palettes.opaque import GROUNDS, opaque
from midstream.console.palettes.roles import ROLES

COLOURED = [name for name in NAMES if name not in ("mono", "lowdark", "lowlight")]
LOW = ["lowdark", "lowlight"]


@pytest.mark.parametrize("name", NAMES)
def test_every_role_looks_like_something(name: str) -> None:
    palette = PALETTES[name]
    assert set(palette) == set(ROLES)
    for look in palette.values():
        urwid.AttrSpec(look.foreground, look.background, 16)
        urwid.AttrSpec(look.mono, "default", 1)
        for colours in (256, 2**24):
            urwid.AttrSpec(look.foreground_high or look.foreground, look.background_high or look.background, colours)


@pytest.mark.parametrize("colours", [256, 2**24])
@pytest.mark.parametrize("name", COLOURED)
def test_text_can_be_read(name: str, colours: int) -> None:
    least = STRONG if name == "high_contrast" else READABLE
    for role, look in opaque(PALETTES[name], GROUNDS[name]).items():
        if role in DECORATION:
            continue
        text = (look.foreground_high or look.foreground).partition(",")[0]
        behind = look.background_high or look.background
        measured = contrast(rgb(text, colours), rgb(behind, colours))
        assert measured >= least, f"{role}: {text} on {behind} has {measured:.2f}"


@pytest.mark.parametrize("name", LOW)
def test_the_low_palettes_use_the_colours_of_the_terminal_and_can_be_read(name: str) -> None:
    for role, look in opaque(PALETTES[name], GROUNDS[name]).items():
        high = look.foreground_high or look.foreground, look.background_high or look.background
        assert not any("#" in part for part in high), role
        text, behind = (part.partition(",")[0] for part in high)
        if role not in DECORATION:
            assert contrast(rgb(text, 16), rgb(behind, 16)) >= 4, f"{role}: {text} on {behind}"


def test_on_the_ground_that_a_transparent_palette_may_meet() -> None:
    for name, grounds in {"dark": ("#000", "#1c1c1c"), "light": ("#fff", "#f4f4f4"), "colour_blind": ("#000",)}.items():
        for role, look in PALETTES[name].items():
            text = (look.foreground_high or look.foreground).partition(",")[0]
            if role in DECORATION or text == "default" or (look.background_high or look.background) != "default":
                continue
            for ground in grounds:
                assert contrast(rgb(text), rgb(ground)) >= READABLE, (name, role, text, ground)


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("status.2xx", "status.5xx"),
        ("edit.after", "edit.before"),
        ("prompt.good", "prompt.bad"),
        ("bar.ok", "bar.error"),
    ],
)
def test_colour_blind_tells_good_from_bad_by_blue_and_orange(good: str, bad: str) -> None:
    palette = PALETTES["colour_blind"]

    def colour(role: str) -> tuple[int, int, int]:
        return rgb((palette[role].foreground_high or "").partition(",")[0])

    assert colour(good)[2] > colour(good)[0], "blue"
    assert colour(bad)[0] > colour(bad)[2], "orange"


def test_contrast_and_what_is_moved() -> None:
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast((7, 7, 7), (7, 7, 7)) == 1
    assert readable("#fff", "#000", STRONG) == "#fff"
    assert contrast(rgb(readable("#00a", "#000", READABLE)), rgb("#000")) >= READABLE
    assert contrast(rgb(readable("#ff0", "#fff", READABLE)), rgb("#fff")) >= READABLE
    assert readable("#888", "#888", STRONG).startswith("#")


def test_unknown_names() -> None:
    assert len(PALETTES) == len(list(PALETTES)) == len(NAMES)
    with pytest.raises(KeyError):
        PALETTES["pink"]
