"""The addon manager: which addons there are, in which order, and their way in and out.

`Master.addons`. The way in is load, configure (with every option name) and, once the program runs, running; the way
out is done. An addon may hold others in its list `addons`. Handlers are found by handlers.py and called by
emitters.py; reading script files is the work of scripts.py.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from midstream.flows.errors import AddonHalt, AddonManagerError, OptionsError
from midstream.hub import ctx
from midstream.hub.add_log import AddLogRelay
from midstream.hub.events import DECLARATIONS, Event
from midstream.hub.failures import one_line, own_traceback
from midstream.hub.handlers import addon_name, handlers_of, short_name, walk, warnings_about
from midstream.text.suggest import did_you_mean

if TYPE_CHECKING:
    from midstream.hub.emitters import Emitter
    from midstream.hub.master import Master
    from midstream.hub.option import Choices
    from midstream.hub.option_kinds import Kind

logger = logging.getLogger(__name__)


class Loader:
    """What an addon gets in `load`: the way to declare its options and commands."""

    def __init__(self, master: Master, owner: object, besides: Sequence[object] = ()) -> None:
        self.master = master
        self._owner = owner
        self._besides = besides  # whom the owner is going to replace

    def add_option(
        self,
        name: str,
        typespec: Any,
        default: object,
        help: str,
        choices: Choices | None = None,
        *,
        kind: str | Kind | None = None,
    ) -> None:
        """Declare an option; the type is str, int, bool, Optional of str or int, or Sequence[str]."""
        self.master.options.add_option(
            name, typespec, default, help, choices, kind=kind, owner=self._owner, replacing=self._besides
        )

    def add_command(self, path: str, func: Callable[..., Any]) -> None:
        """Make `func` the command `path`; its annotations are its argument types."""
        self.master.commands.add(path, func, owner=self._owner, replacing=self._besides)


class AddonManager:
    """The addons of one master."""

    def __init__(self, master: Master) -> None:
        self.master = master
        self.chain: list[object] = []
        self.lookup: dict[str, object] = {}
        self._going_on: list[tuple[object, asyncio.Task[None]]] = []
        self._add_log = AddLogRelay(master)
        self._holding_back = 0
        self._is_stale = False
        master.options.changed.connect(self._configure)

    # -- in and out -----------------------------------------------------------------------------------------------

    def add(self, *addons: object) -> None:
        """Add addons at the end, all loaded before the first is configured, as they may read each other's options.

        AddonManagerError or OptionsError: none of them is in.
        """
        options = self.master.options
        with ctx.use(self.master):
            entered: list[object] = []
            before = options.keys()
            try:
                for addon in addons:
                    self._load(addon, entered)
                options.process_deferred()
                self._tell_of_options(options.keys() - before)
                self.chain.extend(addons)
                self._bind()
                with self._bound_once():
                    self._emit("configure", entered, options.keys())
            except (AddonManagerError, OptionsError):
                self.chain = [addon for addon in self.chain if not any(addon is new for new in addons)]
                back = self._leave(entered, with_options=True)
                self._bind()
                self._tell_of_options(back)
                raise
            if self.master.is_running:
                self._start(entered)

    def remove(self, addon: object) -> None:
        """Tell an addon, and those nested in it, `done`, and forget it. Its options stay: others may read them.

        One that is nested in another goes out of that one's list.
        """
        holder = self._holder_of(addon)
        with ctx.use(self.master):
            leaving = list(walk([addon], _warn))
            self._emit("done", leaving)
            self._leave(leaving)
            holder[:] = [known for known in holder if known is not addon]
            self._bind()

    def _holder_of(self, addon: object) -> list[object]:
        """The list that an addon stands in. AddonManagerError when there is none."""
        for holder in (self.chain, *(getattr(one, "addons", None) for one in walk(self.chain, _warn))):
            if not isinstance(holder, list | tuple) or not any(known is addon for known in holder):
                continue
            if isinstance(holder, list):
                return holder
            raise AddonManagerError(f"{addon_name(addon)} cannot be removed from a tuple: make `addons` a list")
        raise AddonManagerError(f"{addon_name(addon)} cannot be removed: it was never added")

    def clear(self) -> None:
        """Remove all addons."""
        for addon in list(self.chain):
            self.remove(addon)

    def register(
        self, addon: object, into: list[object] | None = None, at: int = 0, replacing: object | None = None
    ) -> object:
        """Let in an addon that stands in the `addons` list of another one, at place `at` of `into`.

        Unlike `add` it is all or nothing: whatever `load` or `configure` raises goes to the caller, the newcomer is
        out again, and the one that it should replace is still in. Without `into` the caller puts the addon somewhere
        itself and calls `rebind`.
        """
        manager = self.master.options
        before = manager.keys()
        with ctx.use(self.master):
            entered: list[object] = []
            leaving = list(walk([replacing], _warn)) if replacing is not None else []
            owners = [(one, one.owner) for _, one in manager.items() if any(one.owner is old for old in leaving)]
            try:
                self._load(addon, entered, strict=True, besides=leaving)
                manager.process_deferred()
                self._tell_of_options(manager.keys() - before)
                self._emit("configure", entered, manager.keys(), strict=True)
            except BaseException:
                for option, owner in owners:
                    option.owner = owner
                self._tell_of_options(self._leave(entered, with_options=True))
                raise
            self._emit("done", leaving)
            back = self._leave(leaving, with_options=True)
            self._make_known(entered)
            if into is not None:
                into[at : at + (replacing is not None)] = [addon]
            self._bind()
            self._tell_of_options(back)
            if self.master.is_running:
                self._start(entered)
        return addon

    def unregister(self, addon: object, out_of: list[object] | None = None) -> None:
        """The way out for what `register` let in. Its options go as well; values that were set wait for its return."""
        with ctx.use(self.master):
            leaving = list(walk([addon], _warn))
            self._emit("done", leaving)
            back = self._leave(leaving, with_options=True)
            if out_of is not None:
                out_of[:] = [other for other in out_of if other is not addon]
            self._bind()
            self._tell_of_options(back)

    def rebind(self) -> None:
        """Bind the handlers of all addons anew; needed after the `addons` list of an addon has changed.

        Within `configure` this waits until all addons have been told, as several may ask for it.
        """
        if self._holding_back:
            self._is_stale = True
        else:
            self._bind()

    def _bind(self) -> None:
        self._is_stale = False
        # They were checked on their way in. What one has spoilt since (`self.done = True`) concerns nobody else.
        self.master.events.bind(self.chain, _warn)
        self._add_log.listen(bool(self.master.events.add_log.handlers))

    @contextmanager
    def _bound_once(self) -> Iterator[None]:
        self._holding_back += 1
        try:
            yield
        finally:
            self._holding_back -= 1
            if self._is_stale and not self._holding_back:
                self._bind()

    def _load(self, addon: object, entered: list[object], strict: bool = False, besides: Sequence[object] = ()) -> None:
        """`load` for an addon and those nested in it; the ones it may have added while loading included."""
        # Those of one list may share a name, as two objects of one class do; it then means the last one.
        kin = [*besides]
        # Lazily, so that what `load` puts into `addons` is loaded too.
        for each in walk([addon]):
            name = addon_name(each)
            kin.append(each)
            rival = self.lookup.get(name)
            if rival is not None and not any(rival is one for one in kin):
                raise AddonManagerError(f"an addon called {name!r} is there already; give this one another `name`")
            handlers_of(each, DECLARATIONS)  # refuses handlers that could never be called
            for warning in warnings_about(each, DECLARATIONS):
                logger.warning("%s", warning, extra={"addon": short_name(name)})
            entered.append(each)
            self._emit("load", [each], Loader(self.master, each, besides), strict=strict)
            if not strict:
                self._make_known([each])

    def _make_known(self, addons: Sequence[object]) -> None:
        for each in addons:
            self.lookup[addon_name(each)] = each
            self.master.commands.collect_commands(each)

    def _start(self, addons: Sequence[object]) -> None:
        """`running` for addons that come late. What of it goes on in the background ends when its addon goes."""
        for each in addons:

            def spawn(work: Awaitable[None], each: object = each) -> None:
                self._going_on.append((each, self.master.background.spawn(work, f"running of {addon_name(each)}")))

            emitter = self._only("running", [each])
            emitter.spawn = spawn
            emitter.sync()

    def _leave(self, addons: Sequence[object], with_options: bool = False) -> set[str]:
        """Forget addons; the names of options that are now those of somebody else again."""
        back: set[str] = set()
        for owner, task in self._going_on:
            if any(owner is each for each in addons):
                task.cancel()
        self._going_on = [(owner, task) for owner, task in self._going_on if not task.done() and not task.cancelling()]
        for each in addons:
            if self.lookup.get(addon_name(each)) is each:
                del self.lookup[addon_name(each)]
            self.master.commands.remove_commands(each)
            if with_options:
                back |= self.master.options.remove_options(each)
        return back

    # -- options --------------------------------------------------------------------------------------------------

    def _tell_of_options(self, names: set[str]) -> None:
        """`configure` for those who are in already: these options are new, or those of before again."""
        if not names:
            return
        try:
            self._configure(names)
        except OptionsError as error:
            # Nothing was set that could be taken back.
            logger.error("%s", error)

    def _configure(self, updated: set[str]) -> None:
        with ctx.use(self.master), self._bound_once():
            self.master.events.configure.sync(updated)

    # -- looking up -----------------------------------------------------------------------------------------------

    def get(self, name: str) -> Any:
        """The addon of this name (nested ones too), or None."""
        return self.lookup.get(name)

    def __contains__(self, item: object) -> bool:
        if isinstance(item, str):
            return item in self.lookup
        return any(addon is item for addon in self.lookup.values())

    def __len__(self) -> int:
        return len(self.chain)

    # -- emitting by value ----------------------------------------------------------------------------------------

    def trigger(self, event: Event | str, *args: Any) -> None:
        """Emit an event where nobody can wait: async handlers go on in the background."""
        with ctx.use(self.master):
            self._emitter(event).sync(*_args(event, args))

    async def trigger_event(self, event: Event | str, *args: Any) -> None:
        """Emit an event and wait for its handlers; for an event with a flow also for its release."""
        with ctx.use(self.master):
            await self._emitter(event)(*_args(event, args))

    async def handle_lifecycle(self, event: Event | str, *args: Any) -> None:
        """The same as `trigger_event`: here `update` follows every event that carries a flow by itself."""
        await self.trigger_event(event, *args)

    async def invoke_addon(self, addon: object, event: Event | str, *args: Any) -> None:
        """Emit an event to one addon (and those nested in it) and wait for it."""
        with ctx.use(self.master):
            await self._only(event, [*walk([addon])])(*_args(event, args))

    def invoke_addon_sync(self, addon: object, event: Event | str, *args: Any) -> None:
        """Emit an event to one addon (and those nested in it) where nobody can wait."""
        with ctx.use(self.master):
            self._only(event, [*walk([addon])]).sync(*_args(event, args))

    def _emitter(self, event: Event | str) -> Emitter[...]:
        name = event if isinstance(event, str) else event.name
        try:
            return self.master.events.emitter(name)
        except KeyError:
            raise AddonManagerError(f"no event is called {name!r}{did_you_mean(name, DECLARATIONS)}") from None

    def _only(self, event: Event | str, addons: Sequence[object]) -> Emitter[...]:
        emitter = self._emitter(event)
        wanted = {emitter.name: DECLARATIONS[emitter.name]}
        handlers = [handler for each in addons for handler in handlers_of(each, wanted, _warn).values()]
        is_named = not wanted[emitter.name].carries_flow
        return emitter.only(tuple(self.master.events.recorder.named(handlers) if is_named else handlers))

    def _emit(self, name: str, addons: Sequence[object], *args: Any, strict: bool = False) -> None:
        emitter = self._only(name, addons)
        if strict:
            emitter.passes = (BaseException,)
        try:
            emitter.sync(*args)
        except AddonHalt:
            return


def _warn(mistake: AddonManagerError) -> None:
    logger.warning("%s", mistake)


def _args(event: Event | str, args: tuple[Any, ...]) -> tuple[Any, ...]:
    return args if isinstance(event, str) else event.args


@contextmanager
def safecall() -> Iterator[None]:
    """Log what the block raises and go on; AddonHalt and OptionsError pass."""
    try:
        yield
    except (AddonHalt, OptionsError):
        raise
    except Exception as error:
        logger.error("addon error: %s", one_line(error), exc_info=(type(error), error, own_traceback(error)))
