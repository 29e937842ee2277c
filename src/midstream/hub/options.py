"""The options of one master: declared by addons, set by flags, files and people, watched by whoever asked.

`options.listen_port` reads, `options.listen_port = 8081` writes; every write goes through `update`, which checks the
values, tells the addons (`changed`) and takes everything back when one of them raises OptionsError. Files are
read and written by config.py, flags derived by flags.py.
"""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from midstream.flows.errors import OptionsError
from midstream.hub.option import RANK, Choices, Option, Source
from midstream.hub.option_kinds import Kind
from midstream.hub.option_types import BOOL, OptionValue
from midstream.hub.signal import Signal
from midstream.text.suggest import did_you_mean

if TYPE_CHECKING:
    import argparse

logger = logging.getLogger(__name__)

F = TypeVar("F", bound=Callable[..., Any])
Names = set[str]  # within the class the word `set` is a method
State = tuple[OptionValue, Source, str]  # value, source and place of an option

_SUBJECT = re.compile(r"(?:option )?(\w+)")  # what a refusal begins with


@dataclass(frozen=True, slots=True)
class Deferred:
    """A value for a name that nobody has declared yet: texts as typed, or a native value from a file."""

    texts: tuple[str | None, ...] | None
    value: object
    source: Source
    place: str = ""  # file, line and column of a value from a file
    leftover: bool = False  # of an option whose addon went away; when it no longer fits it is dropped, not refused


class Options:
    """All options by name. Plain values are instance attributes, so that reading one is a dictionary lookup."""

    def __init__(self) -> None:
        put = object.__setattr__
        put(self, "_options", {})
        put(self, "_hidden", [])
        put(self, "deferred", {})
        put(self, "changed", Signal())
        put(self, "errored", Signal())
        put(self, "_before", None)

    _options: dict[str, Option]
    _hidden: list[Option]  # whose name somebody declared again: they come back when that one goes
    deferred: dict[str, Deferred]
    changed: Signal[[Names]]
    errored: Signal[[Exception]]
    _before: dict[str, State] | None  # old values while changes are gathered

    # -- declaring ------------------------------------------------------------------------------------------------

    def add_option(
        self,
        name: str,
        typespec: Any,
        default: object,
        help: str,
        choices: Choices | None = None,
        *,
        kind: str | Kind | None = None,
        owner: object = None,
        replacing: Sequence[object] = (),
    ) -> None:
        """Declare an option. The same declaration again is silent, a different one warns and takes its place until its
        owner leaves (`remove_options`).

        `replacing` are owners that are about to leave: taking over their names is no news.
        """
        if not name.isidentifier() or name.startswith("_"):
            raise ValueError(f"{name!r} cannot name an option: letters, digits and underscores, a letter first")
        if hasattr(type(self), name) or name in ("deferred", "changed", "errored"):
            raise ValueError(f"{name!r} cannot name an option: it is a method of the options themselves")
        option = Option(name, typespec, default, help, choices, kind=kind, owner=owner)
        old = self._options.get(name)
        if old is not None and old.same_declaration(option):
            # Who repeats somebody else's option must not take it along when he goes.
            if any(old.owner is each for each in (None, owner, *replacing)):
                old.owner, old.kind = owner, option.kind
            return
        if old is not None:
            if not any(old.owner is each for each in replacing):
                again = "option %s is declared again in a different way; the later declaration counts"
                logger.warning(again, name, stacklevel=3)  # the line of the addon that calls Loader.add_option
            if old.owner is not owner:
                self._hidden.append(old)
            self._leave_value(old)
        self._options[name] = option
        self._publish(option)

    def remove_options(self, owner: object) -> Names:
        """Take away what `owner` declared. Values that were set wait as deferred ones for it to come back.

        An option whose name it had taken is there again with the value of before; the names of these are returned.
        """
        object.__setattr__(self, "_hidden", [option for option in self._hidden if option.owner is not owner])
        back: Names = set()
        for option in [option for option in self._options.values() if option.owner is owner]:
            del self._options[option.name]
            self.__dict__.pop(option.name, None)
            hidden = next((one for one in reversed(self._hidden) if one.name == option.name), None)
            if hidden is None:
                self._leave_value(option)
                continue
            self.deferred.pop(option.name, None)
            self._hidden.remove(hidden)
            self._options[option.name] = hidden
            self._publish(hidden)
            back.add(option.name)
        return back

    # -- reading --------------------------------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        # Only lists and unknown names come here: plain values are found in the instance first.
        option = self._options.get(name) if not name.startswith("__") else None
        if option is None:
            raise AttributeError(f"no option is called {name!r}{did_you_mean(name, self._options)}")
        return option.current()

    def __contains__(self, name: object) -> bool:
        return name in self._options

    def __iter__(self) -> Iterator[str]:
        return iter(self._options)

    def __len__(self) -> int:
        return len(self._options)

    def keys(self) -> Names:
        return set(self._options)

    def items(self) -> list[tuple[str, Option]]:
        return list(self._options.items())

    def option(self, name: str) -> Option:
        """The declaration and value of one option; KeyError names the nearest one."""
        try:
            return self._options[name]
        except KeyError:
            raise KeyError(f"no option is called {name!r}{did_you_mean(name, self._options)}") from None

    def default(self, name: str) -> OptionValue:
        return self.option(name).default

    def has_changed(self, name: str) -> bool:
        """Whether the value is another than the default."""
        return self.option(name).has_changed()

    def source(self, name: str) -> Source:
        """Where the present value was set."""
        return self.option(name).source

    # -- writing --------------------------------------------------------------------------------------------------

    def __setattr__(self, name: str, value: object) -> None:
        if name not in self._options:
            raise AttributeError(f"no option is called {name!r}{did_you_mean(name, self._options)}")
        self.update(**{name: value})

    def update(self, **values: object) -> None:
        """Set several options as one change. KeyError for an unknown name, TypeError for a wrong type."""
        for name in values:
            self.option(name)
        self.apply(values, "session")

    def update_known(self, **values: object) -> dict[str, object]:
        """Set what is declared, and give back the rest."""
        self.apply({name: value for name, value in values.items() if name in self._options}, "session")
        return {name: value for name, value in values.items() if name not in self._options}

    def update_defer(self, **values: object) -> None:
        """Set what is declared; the rest waits until it is declared."""
        for name, value in self.update_known(**values).items():
            self.defer(name, value, "session")

    def apply(self, values: Mapping[str, object], source: Source, places: Mapping[str, str] | None = None) -> None:
        """Set declared options on behalf of `source`, all or none. The other writing methods end here.

        `places` tells where in a file the values stand.
        """
        checked = {name: self._options[name].checked(value) for name, value in values.items()}
        with self.together():
            for name, value in checked.items():
                self._set_one(self._options[name], value, source, (places or {}).get(name, ""))

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Changes made in the block are told as one at its end; an error takes all of them back."""
        if self._before is not None:  # the outermost block decides
            yield
            return
        before: dict[str, State] = {}
        object.__setattr__(self, "_before", before)
        try:
            try:
                yield
            finally:
                object.__setattr__(self, "_before", None)
        except BaseException:
            self._restore(before)
            raise
        if not before:
            return
        try:
            self.changed.send(set(before))
        except OptionsError as error:
            self._name_place(error, before)
            self._take_back(before, error)
            raise

    def defer(self, name: str, value: object, source: Source, place: str = "") -> None:
        """Keep a native value for an option that may be declared later."""
        self._keep(name, Deferred(None, value, source, place))

    def set(self, *specs: str, defer: bool = False, source: Source = "session") -> None:
        """Set options from `name=value` and `name` texts, as typed behind --set; repeated names fill a list."""
        texts: dict[str, list[str | None]] = {}
        for spec in specs:
            name, equals, text = spec.partition("=")
            if not name:
                raise OptionsError(f"{spec!r} names no option; write name=value")
            texts.setdefault(name, []).append(text if equals else None)
        values: dict[str, object] = {}
        for name, given in texts.items():
            if name in self._options:
                values[name] = self._options[name].parse(given)
            elif defer:
                self._keep(name, Deferred(tuple(given), None, source))
            else:
                raise OptionsError(f"no option is called {name!r}{did_you_mean(name, self._options)}")
        self.apply(values, source)

    def process_deferred(self) -> None:
        """Apply the waiting values of options that have been declared meanwhile, as one change; when one of them is
        refused, all go on waiting.
        """
        # Taken first: applying `scripts` loads scripts, and those come here again.
        taken = {name: self.deferred.pop(name) for name in list(self.deferred) if name in self._options}
        try:
            with self.together():
                for name, waiting in taken.items():
                    self._apply_deferred(self._options[name], waiting)
        except BaseException:
            self.deferred.update(taken)
            raise

    def _apply_deferred(self, option: Option, waiting: Deferred) -> None:
        if RANK[option.source] > RANK[waiting.source]:
            return
        try:
            value = option.checked(waiting.value) if waiting.texts is None else option.parse(waiting.texts)
        except (TypeError, OptionsError) as error:
            if not waiting.leftover:
                raise OptionsError(f"{waiting.place}: {error}" if waiting.place else str(error)) from None
            logger.warning("%s; it starts with its default again", error)
        else:
            self.apply({option.name: value}, waiting.source, {option.name: waiting.place})

    def reset(self) -> None:
        """Every option back to its default, as one change."""
        self.apply({name: option.default_value for name, option in self._options.items()}, "session")

    def reset_one(self, name: str) -> None:
        """One option back to its default. KeyError for an unknown name."""
        self.update(**{name: self.option(name).default_value})

    def merge(self, values: Mapping[str, object]) -> None:
        """Like update, but lists are added to the end of what is there."""
        merged = {}
        for name, value in values.items():
            option = self.option(name)
            if option.type.sequence and option.type.accepts(value) and isinstance(value, list | tuple):
                value = [*self.__getattr__(name), *value]
            merged[name] = value
        self.update(**merged)

    def setter(self, name: str) -> Callable[[object], None]:
        """A function that sets this option to its argument."""
        self.option(name)
        return lambda value: self.update(**{name: value})

    def toggler(self, name: str) -> Callable[[], None]:
        """A function that flips this option, which must be a bool."""
        if self.option(name).type is not BOOL:
            raise ValueError(f"option {name} cannot be toggled: it is {self.option(name).type.label}, not bool")
        return lambda: self.update(**{name: not getattr(self, name)})

    # -- telling --------------------------------------------------------------------------------------------------

    def subscribe(self, func: F, names: Sequence[str]) -> F:
        """Call `func(options, updated)` when one of `names` changes, for as long as somebody else holds `func`.

        OptionsError for a name that nobody has declared.
        """
        wanted = frozenset(names)
        for name in wanted:
            if name not in self._options:
                raise OptionsError(f"no option is called {name!r}{did_you_mean(name, self._options)}")
        relay = Signal[[Options, Names]]()
        relay.connect_weakly(func)

        def tell(updated: Names) -> None:
            if wanted & updated:
                relay.send(self, updated)

        self.changed.connect(tell)
        return func

    @contextlib.contextmanager
    def rollback(self, updated: Names, reraise: bool = False) -> Iterator[None]:
        """When the block raises OptionsError, `updated` get their old values back and everybody is told again."""
        before = {name: _state(self._options[name]) for name in updated}
        try:
            yield
        except OptionsError as error:
            self._take_back(before, error)
            if reraise:
                raise

    def make_parser(
        self, parser: argparse.ArgumentParser, optname: str, metavar: str | None = None, short: str | None = None
    ) -> None:
        """Give an argparse parser the flags of one option; an unknown name gives none."""
        # flags.py knows Options; importing it here at the top would be a circle.
        from midstream.hub.flags import add_flags

        if optname in self._options:
            add_flags(parser, self._options[optname], metavar, short)

    def _set_one(self, option: Option, value: OptionValue, source: Source, place: str) -> None:
        if self._before is not None:
            self._before.setdefault(option.name, _state(option))
        option.value, option.place = value, place
        option.source = source if source != "session" or option.has_changed() else "default"
        self._publish(option)

    def _restore(self, before: Mapping[str, State]) -> None:
        for name, state in before.items():
            option = self._options[name]
            option.value, option.source, option.place = state
            self._publish(option)

    def _name_place(self, error: OptionsError, updated: Mapping[str, State]) -> None:
        """Say where in a file the value stands that an addon refuses: the one that it names, or the only one."""
        text = str(error)
        subject = _SUBJECT.match(text)
        name = next(iter(updated)) if len(updated) == 1 else subject[1] if subject is not None else ""
        place = self._options[name].place if name in updated else ""
        if place and place not in text:
            error.args = (f"{place}: {text}",)

    def _take_back(self, before: Mapping[str, State], error: OptionsError) -> None:
        self._restore(before)
        self.errored.send(error)
        try:
            self.changed.send(set(before))
        except OptionsError as second:
            # The old values stood before; an addon that refuses them now has a fault of its own.
            logger.error("an addon refuses the old values too: %s", second)

    def _publish(self, option: Option) -> None:
        if option.type.sequence:
            self.__dict__.pop(option.name, None)
        else:
            self.__dict__[option.name] = option.value

    def _leave_value(self, option: Option) -> None:
        if option.source != "default":
            self._keep(option.name, Deferred(None, option.current(), option.source, leftover=True))

    def _keep(self, name: str, new: Deferred) -> None:
        old = self.deferred.get(name)
        if old is None or RANK[old.source] <= RANK[new.source]:
            self.deferred[name] = new


def _state(option: Option) -> State:
    return option.value, option.source, option.place
