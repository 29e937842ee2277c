"""Which key runs which command: bindings by context, chords, menus.

Key files fill a `Keymap`; the key engine looks keys up in it; hints, the which-key menu and the keys pane list it.
Contexts inherit: flows → list → global, detail → global; prompt, text and grid stand alone. It runs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from midstream.flows.flow import Flow

# Every context and the ones looked up after it.
CONTEXTS: dict[str, tuple[str, ...]] = {
    "global": ("global",),
    "list": ("list", "global"),
    "flows": ("flows", "list", "global"),
    "queue": ("queue", "list", "global"),
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
    """One line of a key file. `when` is a compiled filter on the focused flow, `source` a set's name or file:line."""

    keys: tuple[str, ...]
    contexts: tuple[str, ...]
    command: str
    help: str = ""
    when: Condition | None = None
    when_text: str = ""
    source: str = ""


@dataclass(slots=True)
class Found:
    """The answer for a sequence of keys: a binding to run, or the ones that may follow (a prefix), or neither."""

    binding: Binding | None = None
    following: list[Binding] = field(default_factory=list)


class Conflict(ValueError):
    """A key that also starts a chord in the same context."""


class Keymap:
    """All bindings, by context and keys. `options` holds what key files may set: leader and menu_delay_ms."""

    def __init__(self) -> None:
        self._bindings: dict[str, dict[tuple[str, ...], list[Binding]]] = {name: {} for name in CONTEXTS}
        self._prefixes: dict[str, dict[tuple[str, ...], int]] = {name: {} for name in CONTEXTS}
        self._titles: dict[tuple[str, tuple[str, ...]], str] = {}
        self.leader = ","
        self.menu_delay = 0.4

    # --- filling ----------------------------------------------------------------------------------------------------

    def add(self, binding: Binding) -> None:
        """Bind in each of its contexts; Conflict, and nothing bound, if the keys cut across a chord there."""
        for context in binding.contexts:
            self._check(context, binding.keys)
        for context in binding.contexts:
            entries = self._bindings[context].setdefault(binding.keys, [])
            same = [entry for entry in entries if entry.when_text == binding.when_text]
            if same:
                # A later file overrides; entries with another condition stay beside it, the newest looked at first.
                entries.remove(same[0])
            else:
                self._count(context, binding.keys, +1) if not entries else None
            position = 0 if binding.when is not None else len([entry for entry in entries if entry.when is not None])
            entries.insert(position, binding)

    def remove(self, keys: tuple[str, ...], contexts: Iterable[str]) -> bool:
        """Unbind; a prefix takes all its chords with it. False: nothing was bound."""
        removed = False
        for context in contexts:
            for bound in [bound for bound in self._bindings[context] if bound[: len(keys)] == keys]:
                del self._bindings[context][bound]
                self._count(context, bound, -1)
                removed = True
        return removed

    def set_title(self, keys: tuple[str, ...], contexts: Iterable[str], title: str) -> None:
        """Name the menu that opens after a prefix."""
        for context in contexts:
            self._titles[context, keys] = title

    def _count(self, context: str, keys: tuple[str, ...], change: int) -> None:
        prefixes = self._prefixes[context]
        for length in range(1, len(keys)):
            prefix = keys[:length]
            count = prefixes.get(prefix, 0) + change
            if count:
                prefixes[prefix] = count
            else:
                prefixes.pop(prefix, None)

    def _check(self, context: str, keys: tuple[str, ...]) -> None:
        if keys in self._prefixes[context]:
            longer = next(bound for bound in self._bindings[context] if bound[: len(keys)] == keys)
            raise Conflict(f"{' '.join(keys)!r} starts the chord {' '.join(longer)!r} in {context}")
        for length in range(1, len(keys)):
            if keys[:length] in self._bindings[context]:
                raise Conflict(f"{' '.join(keys[:length])!r} is a binding of its own in {context}")

    # --- asking -----------------------------------------------------------------------------------------------------

    def find(self, keys: tuple[str, ...], contexts: Iterable[str], flow: Flow | None) -> Found:
        """The first context that knows the keys decides: nearest context first."""
        for context in contexts:
            binding = _first_that_applies(self._bindings[context].get(keys, ()), flow)
            if binding is not None:
                return Found(binding)
            if keys in self._prefixes[context]:
                return Found(None, self.following(keys, contexts, flow))
        return Found()

    def following(self, keys: tuple[str, ...], contexts: Iterable[str], flow: Flow | None) -> list[Binding]:
        """What may follow a prefix, for the menu: in the order of binding, nearer contexts first, no key twice."""
        found: dict[tuple[str, ...], Binding] = {}
        for context in contexts:
            for bound, entries in self._bindings[context].items():
                if len(bound) > len(keys) and bound[: len(keys)] == keys and bound not in found:
                    binding = _first_that_applies(entries, flow)
                    if binding is not None:
                        found[bound] = binding
        return list(found.values())

    def title(self, keys: tuple[str, ...], contexts: Iterable[str]) -> str:
        """The name of the menu after a prefix."""
        for context in contexts:
            if (context, keys) in self._titles:
                return self._titles[context, keys]
        return ""

    def in_context(self, context: str) -> Iterator[Binding]:
        """All bindings of one context, without those it inherits."""
        for entries in self._bindings[context].values():
            yield from entries

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
