"""The orders that a flow list may have: what each of them compares.

Used by `shown` and `sorting`. A key ends with arrival number and id: all keys differ, and a list that is kept in such
an order needs nothing but them.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any, TypeAlias

from midstream.store.rows import Row
from midstream.text.suggest import did_you_mean

Key: TypeAlias = tuple[Any, ...]

ORDERS: dict[str, Callable[[Row], Key]] = {
    "time": lambda row: (row.created, row.number, row.id),
    "method": lambda row: (row.method, row.number, row.id),
    "url": lambda row: (row.scheme, row.host, row.path, row.number, row.id),
    "size": lambda row: (row.size, row.number, row.id),
    "host": lambda row: (_by_domain(row.host), row.port, row.path, row.number, row.id),
    "code": lambda row: (_by_code(row), row.number, row.id),
    "type": lambda row: (row.content_type or row.kind, row.number, row.id),
    "duration": lambda row: (row.duration if row.duration is not None else inf, row.number, row.id),
    "messages": lambda row: (row.messages, row.number, row.id),
}
# Sizes change with every message; a list that jumps all the time cannot be read, so these rows move in `tidy` only.
LAZY_ORDERS = frozenset({"size", "code", "type", "duration", "messages"})


def check_order(key: str) -> None:
    """ValueError says what is wrong with an unknown order."""
    if key not in ORDERS:
        raise ValueError(f"{key!r} is no order{did_you_mean(key, ORDERS)}; there are {', '.join(ORDERS)}")


def _by_domain(host: str) -> str:
    """`example.api` of `api.example`: the hosts of a site stand together. Addresses stay as they are."""
    if host[-1:].isdigit() or ":" in host:
        return host
    return ".".join(reversed(host.split(".")))


def _by_code(row: Row) -> int:
    """Without an answer first, what failed last: that is what one looks for, at one end or the other."""
    return 1000 if row.failed else row.status if row.status is not None else -1
