"""console_palette_transparent off: a background of the palette's own behind everything."""

import pytest
import urwid

from midstream.console.palettes import PALETTES
from midstream.console.palettes.opaque import GROUNDS, opaque, transparent


@pytest.mark.parametrize("name", GROUNDS)
def test_nothing_of_the_terminal_shows_through(name: str) -> None:
    looks = opaque(PALETTES[name], GROUNDS[name])
    assert set(looks) == {*PALETTES[name], None}
    for role, look in looks.items():
        for spec in (
            urwid.AttrSpec(look.foreground, look.background, 16),
            urwid.AttrSpec(look.foreground_high or "", look.background_high or "", 256),
        ):
            assert spec.background != "default", role
            assert spec.foreground.split(",")[0] != "default", role
    before = PALETTES[name]["tab.on"]
    assert looks["tab.on"][:2] == before[:2]
    assert looks["tab.on"].background_high == (before.background_high or before.background)


def test_otherwise_the_palette_stays_as_it_is() -> None:
    looks = transparent(PALETTES["dark"])
    assert {role: look for role, look in looks.items() if role is not None} == PALETTES["dark"]
    assert looks[None].background == "default"
