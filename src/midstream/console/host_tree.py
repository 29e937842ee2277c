"""Hosts, the segments of their paths, and the flows below them, counted: the model of the tree pane.

Fed row by row: a flow costs the depth of its path and nothing more, whatever else there is. It knows rows only, and
paints nothing; panes/tree.py does.
"""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from midstream.store.rows import Row

DEEPEST = 12
"""Levels of the tree; what lies below them in a path is one name."""

NO_HOST = "(no host)"

FAMILIES = 6  # 0: no answer yet, 1xx to 5xx

MOST = 500
"""Lines that are shown of what is directly below a node: its first children, its last flows. One says how many more."""

MORE_ABOVE, MORE_BELOW = "more above", "more below"

Item = tuple["Node", str]
"""A line of the tree: a node, and "" for itself, the id of a flow below it, or one of the above."""


class _Share(NamedTuple):
    """What one flow adds to its node and to all above it."""

    node: Node
    size: int
    family: int
    failed: bool


class Node:
    """A host, or a segment of a path. `count`, `size`, `codes` and `failed` are sums of all that is below.

    `flows` are those that end here. `codes` are counted by their first digit.
    """

    __slots__ = (
        "_names",
        "children",
        "codes",
        "count",
        "depth",
        "failed",
        "flows",
        "is_open",
        "name",
        "parent",
        "size",
    )

    def __init__(self, name: str, parent: Node | None) -> None:
        self.name = name
        self.parent = parent
        self.depth: int = parent.depth + 1 if parent is not None else -1
        self.children: dict[str, Node] = {}
        self.flows: dict[str, None] = {}
        self.count = self.size = self.failed = 0
        self.codes = [0] * FAMILIES
        self.is_open = False
        self._names: list[str] = []  # of the children, sorted

    def child(self, name: str) -> Node:
        """The node of this name, made if need be."""
        found = self.children.get(name)
        if found is None:
            found = self.children[name] = Node(name, self)
            insort(self._names, name)
        return found

    def drop(self, name: str) -> None:
        """A child without flows goes."""
        del self.children[name]
        del self._names[bisect_left(self._names, name)]

    def in_order(self, most: int | None = None) -> list[Node]:
        """The children by name, all or the first."""
        return [self.children[name] for name in self._names[:most]]

    def last_flows(self, most: int) -> list[str]:
        """The flows that came last, the newest first."""
        return list(islice(reversed(self.flows), most))

    def path(self) -> list[str]:
        """The names from the host down to here."""
        names: list[str] = []
        node: Node | None = self
        while node is not None and node.parent is not None:
            names.append(node.name)
            node = node.parent
        return names[::-1]


class HostTree:
    """See the module. `shape` changes whenever there are other lines than before."""

    def __init__(self) -> None:
        self.root = Node("", None)
        self.root.is_open = True
        self.shape = 0
        self._shares: dict[str, _Share] = {}

    def __len__(self) -> int:
        return len(self._shares)

    def __contains__(self, id_: object) -> bool:
        return id_ in self._shares

    def ids(self) -> list[str]:
        """Every flow in it."""
        return list(self._shares)

    def note(self, row: Row) -> None:
        """A flow that is new or has changed."""
        node = self._node_for(row)
        family = row.status // 100 if row.status is not None and row.kind != "dns" else 0
        share = _Share(node, row.size, family if 0 <= family < FAMILIES else 0, bool(row.failed))
        known = self._shares.get(row.id)
        if known == share:
            return
        self._shares[row.id] = share
        # Added before the old one is taken away: what both are below must not go in between.
        _add(share, 1)
        if row.id not in node.flows:
            node.flows[row.id] = None
            self.shape += 1
        if known is not None:
            _add(known, -1)
            if known.node is not node:
                self._take(row.id, known.node)

    def remove(self, id_: str) -> None:
        """A flow that is gone; unknown ones are skipped."""
        share = self._shares.pop(id_, None)
        if share is not None:
            _add(share, -1)
            self._take(id_, share.node)

    def clear(self) -> None:
        """Nothing is left; what was unfolded is forgotten."""
        self.root = Node("", None)
        self.root.is_open = True
        self._shares.clear()
        self.shape += 1

    def node_of(self, id_: str) -> Node | None:
        """Where a flow is."""
        share = self._shares.get(id_)
        return share.node if share is not None else None

    def set_open(self, node: Node, is_open: bool) -> None:
        """Show what is below a node, or not."""
        if node.is_open != is_open:
            node.is_open = is_open
            self.shape += 1

    def lines(self, *, folded: bool = False) -> Iterator[Item]:
        """All lines that are unfolded, from top to bottom; with `folded` also the nodes below those that are not."""
        waiting = _below(self.root)
        while waiting:
            node, id_ = waiting.pop()
            yield node, id_
            if not id_ and node.is_open:
                waiting.extend(_below(node))
            elif not id_ and folded:
                waiting.extend(_nodes_below(node))

    def _node_for(self, row: Row) -> Node:
        node = self.root.child(_host_of(row))
        if row.kind not in ("http", "ws"):
            return node
        names = [name for name in row.path.partition("?")[0].split("/", DEEPEST + 1) if name]
        if len(names) >= DEEPEST:
            names[DEEPEST - 1 :] = ["/".join(names[DEEPEST - 1 :])]
        for name in names:
            node = node.child(name)
        return node

    def _take(self, id_: str, node: Node) -> None:
        node.flows.pop(id_, None)
        self.shape += 1
        while node.parent is not None and not node.count:
            node.parent.drop(node.name)
            node = node.parent


def _below(node: Node) -> list[Item]:
    """The lines directly below a node, the last first."""
    lines: list[Item] = [(node, flow) for flow in node.last_flows(MOST)]
    if len(node.flows) > MOST:
        lines.append((node, MORE_ABOVE))
    if len(node.children) > MOST:
        lines.append((node, MORE_BELOW))
    return [*lines, *_nodes_below(node)]


def _nodes_below(node: Node) -> list[Item]:
    return [(child, "") for child in reversed(node.in_order(MOST))]


def _add(share: _Share, sign: int) -> None:
    node: Node | None = share.node
    while node is not None:
        node.count += sign
        node.size += sign * share.size
        node.codes[share.family] += sign
        node.failed += sign * share.failed
        node = node.parent


def filter_for(node: Node) -> str:
    """The filter that shows what is below a node: by URL, of DNS by the name, and what has none by the server."""
    host, *names = node.path()
    place = "" if host == NO_HOST else re.escape(host)
    path = "".join("/+" + re.escape(name) for name in names)
    by_url = f"~u {_quoted(f'^([a-z]+://)?{place}{path}([/?]|$)')}"
    if names:
        return by_url
    return f"{by_url} | (~tcp | ~udp) & ~dst {_quoted(f'^{place}$')}"


def _host_of(row: Row) -> str:
    """As URLs have it; raw flows name their server with its port."""
    host = f"[{row.host}]" if ":" in row.host and row.kind in ("http", "ws") else row.host
    return (f"{host}:{row.port}" if row.port else host) or NO_HOST


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
