"""Events against the table of the reference: names, arguments and their types, groups, and which may be async."""

import csv
import re
from pathlib import Path

import pytest

from midstream.hub.events import DECLARATIONS

with (Path(__file__).parent / "events.tsv").open(newline="") as file:
    ROWS = list(csv.DictReader(file, delimiter="\t"))


def words(row: dict[str, str]) -> list[tuple[str, str]]:
    """Name and type of each argument as we write them: without modules and what the type consists of."""
    if row["args"] == "(none)":
        return []
    name, _, kind = re.sub(r"\((?=.*\)).*\)$", "", row["args"]).partition(":")
    return [(name, re.sub(r"\w+\.", "", kind))]


def test_there_are_exactly_these_events() -> None:
    assert [row["name"] for row in ROWS] == list(DECLARATIONS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_an_event_is_declared_as_the_table_says(row: dict[str, str]) -> None:
    event = DECLARATIONS[row["name"]]
    arguments = ", ".join(f"{name}: {kind}" for name, kind in words(row))
    assert event.signature == f"{row['name']}({arguments})"
    assert event.sync_only == row["async_and_blocking"].startswith("sync")
    assert bool(event.deprecated) == ("deprecated" in row["group"])
    assert row["group"].startswith(event.group)
    # "then waits until flow is resumed"
    assert event.carries_flow == ("flow is resumed" in row["async_and_blocking"])
