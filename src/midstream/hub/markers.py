"""The names that a flow can be marked with, and the glyph that each is shown as.

A marker is `:name:`. Names are those of the Unicode characters of the pictograph blocks, in small letters with `_` for
spaces, and the short names of chats where these differ. Used by the `marker` argument and by the flow list.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterator, Mapping

DEFAULT = ":default:"
DOT = "●"

# Pictograph blocks of Unicode; characters that no program but an emoji font draws are left out by `_is_pictograph`.
_BLOCKS = (
    (0x2600, 0x27BF),
    (0x2B1B, 0x2B1C),
    (0x2B50, 0x2B55),
    (0x1F300, 0x1F64F),
    (0x1F680, 0x1F6FF),
    (0x1F7E0, 0x1F7EB),
    (0x1F90C, 0x1F9FF),
    (0x1FA70, 0x1FAFF),
)

# Short names that people know from chats, with the code point where Unicode calls the character something else.
_SHORT_NAMES = {
    "+1": 0x1F44D,
    "-1": 0x1F44E,
    "100": 0x1F4AF,
    "angry": 0x1F620,
    "apple": 0x1F34E,
    "bangbang": 0x203C,
    "bell": 0x1F514,
    "blue_circle": 0x1F535,
    "boom": 0x1F4A5,
    "bug": 0x1F41B,
    "bulb": 0x1F4A1,
    "cat": 0x1F431,
    "clap": 0x1F44F,
    "cry": 0x1F622,
    "dog": 0x1F436,
    "exclamation": 0x2757,
    "eyes": 0x1F440,
    "fire": 0x1F525,
    "grin": 0x1F601,
    "grinning": 0x1F600,
    "heart": 0x2764,
    "joy": 0x1F602,
    "key": 0x1F511,
    "lock": 0x1F512,
    "mag": 0x1F50D,
    "memo": 0x1F4DD,
    "no_entry": 0x26D4,
    "ok_hand": 0x1F44C,
    "orange_circle": 0x1F7E0,
    "pencil": 0x1F4DD,
    "pencil2": 0x270F,
    "point_down": 0x1F447,
    "point_left": 0x1F448,
    "point_right": 0x1F449,
    "point_up": 0x261D,
    "poop": 0x1F4A9,
    "pray": 0x1F64F,
    "question": 0x2753,
    "rage": 0x1F621,
    "raised_hands": 0x1F64C,
    "red_circle": 0x1F534,
    "rotating_light": 0x1F6A8,
    "skull": 0x1F480,
    "smile": 0x1F604,
    "smiley": 0x1F603,
    "sob": 0x1F62D,
    "sparkles": 0x2728,
    "star": 0x2B50,
    "star2": 0x1F31F,
    "sunglasses": 0x1F60E,
    "sunny": 0x2600,
    "tada": 0x1F389,
    "thinking": 0x1F914,
    "thumbsdown": 0x1F44E,
    "thumbsup": 0x1F44D,
    "unlock": 0x1F513,
    "warning": 0x26A0,
    "wave": 0x1F44B,
    "white_check_mark": 0x2705,
    "wink": 0x1F609,
    "x": 0x274C,
    "zap": 0x26A1,
    "zzz": 0x1F4A4,
}


def glyph(marker: str) -> str:
    """What stands for `marker` in a list: its character, a dot for the default and for names unknown here."""
    return _table().get(marker, DOT) if marker else ""


def names() -> Mapping[str, str]:
    """Every marker with its glyph, in the order of the alphabet, the default first."""
    return _table()


@functools.cache
def _table() -> dict[str, str]:
    # A pure table, built when somebody first marks or completes: it takes two milliseconds.
    found = dict(sorted(_named_characters()))
    found.update((f":{name}:", chr(point)) for name, point in _SHORT_NAMES.items())
    return {DEFAULT: DOT} | dict(sorted(found.items()))


def _named_characters() -> Iterator[tuple[str, str]]:
    for first, last in _BLOCKS:
        for point in range(first, last + 1):
            character = chr(point)
            name = unicodedata.name(character, "")
            if name and _is_pictograph(character, name):
                yield f":{name.lower().replace(' ', '_')}:", character


def _is_pictograph(character: str, name: str) -> bool:
    # Skin tones are modifiers, drawn onto the character before them.
    return unicodedata.category(character) == "So" and "MODIFIER" not in name
