"""The content views of one master: the built-in ones and those that scripts and addons added.

`contentviews.add` and its like mean the registry of the master that runs the present code, so that two masters in one
process do not meet. A view belongs to the script whose code added it: it is gone when that script is, and a script that
is loaded anew brings it anew. Nobody is told of it; who shows views compares `revision`.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from midstream.contentviews.api import Contentview, Metadata
from midstream.contentviews.calling import SLOW, traceback_of
from midstream.contentviews.legacy import LegacyContentview, View
from midstream.contentviews.stepped import Stepped
from midstream.contentviews.views import BUILT_IN
from midstream.contentviews.views.hex_dump import HexDump
from midstream.contentviews.views.raw import Raw
from midstream.flows.errors import OptionsError
from midstream.hub import ctx
from midstream.hub.failures import one_line
from midstream.hub.log import PRIVATE_MODULE
from midstream.text.hexdump import looks_binary
from midstream.text.suggest import did_you_mean

if TYPE_CHECKING:
    from midstream.hub.master import Master

logger = logging.getLogger(__name__)

AUTO = "auto"
_OURS = __name__.partition(".")[0]


@dataclass(slots=True, eq=False)
class _Entry:
    view: Contentview
    module: str = ""  # that it belongs to: ours, a script's, or nobody's in particular
    file: str = ""  # of that script
    was_named: bool = False  # for a priority that failed or took long; once is enough in the log


class Registry(Mapping[str, Contentview]):
    """Views by name, in either case, in the order in which they came."""

    def __init__(self) -> None:
        self.raw = Raw()
        self._hex_dump = HexDump()
        self._entries = [_Entry(view(), _OURS) for view in BUILT_IN]
        self._by_name: dict[str, _Entry] = {}
        self._revision = 0
        self.overdue: set[int] = set()
        """The ids of views that run in a thread still, but that nobody waits for any more."""
        self._arrange()

    @property
    def revision(self) -> int:
        """Another number whenever there are other views."""
        self._forget_gone()
        return self._revision

    def register(self, instance: Contentview | View | type[Contentview] | type[View]) -> None:
        """Add a view, or its class. One of the same name gives way, and comes back when this one's script goes.

        TypeError for what is no view.
        """
        view = _checked(instance)
        module, file = _calling_script()
        name = view.name.lower()
        before = self._by_name.get(name)
        if before is not None and (not file or before.file != file):
            logger.info("content view %s is replaced by the one of %s", view.name, file or type(view).__name__)
        self._entries = [one for one in self._entries if one.view.name.lower() != name or one.module != module]
        self._entries.append(_Entry(view, module, file))
        self._arrange()

    def unregister(self, view: Contentview | View | type[Contentview] | type[View]) -> None:
        """Take out a view that was added, given as it was added. Nothing happens when it is not there."""
        self._entries = [one for one in self._entries if not _is_of(one.view, view)]
        self._arrange()

    def available_views(self) -> list[str]:
        """What people may choose from: `auto`, then all names in lower case, sorted."""
        return [AUTO, *sorted(self)]

    def get_view(self, data: bytes, metadata: Metadata, view_name: str = AUTO) -> Contentview:
        """The view of this name; for `auto`, or a name that there is not, the one that suits the data best."""
        chosen = self._current().get(view_name.lower())
        if chosen is not None:
            return chosen.view
        if view_name.lower() != AUTO:
            logger.debug("no content view is called %r; the best one is taken", view_name)
        best: Contentview = self.raw
        highest = 0.0
        for entry in self._by_name.values():
            priority = self._priority(entry, data, metadata)
            if priority > highest:
                best, highest = entry.view, priority
        return best

    def plain_view(self, data: bytes) -> Stepped:
        """Our own view for data that are too large, or that another view failed to show. Looks at their beginning."""
        return self._hex_dump if looks_binary(data) else self.raw

    def __getitem__(self, name: str) -> Contentview:
        return self._current()[name.lower()].view

    def __iter__(self) -> Iterator[str]:
        return iter(self._current())

    def __len__(self) -> int:
        return len(self._current())

    def _priority(self, entry: _Entry, data: bytes, metadata: Metadata) -> float:
        begin = time.perf_counter()
        try:
            return float(entry.view.render_priority(data, metadata))
        except BaseException as error:
            if not entry.was_named:
                entry.was_named = True
                text = "content view %s is left out: its render_priority failed: %s"
                told = (type(error), error, traceback_of(error))
                logger.error(text, entry.view.name, one_line(error), exc_info=told)
            return 0
        finally:
            took = time.perf_counter() - begin
            if took > SLOW and not entry.was_named:
                entry.was_named = True
                text = "content view %s held everything up for %.0f ms in render_priority"
                logger.warning(text, entry.view.name, took * 1000)

    def _current(self) -> dict[str, _Entry]:
        self._forget_gone()
        return self._by_name

    def _forget_gone(self) -> None:
        # The script loader takes the module of a script that has ended, or could not be loaded, out of this table.
        if any(one.module and one.module not in sys.modules for one in self._entries):
            self._entries = [one for one in self._entries if not one.module or one.module in sys.modules]
            self._arrange()

    def _arrange(self) -> None:
        self._by_name = {}
        for entry in self._entries:  # of one name the last one counts, at the place of the first one
            self._by_name[entry.view.name.lower()] = entry
        self._revision += 1


_without_master: ContextVar[Registry] = ContextVar("midstream.contentviews")


def registry_of(master: Master) -> Registry:
    """The views of a master."""
    if master.contentviews is None:
        master.contentviews = Registry()
    found: Registry = master.contentviews
    return found


def current() -> Registry:
    """The views of the master that runs the present code; outside of any, those of the present context."""
    master: Master | None = getattr(ctx, "master", None)
    if master is not None:
        return registry_of(master)
    found = _without_master.get(None)
    if found is None:
        found = Registry()
        _without_master.set(found)
    return found


def check_choice(option: str) -> None:
    """OptionsError when the option that names a view names one that there is not."""
    name, views = str(getattr(ctx.options, option)), current().available_views()
    if name.lower() in views:
        return
    guess = did_you_mean(name, views)
    allowed = "" if guess else f"; the choices are {', '.join(views)}"
    where = "config file: " if ctx.options.source(option) == "file" else ""
    raise OptionsError(f"{where}option {option}: {name!r} is no choice{guess or allowed}")


def _checked(instance: object) -> Contentview:
    """The view to be registered. TypeError says what is missing."""
    view = instance() if isinstance(instance, type) else instance
    if isinstance(view, View):
        view = LegacyContentview(view)
    what = type(view).__name__
    missing = [name for name in ("name", "syntax_highlight", "prettify", "render_priority") if not hasattr(view, name)]
    if missing:
        raise TypeError(f"{what} is no content view: it has no {missing[0]}; derive it from contentviews.Contentview")
    name = getattr(view, "name", None)
    if not isinstance(name, str) or not name.strip() or name.lower() == AUTO:
        raise TypeError(f"{what} cannot be a content view called {name!r}")
    return cast(Contentview, view)


def _is_of(view: Contentview, given: object) -> bool:
    inner = view.contentview if isinstance(view, LegacyContentview) else view
    return given in (view, inner) or (isinstance(given, type) and type(inner) is given)


def _calling_script() -> tuple[str, str]:
    """The module and the file of the script whose code called us; empty for anybody else."""
    frame = sys._getframe(1)
    while frame.f_back is not None and str(frame.f_globals.get("__name__")).partition(".")[0] == _OURS:
        frame = frame.f_back
    module = str(frame.f_globals.get("__name__"))
    if not module.startswith(PRIVATE_MODULE):
        return "", ""
    return module, str(frame.f_globals.get("__file__"))
