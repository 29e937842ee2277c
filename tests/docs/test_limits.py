"""The limits that docs/limits.md names are those of the code: each option and constant is there, with that value."""

from __future__ import annotations

import re
from importlib import import_module

import pytest

from midstream.text.sizes import parse_size
from tests.docs.pages import DOCS, codes, declared, tables

PAGE = DOCS / "limits.md"
HEADS = ["what", "where", "limit", "beyond it"]
ROWS = [row for rows in tables(PAGE) for row in rows[1:]]
UNITS = {"": 1, "s": 1, "bytes": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}


def stated(limit: str) -> float | None:
    """The number that a cell of the third column means."""
    if limit == "none":
        return None
    found = re.fullmatch(r"([\d.]+) ?(\w*)", limit)
    assert found is not None, limit
    return float(found[1]) * UNITS[found[2]]


def actual(where: str) -> float | None:
    """The value of a constant, or the default of an option."""
    if "." not in where:
        option = declared().options[where]
        value = parse_size(option.default) if option.kind.name == "size" and option.default else option.default
        return None if value is None else float(value)
    parts = where.split(".")
    for length in range(len(parts) - 1, 0, -1):
        try:
            found = import_module(".".join(["midstream", *parts[:length]]))
        except ModuleNotFoundError:
            continue
        holder, name = found, parts[length]
        if len(parts) > length + 1:
            holder, name = getattr(found, name), parts[length + 1]
        defaults: dict[str, float] = getattr(holder, "_field_defaults", {})
        return float(defaults[name] if name in defaults else getattr(holder, name))
    raise AssertionError(f"there is no {where}")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: " ".join(codes(row[1])))
def test_a_limit_is_what_is_said(row: list[str]) -> None:
    (where,) = codes(row[1])
    assert actual(where) == stated(row[2]), where


def test_all_tables_are_alike() -> None:
    assert [rows[0] for rows in tables(PAGE)] == [HEADS] * len(list(tables(PAGE)))


def test_no_limit_that_users_can_set_is_left_out() -> None:
    named = {code for row in ROWS for code in codes(row[1])}
    ours = {name for name in declared().options if name.endswith(("_timeout", "_limit", "_keepalive"))}
    assert ours <= named
