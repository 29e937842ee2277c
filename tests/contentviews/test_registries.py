"""Views that come and go: names, order, owners, masters."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from midstream import contentviews
from midstream.addons.script import ScriptLoader
from midstream.contentviews import Contentview, Metadata
from midstream.contentviews.registries import Registry, check_choice, current, registry_of
from midstream.flows.errors import OptionsError
from midstream.hub import ctx
from midstream.hub.master import Master
from midstream.hub.options import Options
from midstream.hub.scripts import Scripts


class Shout(Contentview):
    def prettify(self, data: bytes, metadata: Metadata) -> str:
        return data.decode().upper()

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        return 3 if data.startswith(b"!") else 0


@pytest.fixture
async def master() -> AsyncIterator[Master]:
    made = Master(Options())
    with ctx.use(made):
        yield made
        await made.done()


def test_the_built_in_ones() -> None:
    views = Registry()
    assert views.available_views()[0] == "auto"
    assert views.available_views()[1:] == sorted(views)
    assert {"raw", "json", "hex dump", "hex stream", "query", "url-encoded", "multipart form"} <= set(views)
    assert views["JSON"] is views["json"]
    assert "Hex Dump" in views
    assert "auto" not in views
    with pytest.raises(KeyError):
        views["dance"]


def test_names_without_being_set() -> None:
    class FooContentview(Shout):
        pass

    assert FooContentview().name == "Foo"
    assert Shout().syntax_highlight == "none"
    assert isinstance(Shout(), Contentview)
    assert sorted([Shout(), FooContentview()])[0].name == "Foo"


def test_a_view_is_added_as_a_class_or_an_object_and_taken_back() -> None:
    views = Registry()
    views.register(Shout)
    assert views.get_view(b"!a", Metadata()).name == "Shout"
    assert views.get_view(b"a", Metadata(), "SHOUT").name == "Shout"
    views.unregister(Shout)
    assert "shout" not in views
    one = Shout()
    views.register(one)
    assert views["shout"] is one
    views.unregister(one)
    views.unregister(one)
    assert "shout" not in views


def test_a_name_that_there_is_not_means_the_best() -> None:
    assert Registry().get_view(b"{}", Metadata(), "dance").name == "JSON"


def test_the_same_name_takes_the_place(caplog: pytest.LogCaptureFixture) -> None:
    class Other(Shout):
        name = "json"

    views = Registry()
    before = list(views)
    caplog.set_level("INFO")
    views.register(Other)
    assert list(views) == before
    assert isinstance(views["JSON"], Other)
    assert "content view json is replaced by the one of Other" in caplog.text


@pytest.mark.parametrize("wrong", [3, object(), object, Metadata(), type("Unnamed", (), {"prettify": 1})])
def test_what_is_no_view_is_refused(wrong: object) -> None:
    with pytest.raises(TypeError, match="is no content view: it has no"):
        Registry().register(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["", " ", "auto", "Auto", None, 3])
def test_what_has_no_proper_name_is_refused(name: object) -> None:
    class Odd(Shout):
        pass

    Odd.name = name  # type: ignore[assignment,method-assign]
    with pytest.raises(TypeError, match="cannot be a content view called"):
        Registry().register(Odd)


@pytest.mark.parametrize("failing", [ZeroDivisionError("oh"), SystemExit(3), KeyboardInterrupt()])
def test_a_priority_that_fails_leaves_the_view_out_and_is_told_once(
    failing: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Shout):
        def render_priority(self, data: bytes, metadata: Metadata) -> float:
            raise failing

    views = Registry()
    views.register(Broken)
    for _ in range(3):
        assert views.get_view(b"hi", Metadata()).name == "Raw"
    assert caplog.text.count("content view Broken is left out") == 1


def test_a_priority_that_is_no_number_is_left_out_too() -> None:
    class Odd(Shout):
        def render_priority(self, data: bytes, metadata: Metadata) -> float:
            return None  # type: ignore[return-value]

    views = Registry()
    views.register(Odd)
    assert views.get_view(b"hi", Metadata()).name == "Raw"


def test_a_priority_that_holds_the_loop_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    class Slow(Shout):
        def render_priority(self, data: bytes, metadata: Metadata) -> float:
            end = time.perf_counter() + 0.11
            while time.perf_counter() < end:
                pass
            return 3

    views = Registry()
    views.register(Slow)
    for _ in range(2):
        assert views.get_view(b"hi", Metadata()).name == "Slow"
    assert caplog.text.count("content view Slow held everything up for 1") == 1


async def test_two_masters_do_not_meet(master: Master) -> None:
    contentviews.add(Shout)
    assert "shout" in contentviews.registry
    assert contentviews.get("Shout") is registry_of(master)["shout"]
    assert await asyncio.to_thread(current) is registry_of(master)
    other = Master(Options())
    with ctx.use(other):
        assert "shout" not in contentviews.registry
        assert contentviews.get("shout") is None
        await other.done()
    contentviews.remove(Shout)
    assert "shout" not in contentviews.registry


def test_outside_of_any_master() -> None:
    contentviews.add(Shout)  # a script that is imported by its own unit test
    assert "shout" in contentviews.registry
    contentviews.remove(Shout)
    with pytest.raises(AttributeError, match="no 'dance'"):
        contentviews.dance  # type: ignore[attr-defined]  # noqa: B018


# -- scripts ----------------------------------------------------------------------------------------------------------

SCRIPT = """
from midstream import contentviews

class Mine(contentviews.Contentview):
    def prettify(self, data, metadata):
        return "{text}"

{where}
"""
AT_ONCE = "contentviews.add(Mine)"
IN_LOAD = "def load(loader):\n    contentviews.add(Mine())"
IN_AN_ADDON = "class Addon:\n    def running(self):\n        contentviews.add(Mine())\naddons = [Addon()]"


def write(path: Path, text: str, where: str = AT_ONCE) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text(SCRIPT.format(text=text, where=where))
    os.replace(fresh, path)


@pytest.mark.parametrize("where", [AT_ONCE, IN_LOAD, IN_AN_ADDON], ids=["at once", "in load", "in an addon"])
async def test_a_view_goes_with_its_script(master: Master, tmp_path: Path, where: str) -> None:
    await master.running()
    views = registry_of(master)
    write(tmp_path / "view.py", "one", where)
    master.addons.add(ScriptLoader())
    before = views.revision
    master.options.scripts = [str(tmp_path / "view.py")]
    assert views["mine"].prettify(b"", Metadata()) == "one"
    with_it = views.revision
    assert with_it != before
    master.options.scripts = []
    assert "mine" not in views
    assert views.revision != with_it


async def test_a_saved_script_brings_its_view_anew(
    master: Master, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    path = tmp_path / "view.py"
    scripts, views = Scripts(), registry_of(master)

    def saved(text: str, where: str = AT_ONCE) -> str:
        write(path, text, where)
        for _ in range(2):  # a change is believed when it looks the same twice
            scripts.look(master.addons)
        return views["mine"].prettify(b"", Metadata())

    write(path, "one")
    scripts.set_paths([str(path)], master.addons)
    assert saved("two") == "two"
    assert saved("three", AT_ONCE + "\nraise ValueError") == "two"  # the older form goes on, and so does its view
    assert saved("four", AT_ONCE + "\ndef load(loader): raise ValueError") == "two"
    assert saved("five") == "five"
    assert "is replaced" not in caplog.text
    scripts.set_paths([], master.addons)
    assert "mine" not in views


async def test_what_a_script_replaced_comes_back(master: Master, tmp_path: Path) -> None:
    path = tmp_path / "view.py"
    path.write_text(
        SCRIPT.format(text="x", where=AT_ONCE).replace("class Mine", "class JSON").replace("(Mine)", "(JSON)")
    )
    scripts, views = Scripts(), registry_of(master)
    ours = views["json"]
    scripts.set_paths([str(path)], master.addons)
    assert views["json"].prettify(b"", Metadata()) == "x"
    scripts.set_paths([], master.addons)
    assert views["json"] is ours


async def test_options_that_name_a_view(master: Master) -> None:
    master.options.add_option("body_view", str, "auto", "A view.", choices=registry_of(master).available_views)
    option = master.options.option("body_view")
    master.options.body_view = "shout"
    with pytest.raises(OptionsError, match="option body_view: 'shout' is no choice; the choices are auto, "):
        check_choice("body_view")
    contentviews.add(Shout)
    check_choice("body_view")
    assert option.choices is not None and "shout" in option.choices
    assert option.completions("sh") == ["shout"]
