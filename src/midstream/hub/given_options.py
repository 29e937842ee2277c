"""Options that a program gives before anybody has declared them: `Options(listen_port=0, mode=["regular"])`.

What authors get as `midstream.options.Options`. The values wait for the addons of a master to declare them; whatever
nobody has declared when that master starts is refused then. What an option is, and all the rest: hub/options.py.
"""

from __future__ import annotations

from typing import Any

from midstream.flows.errors import OptionsError
from midstream.hub.option import Source
from midstream.hub.options import Options
from midstream.hub.unclaimed import unclaimed
from midstream.text.suggest import did_you_mean

_PLACE = "Options()"  # how errors call the values that were given


class GivenOptions(Options):
    """Before the master starts unknown names wait, and what was given can be read back; from then on it is strict.

    What is given counts like a command line: a config file that is read later does not change it.
    """

    def __init__(self, **values: object) -> None:
        super().__init__()
        object.__setattr__(self, "_is_open", True)
        self._give(values)

    _is_open: bool

    def __getattr__(self, name: str) -> Any:
        waiting = self.__dict__.get("deferred", {}).get(name)
        if waiting is None or waiting.place != _PLACE or name in self._options:
            return super().__getattr__(name)
        return list(waiting.value) if isinstance(waiting.value, list) else waiting.value

    def __setattr__(self, name: str, value: object) -> None:
        if name in self._options or not self._is_open:
            super().__setattr__(name, value)
        else:
            self._give({name: value})

    def update(self, **values: object) -> None:
        """Set several options as one change. KeyError for an unknown name once the master runs, TypeError for a wrong
        type.
        """
        unknown = {name: value for name, value in values.items() if name not in self._options} if self._is_open else {}
        super().update(**{name: value for name, value in values.items() if name not in unknown})
        self._give(unknown)

    def set(self, *specs: str, defer: bool = False, source: Source = "session") -> None:
        """Set options from `name=value` and `name` texts, as typed behind --set; repeated names fill a list."""
        super().set(*specs, defer=defer or self._is_open, source=source)

    def settle(self) -> None:
        """Be strict from now on: the addons are there. OptionsError for what was given and nobody has declared."""
        object.__setattr__(self, "_is_open", False)
        slips = [name for name, _ in unclaimed(self) if self.deferred[name].place == _PLACE]
        if slips:
            guesses = "; ".join(f"{name}{did_you_mean(name, self)}" for name in slips)
            raise OptionsError(f"{_PLACE}: no such option: {guesses}")

    def _give(self, values: dict[str, object]) -> None:
        for name, value in values.items():
            self.defer(name, list(value) if isinstance(value, tuple) else value, "cli", _PLACE)
