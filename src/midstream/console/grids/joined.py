"""Texts that are items with a separator between them, such as queries: taken apart so that no byte gets lost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from midstream.flows.errors import CommandError

MOST_ITEMS = 5_000
"""Taking more apart holds the keys up."""


class Item(NamedTuple):
    """`lead` is what stood before the item: empty items with their separators, and blanks."""

    lead: bytes
    text: bytes


def refuse_many(count: int) -> None:
    """CommandError: a table of so many rows."""
    if count > MOST_ITEMS:
        advice = f"up to {MOST_ITEMS:,} are edited as a table; e e opens it in $EDITOR"
        raise CommandError(f"it has {count:,} parts, and {advice}")


def gather(parts: Iterable[bytes], separator: bytes, blanks: bytes = b"") -> tuple[list[Item], bytes]:
    """The items among the parts between separators, and what follows the last one."""
    parts = list(parts)
    refuse_many(len(parts))
    items: list[Item] = []
    lead = b""
    skipped = False
    for part in parts:
        text = part.lstrip(blanks) if blanks else part
        lead += (separator if skipped else b"") + part[: len(part) - len(text)]
        if text:
            items.append(Item(lead, text))
            lead, skipped = b"", False
        else:
            skipped = True
    # What follows the last item begins with the separator that stood behind it.
    tail = (separator if items else b"") + lead if skipped else b""
    return items, tail


def join(items: Sequence[Item], tail: bytes, separator: bytes) -> bytes:
    """The opposite of `gather`."""
    return separator.join(item.lead + item.text for item in items) + tail
