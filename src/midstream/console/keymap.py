"""Which key runs which command: bindings by context, chords, menus.

Key files fill a `Keymap`; the key engine looks keys up in it; hints, the which-key menu and the keys pane list it.
Contexts inherit: flows → list → global, detail → global; prompt, text and grid stand alone. It runs nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field, replace

from midstream.flows.flow import Flow

# Every context and the ones looked up after it.
CONTEXTS: dict[str, tuple[str, ...]] = {
    "global": ("global",),
    "list": ("list", "global"),
    "flows": ("flows", "list", "global"),
    "queue": ("queue", "list", "global"),
    "compare": ("compare", "global"),
    "tree": ("tree", "list", "global"),
    "detail": ("detail", "global"),
    "options": ("options", "list", "global"),
    "commands": ("commands", "list", "global"),
    "keys": ("keys", "list", "global"),
    "log": ("log", "list", "global"),
    "help": ("help", "list", "global"),
    "prompt": ("prompt",),
    "text": ("text",),
    "grid": ("grid",),
}

Condition = Callable[[Flow], bool]


@dataclass(frozen=True, slots=True)
class Binding:
    """One line of a key file. `when` is a compiled filter on the focused flow, `source` a set's name or file:line.

    `place` is file:line:column, for messages. `leader_at` are the positions of keys that were written as `leader`.
    """

    keys: tuple[str, ...]
    contexts: tuple[str, ...]
    command: str
    help: str = ""
    when: Condition | None = None
    when_text: str = ""
    source: str = ""
    place: str = ""
    leader_at: tuple[int, ...] = ()
    layer: int = 0  # set when it is added


@dataclass(frozen=True, slots=True)
class Unbound:
    """Keys that were taken away in the session."""

    keys: tuple[str, ...]
    contexts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lost:
    """A binding that does not count any more in one context, and why."""

    binding: Binding
    context: str
    reason: str


@dataclass(slots=True)
class Found:
    """The answer for a sequence of keys: a binding to run, or the ones that may follow (a prefix), or neither."""

    binding: Binding | None = None
    following: list[Binding] = field(default_factory=list)


class Conflict(ValueError):
    """A key that also starts a chord in the same context, or stands twice in one file."""


LEADER = ","
MENU_DELAY = 0.4
_MOST_LOST = 1000


class Keymap:
    """All bindings, by context and keys; `leader`, `menu_delay` and `counts` are what option lines of key files say.

    Each file is a layer: what a later one binds counts before what the earlier ones bound to the same keys.
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._bindings: dict[str, dict[tuple[str, ...], list[Binding]]] = {name: {} for name in CONTEXTS}
        self._prefixes: dict[str, dict[tuple[str, ...], int]] = {name: {} for name in CONTEXTS}
        self._titles: dict[tuple[str, tuple[str, ...]], tuple[str, tuple[int, ...]]] = {}
        self._helps: dict[str, str] = {}
        self._layer = 0
        self.revision = 0  # another number after each change
        self.lost: deque[Lost] = deque(maxlen=_MOST_LOST)
        self.leader = LEADER
        self.menu_delay = MENU_DELAY
        self.counts = False  # digits that are bound to nothing say how often

    def copy(self) -> Keymap:
        """Another one with the same in it: a change of several steps is tried there first."""
        other = copy(self)
        other._bindings = {
            context: {keys: list(entries) for keys, entries in bound.items()}
            for context, bound in self._bindings.items()
        }
        other._prefixes = {context: dict(counts) for context, counts in self._prefixes.items()}
        other._titles, other._helps, other.lost = dict(self._titles), dict(self._helps), self.lost.copy()
        return other

    # --- filling ----------------------------------------------------------------------------------------------------

    def begin_layer(self) -> None:
        """What is added from now on counts before what is there."""
        self._layer += 1

    def add(self, binding: Binding) -> None:
        """Bind in each of its contexts; Conflict, and nothing bound, if the keys cut across a chord there.

        Entries with a condition stand beside each other and before the one without: the first that holds counts.
        """
        # What runs the same command is called the same, unless it has a name of its own.
        help_text = binding.help or self._helps.get(binding.command, "")
        if help_text:
            self._helps.setdefault(binding.command, help_text)
        binding = replace(binding, layer=self._layer, help=help_text)
        for context in binding.contexts:
            self._check(context, binding)
        for context in binding.contexts:
            for old in self._bindings[context].get(binding.keys, []):
                if _replaces(binding, old):
                    self._lose(old, context, f"overridden by {binding.source}" if binding.source else "overridden")
            self._put_in(binding, context)

    def remove(self, keys: tuple[str, ...], contexts: Iterable[str], by: str = "") -> bool:
        """Unbind; a prefix takes all its chords with it. False: nothing was bound."""
        removed = False
        for context in contexts:
            for bound in [bound for bound in self._bindings[context] if bound[: len(keys)] == keys]:
                for binding in self._bindings[context].pop(bound):
                    self._lose(binding, context, f"unbound by {by}" if by else "unbound")
                self._count(context, bound, -1)
                removed = True
        return removed

    def set_title(self, keys: tuple[str, ...], contexts: Iterable[str], title: str, leader_at: tuple[int, ...]) -> None:
        """Name the menu that opens after a prefix."""
        for context in contexts:
            self._titles[context, keys] = (title, leader_at)

    def set_leader(self, leader: str, by: str = "") -> None:
        """Another leader: what was bound to chords of the old one moves along, but where keys stand in the way."""
        if leader == self.leader:
            return
        self.leader = leader
        for context in CONTEXTS:
            moving = [binding for binding in self.in_context(context) if binding.leader_at]
            for binding in moving:
                self._take_out(binding, context)
            for binding in moving:
                self._move(binding, context, _led(binding.keys, binding.leader_at, leader), by)
        self._titles = {
            (context, _led(keys, at, leader)): (title, at) for (context, keys), (title, at) in self._titles.items()
        }

    def _move(self, binding: Binding, context: str, keys: tuple[str, ...], by: str) -> None:
        moved = replace(binding, keys=keys, contexts=(context,))
        try:
            self._check(context, moved, layered=False)
        except Conflict as conflict:
            self._lose(binding, context, f"the leader of {by}: {conflict}")
            return
        self._put_in(moved, context)

    def _put_in(self, binding: Binding, context: str) -> None:
        entries = self._bindings[context].pop(binding.keys, [])
        self._bindings[context][binding.keys] = entries  # at the end: the order is that of the files
        if not entries:
            self._count(context, binding.keys, +1)
        entries[:] = [entry for entry in entries if not _replaces(binding, entry)]
        entries.append(binding)
        entries.sort(key=lambda entry: (-entry.layer, entry.when is None))
        self.revision += 1

    def _take_out(self, binding: Binding, context: str) -> None:
        entries = self._bindings[context][binding.keys]
        entries.remove(binding)
        if not entries:
            del self._bindings[context][binding.keys]
            self._count(context, binding.keys, -1)

    def _lose(self, binding: Binding, context: str, reason: str) -> None:
        self.revision += 1
        self.lost.append(Lost(binding, context, reason))

    def _count(self, context: str, keys: tuple[str, ...], change: int) -> None:
        prefixes = self._prefixes[context]
        for length in range(1, len(keys)):
            prefix = keys[:length]
            count = prefixes.get(prefix, 0) + change
            if count:
                prefixes[prefix] = count
            else:
                prefixes.pop(prefix, None)

    def _check(self, context: str, binding: Binding, layered: bool = True) -> None:
        keys = binding.keys
        if keys in self._prefixes[context]:
            longer = next(bound for bound in self._bindings[context] if bound[: len(keys)] == keys)
            raise Conflict(f"{' '.join(keys)!r} starts the chord {' '.join(longer)!r} in {context}")
        for length in range(1, len(keys)):
            if keys[:length] in self._bindings[context]:
                raise Conflict(f"{' '.join(keys[:length])!r} is a binding of its own in {context}")
        for entry in self._bindings[context].get(keys, ()) if layered else ():
            if entry.layer == binding.layer and entry.when_text == binding.when_text:
                twice = f", in {entry.source}" if entry.source else ""
                raise Conflict(f"{' '.join(keys)!r} is bound already in {context}{twice}")

    # --- asking -----------------------------------------------------------------------------------------------------

    def find(self, keys: tuple[str, ...], contexts: Iterable[str], flow: Flow | None) -> Found:
        """The first context that knows the keys decides: nearest context first."""
        for context in contexts:
            binding = _first_that_applies(self._bindings[context].get(keys, ()), flow)
            if binding is not None:
                return Found(binding)
            if keys in self._prefixes[context] and (following := self.following(keys, contexts, flow)):
                return Found(None, following)
        return Found()

    def following(self, keys: tuple[str, ...], contexts: Iterable[str], flow: Flow | None) -> list[Binding]:
        """What may follow a prefix, for the menu: as bound, nearer contexts first, only what is reached."""
        found: dict[tuple[str, ...], Binding] = {}
        for context in contexts:
            for bound, entries in self._bindings[context].items():
                if bound[: len(keys)] == keys != bound and not any(_shadows(nearer, bound) for nearer in found):
                    binding = _first_that_applies(entries, flow)
                    if binding is not None:
                        found[bound] = binding
        return list(found.values())

    def starting_with(self, keys: tuple[str, ...], context: str) -> list[Binding]:
        """What is bound in one context to these keys or to chords that begin with them, whatever their conditions."""
        bound = self._bindings[context]
        if keys in bound or keys in self._prefixes[context]:
            return [each for every, entries in bound.items() if every[: len(keys)] == keys for each in entries]
        return []

    def title(self, keys: tuple[str, ...], contexts: Iterable[str]) -> str:
        """The name of the menu after a prefix."""
        for context in contexts:
            if (context, keys) in self._titles:
                return self._titles[context, keys][0]
        return ""

    def bound(self, keys: tuple[str, ...], context: str) -> Sequence[Binding]:
        """What is bound to exactly these keys, the first one that applies first."""
        return tuple(self._bindings[context].get(keys, ()))

    def keys_for(self, command: str, contexts: Iterable[str]) -> tuple[str, ...]:
        """The keys that run a command line, nearest context first; empty when there are none."""
        for context in contexts:
            found = [
                (each.layer, keys)
                for keys, every in self._bindings[context].items()
                for each in every
                if each.command == command
            ]
            if found:
                return max(found, key=lambda each: each[0])[1]
        return ()

    def in_context(self, context: str) -> Iterator[Binding]:
        """All bindings of one context, without those it inherits; one's own come before those of the set below."""
        every = [binding for entries in self._bindings[context].values() for binding in entries]
        yield from sorted(every, key=lambda binding: -binding.layer)

    def all(self) -> list[Binding]:
        """Each binding once."""
        seen: dict[int, Binding] = {}
        for context in CONTEXTS:
            for binding in self.in_context(context):
                seen.setdefault(id(binding), binding)
        return list(seen.values())


def _first_that_applies(entries: Iterable[Binding], flow: Flow | None) -> Binding | None:
    for binding in entries:
        if binding.when is None:
            return binding
        if flow is not None and binding.when(flow):
            return binding
    return None


def _shadows(nearer: tuple[str, ...], keys: tuple[str, ...]) -> bool:
    """Equal keys, a chord that begins with the other, or one that the other begins with: only the nearer is reached."""
    return all(one == other for one, other in zip(nearer, keys, strict=False))


def _replaces(new: Binding, old: Binding) -> bool:
    """A later layer without a condition counts for every flow, so nothing of the earlier ones can be reached."""
    return old.layer < new.layer and (new.when is None or new.when_text == old.when_text)


def _led(keys: tuple[str, ...], leader_at: tuple[int, ...], leader: str) -> tuple[str, ...]:
    return tuple(leader if at in leader_at else key for at, key in enumerate(keys))
