"""The way of addons in and out: order, names, nesting, options, commands, lifecycle."""

import asyncio
import gc
import logging
import weakref
from collections.abc import Sequence
from typing import Any

import pytest

from midstream.flows.errors import AddonHalt, AddonManagerError, OptionsError
from midstream.hub import ctx
from midstream.hub.addons import Loader, safecall
from midstream.hub.commands import command
from midstream.hub.events import Event
from midstream.hub.log import LogEntry
from midstream.hub.master import Master
from midstream.hub.options import Options
from tests.kit.captured import http_flow
from tests.kit.waiting import until


class Recorder:
    """Notes its lifecycle in a list that may be shared."""

    def __init__(self, name: str = "recorder", calls: list[str] | None = None, addons: Sequence[Any] = ()) -> None:
        self.name = name
        self.calls = [] if calls is None else calls
        self.addons = list(addons)

    def load(self, loader: Loader) -> None:
        self.calls.append(f"{self.name} load")

    def configure(self, updated: set[str]) -> None:
        self.calls.append(f"{self.name} configure {' '.join(sorted(updated))}".strip())

    def running(self) -> None:
        self.calls.append(f"{self.name} running")

    def done(self) -> None:
        self.calls.append(f"{self.name} done")


class WithOption:
    def __init__(self, name: str = "withoption", option: str = "size") -> None:
        self.name = name
        self.option = option

    def load(self, loader: Loader) -> None:
        loader.add_option(self.option, int, 3, "A number.")


@pytest.fixture
async def master() -> Master:
    return Master(Options())


async def test_all_are_loaded_before_the_first_is_configured(master: Master) -> None:
    calls: list[str] = []
    master.addons.add(Recorder("a", calls), Recorder("b", calls), WithOption())
    assert calls == ["a load", "b load", "a configure size", "b configure size"]
    assert len(master.addons) == 3


async def test_the_whole_way_of_an_addon_added_while_running(master: Master) -> None:
    await master.running()
    addon = Recorder()
    master.addons.add(addon)
    master.addons.remove(addon)
    assert addon.calls == ["recorder load", "recorder configure", "recorder running", "recorder done"]
    assert len(master.addons) == 0
    assert addon not in master.addons


async def test_nested_addons_go_in_and_out_with_their_parent(master: Master) -> None:
    calls: list[str] = []
    parent = Recorder("p", calls, [Recorder("c", calls, [Recorder("g", calls)]), Recorder("d", calls)])
    master.addons.add(parent)
    assert calls[:4] == ["p load", "c load", "g load", "d load"]
    assert [name in master.addons for name in "pcgd"] == [True] * 4
    assert len(master.addons) == 1
    calls.clear()
    master.addons.remove(parent)
    assert calls == ["p done", "c done", "g done", "d done"]
    assert master.addons.get("g") is None


async def test_an_addon_is_not_visible_while_it_loads(master: Master) -> None:
    seen: list[object] = []

    class Shy:
        def load(self, loader: Loader) -> None:
            seen.append(loader.master.addons.get("shy"))

    master.addons.add(Shy())
    assert seen == [None]
    assert master.addons.get("shy") is not None


async def test_what_load_appends_to_addons_is_loaded_too(master: Master) -> None:
    class Parent:
        def __init__(self) -> None:
            self.addons: list[object] = []

        def load(self, loader: Loader) -> None:
            self.addons.append(Recorder("late"))

    master.addons.add(Parent())
    assert master.addons.get("late").calls == ["late load", "late configure"]


async def test_two_addons_of_one_name_are_refused(master: Master) -> None:
    first = Recorder()
    master.addons.add(first)
    with pytest.raises(AddonManagerError, match="'recorder' is there already"):
        master.addons.add(Recorder("other"), Recorder())
    assert master.addons.chain == [first]
    assert "other" not in master.addons


async def test_addons_of_one_script_may_share_a_name(master: Master) -> None:
    """`addons = [Rule("a"), Rule("b")]`: the name means the last one."""
    twins = [Recorder("twin"), Recorder("twin")]
    master.addons.add(parent := Recorder("parent", addons=twins))
    assert [twin.calls for twin in twins] == [["twin load", "twin configure"]] * 2
    assert master.addons.get("twin") is twins[1]
    with pytest.raises(AddonManagerError, match="'twin' is there already"):
        master.addons.add(Recorder("twin"))
    with pytest.raises(AddonManagerError, match="'twin' is there already"):
        master.addons.register(Recorder("other", addons=[Recorder("twin")]))
    master.addons.remove(parent)
    assert "twin" not in master.addons
    master.addons.register(Recorder("other", addons=[Recorder("twin"), Recorder("twin")]))
    assert "twin" in master.addons


async def test_what_was_never_added_cannot_be_removed(master: Master) -> None:
    with pytest.raises(AddonManagerError, match="recorder cannot be removed"):
        master.addons.remove(Recorder())


async def test_clear(master: Master) -> None:
    one, other = Recorder("one"), Recorder("other")
    master.addons.add(one, other)
    master.addons.clear()
    assert one.calls[-1] == "one done"
    assert other.calls[-1] == "other done"
    assert master.events.running.handlers == ()


async def test_an_optionserror_in_the_first_configure_keeps_the_addon_out(master: Master) -> None:
    class Picky:
        def configure(self, updated: set[str]) -> None:
            raise OptionsError("I want more")

    with pytest.raises(OptionsError, match="I want more"):
        master.addons.add(Picky())
    assert len(master.addons) == 0
    assert "picky" not in master.addons


async def test_a_change_of_options_is_told_and_rolled_back(master: Master) -> None:
    values: list[int] = []

    class Picky(WithOption):
        def configure(self, updated: set[str]) -> None:
            values.append(ctx.options.size)
            if ctx.options.size > 10:
                raise OptionsError("too big")

    master.addons.add(Picky())
    with pytest.raises(OptionsError):
        master.options.update(size=11)
    assert master.options.size == 3
    assert values == [3, 11, 3]


async def test_deferred_values_are_there_in_the_first_configure(master: Master) -> None:
    seen: list[int] = []

    class Reader(WithOption):
        def configure(self, updated: set[str]) -> None:
            seen.append(ctx.options.size)

    master.options.set("size=8", defer=True)
    master.addons.add(Reader())
    assert seen == [8]


async def test_commands_come_and_go_with_their_addon(master: Master) -> None:
    class Commander:
        def load(self, loader: Loader) -> None:
            loader.add_command("say.more", self.more)

        def more(self) -> str:
            return "more"

        @command("say.hello")
        def hello(self, who: str) -> str:
            return f"hello {who}"

    addon = Commander()
    master.addons.add(addon)
    assert master.commands.execute("say.hello you") == "hello you"
    assert master.commands.execute("say.more") == "more"
    master.addons.remove(addon)
    assert master.commands.commands == {}


async def test_a_load_that_raises_is_logged(master: Master, caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def load(self, loader: Loader) -> None:
            raise ValueError("by design")

    master.addons.add(Broken())
    assert "broken failed in load: ValueError: by design" in caplog.text
    assert [entry.msg for entry in master.startup_errors] == ["broken failed in load: ValueError: by design"]


async def test_a_near_miss_is_warned_about(master: Master, caplog: pytest.LogCaptureFixture) -> None:
    class Typo:
        def reqest(self, flow: object) -> None: ...

    master.addons.add(Typo())
    assert "reqest is no event; it looks like request" in caplog.text


async def test_events_by_name_and_by_value(master: Master) -> None:
    seen: list[object] = []

    class Listener:
        def update(self, flows: Sequence[object]) -> None:
            seen.append(flows)

    class Waiter:
        async def update(self, flows: Sequence[object]) -> None:
            await asyncio.sleep(0)
            seen.append("later")

    listener, waiter = Listener(), Waiter()
    master.addons.add(listener, waiter)
    master.addons.trigger("update", [])
    assert seen == [[]]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert seen == [[], "later"]
    await master.addons.trigger_event(Event("update", ([],)))
    assert seen == [[], "later", [], "later"]
    seen.clear()
    await master.addons.invoke_addon(waiter, "update", [])
    master.addons.invoke_addon_sync(listener, Event("update", ([1],)))
    assert seen == ["later", [1]]
    with pytest.raises(AddonManagerError, match="did you mean 'update'"):
        master.addons.trigger("updat", [])


async def test_register_and_unregister_take_options_along(master: Master) -> None:
    parent = Recorder("parent")
    master.addons.add(parent)
    child = WithOption("child")
    master.addons.register(child, parent.addons)
    assert parent.addons == [child]
    assert master.options.size == 3
    master.options.size = 5
    master.addons.unregister(child, parent.addons)
    assert parent.addons == []
    assert "size" not in master.options
    master.addons.register(child, parent.addons)
    assert master.options.size == 5


async def test_a_replacement_that_fails_leaves_the_old_one_in(master: Master) -> None:
    class Broken(WithOption):
        def configure(self, updated: set[str]) -> None:
            raise ValueError

    calls: list[str] = []
    parent, old = Recorder("parent"), WithOption("child")
    old.done = lambda: calls.append("done")  # type: ignore[attr-defined]
    master.addons.add(parent)
    master.addons.register(old, parent.addons)
    with pytest.raises(ValueError):
        master.addons.register(Broken("child"), parent.addons, 0, old)
    assert parent.addons == [old]
    assert master.addons.get("child") is old
    assert master.options.option("size").owner is old
    assert calls == []
    new = WithOption("child")
    master.options.size = 9
    master.addons.register(new, parent.addons, 0, old)
    assert parent.addons == [new]
    assert master.options.size == 9
    assert calls == ["done"]


async def test_repeating_an_option_of_another_addon_does_not_take_it_along(master: Master) -> None:
    parent, child = Recorder("parent"), WithOption("child")
    master.addons.add(WithOption("first"), parent)
    master.addons.register(child, parent.addons)
    master.addons.unregister(child, parent.addons)
    assert master.options.size == 3


async def test_add_log_gets_entries_and_does_not_feed_itself(master: Master) -> None:
    entries: list[LogEntry] = []

    class OldLogger:
        def add_log(self, entry: LogEntry) -> None:
            entries.append(entry)
            ctx.log.error("from within")
            raise ValueError

    addon = OldLogger()
    master.addons.add(addon)
    for _ in range(3):
        await asyncio.sleep(0)
    entries.clear()
    master.log.info("once")
    for _ in range(5):
        await asyncio.sleep(0)
    assert entries == [LogEntry("once", "info")]
    master.addons.remove(addon)
    master.log.info("not any more")
    await asyncio.sleep(0)
    assert len(entries) == 1


async def test_add_log_of_several_masters() -> None:
    """A record from outside of them is told to all, each in the name of its own; nobody who is gone is kept."""
    told: list[tuple[Master, Master]] = []

    class OldLogger:
        def __init__(self, owner: weakref.ref[Master]) -> None:
            self.owner = owner

        def add_log(self, entry: LogEntry) -> None:
            owner = self.owner()
            if owner is not None and entry.msg == "from outside":
                told.append((owner, ctx.master))

    masters = [Master(Options()), Master(Options())]
    for each in masters:
        each.addons.add(OldLogger(weakref.ref(each)))
    logging.getLogger("outside").warning("from outside")
    await asyncio.sleep(0)
    assert told == [(each, each) for each in masters]
    told.clear()
    await masters[0].done()
    gone = weakref.ref(masters[1])  # which never ran, and so never ends
    del masters, each
    await asyncio.sleep(0)
    gc.collect()
    assert gone() is None


def test_safecall(caplog: pytest.LogCaptureFixture) -> None:
    with safecall():
        raise ValueError("logged")
    assert "ValueError: logged" in caplog.text
    for error in (AddonHalt, OptionsError):
        with pytest.raises(error), safecall():
            raise error


async def test_addons_are_told_of_options_that_others_bring_later(master: Master) -> None:
    first = Recorder("first")
    master.addons.add(first)
    first.calls.clear()
    master.addons.add(WithOption())
    assert first.calls == ["first configure size"]


async def test_a_later_addon_hears_all_option_names_once(master: Master) -> None:
    master.addons.add(WithOption())
    later = Recorder("later")
    master.addons.add(later)
    assert later.calls == ["later load", "later configure size"]


class Redeclares:
    """Takes over an option and two commands of `Owner`, in a way of its own."""

    def load(self, loader: Loader) -> None:
        loader.add_option("size", str, "big", "A word.")
        loader.add_command("say.more", self.more)

    def more(self) -> str:
        return "mine"

    @command("say.hello")
    def hello(self) -> str:
        return "hello from me"


class Owner:
    """The addon whose things are redeclared; notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[set[str], object]] = []

    def load(self, loader: Loader) -> None:
        loader.add_option("size", int, 3, "A number.")
        loader.add_command("say.more", self.more)

    def configure(self, updated: set[str]) -> None:
        self.told.append((updated, ctx.options.size))

    def more(self) -> str:
        return "more"

    @command("say.hello")
    def hello(self) -> str:
        return "hello"


async def test_what_was_redeclared_is_back_when_the_addon_goes(
    master: Master, caplog: pytest.LogCaptureFixture
) -> None:
    parent, owner = Recorder("parent"), Owner()
    master.addons.add(parent, owner)
    master.options.size = 7
    child = Redeclares()
    master.addons.register(child, parent.addons)
    assert "option size is declared again in a different way" in caplog.text
    assert master.options.size == "big"
    assert [master.commands.execute(name) for name in ("say.more", "say.hello")] == ["mine", "hello from me"]
    owner.told.clear()
    master.addons.unregister(child, parent.addons)
    assert master.options.size == 7
    assert owner.told == [({"size"}, 7)]
    assert [master.commands.execute(name) for name in ("say.more", "say.hello")] == ["more", "hello"]
    assert master.options.deferred == {}


async def test_a_redeclared_option_is_back_after_a_failed_and_after_a_good_replacement(
    master: Master, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Redeclares):
        name = "redeclares"

        def configure(self, updated: set[str]) -> None:
            raise ValueError

    parent = Recorder("parent")
    master.addons.add(parent, Owner())
    old, new = Redeclares(), Redeclares()
    master.addons.register(old, parent.addons)
    caplog.clear()
    with pytest.raises(ValueError):
        master.addons.register(Broken(), parent.addons, 0, old)
    assert master.options.size == "big"
    assert master.commands.execute("say.more") == "mine"
    master.addons.register(new, parent.addons, 0, old)
    assert "option size is declared again" not in caplog.text
    master.addons.unregister(new, parent.addons)
    assert master.options.size == 3
    assert master.commands.execute("say.more") == "more"


async def test_a_replacement_that_fails_leaves_the_options_of_nested_addons(master: Master) -> None:
    class Broken(WithOption):
        def configure(self, updated: set[str]) -> None:
            raise ValueError

    parent = Recorder("parent")
    old = Recorder("child", addons=[WithOption("grandchild")])
    master.addons.add(parent)
    master.addons.register(old, parent.addons)
    with pytest.raises(ValueError):
        master.addons.register(Recorder("child", addons=[Broken("grandchild")]), parent.addons, 0, old)
    assert master.options.size == 3
    assert master.options.option("size").owner is old.addons[0]


async def test_a_failing_add_takes_its_options_along(master: Master) -> None:
    class Picky(WithOption):
        def configure(self, updated: set[str]) -> None:
            raise OptionsError("I want more")

    with pytest.raises(OptionsError):
        master.addons.add(Picky())
    assert "size" not in master.options


async def test_the_same_declaration_is_silent_and_another_one_warns(
    master: Master, caplog: pytest.LogCaptureFixture
) -> None:
    loader = Loader(master, master)
    loader.add_option("word", str, "a", "A word.", ["a", "b"])
    loader.add_option("word", str, "a", "A word.", ["a", "b"])
    assert caplog.text == ""
    loader.add_option("word", str, "b", "A word.", ["a", "b"])
    assert "option word is declared again" in caplog.text
    assert master.options.word == "b"


async def test_the_loader_knows_its_master_and_takes_the_types_of_the_table(master: Master) -> None:
    loader = Loader(master, None)
    assert loader.master is master
    types = {"a": str, "b": int, "c": bool, "d": str | None, "e": int | None, "f": Sequence[str]}
    for name, kind in types.items():
        loader.add_option(name, kind, {str: "", int: 0, bool: False, Sequence[str]: []}.get(kind), "Help.")
    assert master.options.keys() == set(types)


async def test_a_nested_addon_may_be_removed_alone(master: Master) -> None:
    calls: list[str] = []
    parent = Recorder("p", calls, [Recorder("c", calls), Recorder("d", calls)])
    master.addons.add(parent)
    master.addons.remove(parent.addons[0])
    assert calls[-1] == "c done"
    assert [addon.name for addon in parent.addons] == ["d"]
    assert "c" not in master.addons
    parent.addons = tuple(parent.addons)  # type: ignore[assignment]
    with pytest.raises(AddonManagerError, match="make `addons` a list"):
        master.addons.remove(parent.addons[0])


async def test_an_addon_that_removes_itself_in_a_handler_is_gone_at_once(master: Master) -> None:
    calls: list[str] = []

    class Once:
        def update(self, flows: Sequence[object]) -> None:
            calls.append("once")
            ctx.master.addons.remove(self)

        def done(self) -> None:
            calls.append("done")

    class After:
        def update(self, flows: Sequence[object]) -> None:
            calls.append("after")

    master.addons.add(Once(), After())
    for _ in range(2):
        await master.addons.trigger_event("update", [])
    assert calls == ["once", "done", "after", "after"]


async def test_addonhalt_of_a_parent_keeps_the_event_from_its_children_too(master: Master) -> None:
    calls: list[str] = []

    class Halts:
        def __init__(self, name: str, addons: Sequence[object] = (), halts: bool = True) -> None:
            self.name, self.addons, self.halts = name, list(addons), halts

        def update(self, flows: Sequence[object]) -> None:
            calls.append(self.name)
            if self.halts:
                raise AddonHalt

    master.addons.add(Halts("first", [Halts("child", halts=False)]), Halts("later"))
    await master.addons.trigger_event("update", [])
    assert calls == ["first"]


async def test_modules_are_skipped_and_other_non_callables_refused(master: Master) -> None:
    addon = Recorder("with_module")
    addon.error = asyncio  # type: ignore[attr-defined] # `import error` in a class body or module
    master.addons.add(addon)
    assert master.events.error.handlers == ()
    broken = Recorder("broken")
    broken.response = "not a function"  # type: ignore[attr-defined]
    with pytest.raises(AddonManagerError, match="broken: response must be a function, not 'not a function'"):
        master.addons.add(broken)
    assert "broken" not in master.addons


async def test_what_an_addon_makes_of_itself_later_concerns_nobody_else(
    master: Master, caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[str] = []
    odd, twin = Recorder("odd", calls), Recorder("twin", calls)
    master.addons.add(odd)
    odd.done = odd.addons = True  # type: ignore[assignment, method-assign]
    master.addons.add(twin)
    assert [record.getMessage() for record in caplog.records] == [
        "odd: done must be a function, not True",
        "odd: `addons` must be a list of addons, not True",
    ]
    assert [handler.__self__ for handler in master.events.running.handlers] == [odd, twin]  # type: ignore[attr-defined]
    calls.clear()
    master.addons.remove(twin)
    master.addons.remove(odd)
    assert calls == ["twin done"]
    assert master.addons.chain == []


async def test_handle_lifecycle_emits_update_after_an_event_with_a_flow(master: Master) -> None:
    flow = http_flow()
    seen: list[object] = []

    class Listener:
        def request(self, flow: object) -> None:
            seen.append("request")

        def update(self, flows: Sequence[object]) -> None:
            seen.append(flows)

    master.addons.add(Listener())
    await master.addons.handle_lifecycle(Event("request", (flow,)))
    assert seen == ["request", [flow]]


async def test_an_event_to_one_addon_reaches_the_ones_nested_in_it(master: Master) -> None:
    calls: list[str] = []
    parent = Recorder("p", calls, [Recorder("c", calls)])
    master.addons.add(parent, Recorder("other", calls))
    calls.clear()
    await master.addons.invoke_addon(parent, Event("running"))
    master.addons.invoke_addon_sync(parent, "running")
    assert calls == ["p running", "c running"] * 2


async def test_a_task_that_a_plain_handler_starts_knows_its_master(master: Master) -> None:
    seen: list[object] = []

    class Starter:
        def update(self, flows: Sequence[object]) -> None:
            self.task = asyncio.get_running_loop().create_task(self.later())

        async def later(self) -> None:
            await asyncio.sleep(0)
            seen.append(ctx.master)
            seen.append(await asyncio.to_thread(lambda: ctx.options))

    starter = Starter()
    master.addons.add(starter)
    master.addons.trigger("update", [])
    await starter.task
    assert seen == [master, master.options]


async def test_async_handlers_may_use_what_asyncio_offers(master: Master) -> None:
    seen: list[object] = []

    class Modern:
        async def update(self, flows: Sequence[object]) -> None:
            async with asyncio.timeout(5), asyncio.TaskGroup() as group:
                group.create_task(self.note("task"))
                group.create_task(asyncio.to_thread(seen.append, "thread"))
            await asyncio.gather(self.note("gather"), asyncio.sleep(0))

        async def note(self, text: str) -> None:
            await asyncio.sleep(0)
            seen.append(f"{text} of {ctx.master is master}")

    master.addons.add(Modern())
    await master.addons.trigger_event("update", [])
    assert sorted(map(str, seen)) == ["gather of True", "task of True", "thread"]


async def test_async_running_and_done_of_an_addon_that_comes_and_goes_later(master: Master) -> None:
    calls: list[str] = []

    class Slow:
        async def running(self) -> None:
            await asyncio.sleep(0)
            calls.append("running")

        async def done(self) -> None:
            await asyncio.sleep(0)
            calls.append("done")

    await master.running()
    slow = Slow()
    master.addons.add(slow)
    assert calls == []
    await until(lambda: calls == ["running"], "it went on in the background")
    master.addons.remove(slow)
    await until(lambda: calls == ["running", "done"], "that, too")
    await master.done()


async def test_what_running_began_in_the_background_ends_with_its_addon(master: Master) -> None:
    calls: list[str] = []

    class Ticks:
        async def running(self) -> None:
            try:
                while True:
                    await asyncio.sleep(0)
                    calls.append("tick")
            finally:
                calls.append("ended")

    await master.running()
    ticks = Ticks()
    master.addons.add(ticks)
    await until(lambda: "tick" in calls, "it runs")
    master.addons.remove(ticks)
    await until(lambda: calls[-1] == "ended", "it was cancelled")
    assert not master.background._tasks
    await master.done()
