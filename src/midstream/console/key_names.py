"""Names of keys: as key files write them (`ctrl e`, `page_up`), and as urwid reports them (`meta x`, `page up`).

One name per key: modifiers in the order ctrl, alt, shift, super, then the key. Used by the key files, the key engine
and the hints; it knows nothing of bindings.
"""

from __future__ import annotations

from midstream.text.suggest import did_you_mean

MODIFIERS = ("ctrl", "alt", "shift", "super")
NAMED = frozenset(
    {"enter", "tab", "esc", "space", "backspace", "insert", "delete", "home", "end", "page_up", "page_down"}
    | {"up", "down", "left", "right", "leader"}
    | {f"f{number}" for number in range(1, 25)}
)

# Keys that a terminal without extended keys sends as the same bytes; the value is the one it means.
LEGACY_SAME = {
    "ctrl i": "tab",
    "ctrl m": "enter",
    "ctrl j": "enter",
    "ctrl h": "backspace",
    "ctrl [": "esc",
    "ctrl /": "ctrl _",
    "ctrl enter": "enter",
    "shift enter": "enter",
    "ctrl tab": "tab",
    "ctrl space": "ctrl @",
}


class BadKey(ValueError):
    """A key name that does not exist; the message says what is wrong."""


def parse_chord(text: str, leader: str = "") -> tuple[str, ...]:
    """`g g` is two keys, `ctrl e` one; urwid's `meta b` and `page up` are understood too. Raises BadKey."""
    keys: list[str] = []
    modifiers: list[str] = []
    for word in _words(text):
        if word in MODIFIERS:
            if word in modifiers:
                raise BadKey(f"{word!r} stands twice before one key")
            modifiers.append(word)
            continue
        keys.append(_one_key(word, modifiers, leader))
        modifiers = []
    if modifiers:
        raise BadKey(f"{' '.join(modifiers)!r} is not followed by a key")
    if not keys:
        raise BadKey("no key is named")
    return tuple(keys)


def _words(text: str) -> list[str]:
    if text == " ":
        return ["space"]
    words: list[str] = []
    for word in text.split():
        if words and words[-1] == "page" and word in ("up", "down"):
            words[-1] = f"page_{word}"
        else:
            words.append("alt" if word == "meta" else word)
    return words


def _one_key(word: str, modifiers: list[str], leader: str) -> str:
    if word == "leader":
        if not leader:
            raise BadKey("'leader' is used, but the option leader is empty")
        word = leader
    if len(word) > 1 and word not in NAMED:
        raise BadKey(f"{word!r} is no key name{did_you_mean(word, [*NAMED, *MODIFIERS])}")
    if len(word) == 1 and not word.isprintable():
        raise BadKey(f"{word!r} is no key name")
    if "shift" in modifiers and len(word) == 1 and word.isalpha():
        # Terminals send the upper case letter; `shift a` and `A` are one key.
        modifiers = [modifier for modifier in modifiers if modifier != "shift"]
        word = word.upper()
    if "ctrl" in modifiers and len(word) == 1:
        word = word.lower()
    return " ".join([*(modifier for modifier in MODIFIERS if modifier in modifiers), word])


def from_urwid(key: str) -> str:
    """Our name of the key that urwid reports."""
    if key == " ":
        return "space"
    if len(key) == 1:
        return key
    modifiers: set[str] = set()
    rest = key
    while True:
        head, space, tail = rest.partition(" ")
        name = "alt" if head == "meta" else head
        if not space or name not in MODIFIERS or not tail:
            break
        modifiers.add(name)
        rest = tail
    rest = {"page up": "page_up", "page down": "page_down", " ": "space", "": "space"}.get(rest, rest)
    return " ".join([*(modifier for modifier in MODIFIERS if modifier in modifiers), rest])


def legacy_meaning(key: str) -> str | None:
    """What a terminal without extended keys makes of the key; None: it can be told apart everywhere."""
    return LEGACY_SAME.get(key)


def show_chord(keys: tuple[str, ...]) -> str:
    """For hints and menus."""
    return " ".join(keys)
