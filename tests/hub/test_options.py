"""Options: declared, set in every way, told to listeners, taken back when one refuses."""

import argparse
import collections.abc
import gc
import logging
import typing
from typing import Any, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.flows.errors import OptionsError
from midstream.hub.option_types import OPTIONAL_INT, OPTIONAL_STR, STRINGS, option_type
from midstream.hub.options import Options


@pytest.fixture
def opts() -> Options:
    options = Options()
    options.add_option("flag", bool, False, "A switch.")
    options.add_option("word", str, "old", "A word.")
    options.add_option("order", str, "time", "An order.", choices=["time", "size"])
    options.add_option("port", Optional[int], None, "A port.", kind="range 0..65535")  # noqa: UP045
    options.add_option("count", int, 1, "A number.")
    options.add_option("limit", str | None, None, "A size.", kind="size")
    options.add_option("names", collections.abc.Sequence[str], ["a"], "Some names.")
    return options


@pytest.fixture
def told(opts: Options) -> list[set[str]]:
    heard: list[set[str]] = []
    opts.changed.connect(heard.append)
    return heard


# -- types --


@pytest.mark.parametrize("hint", [typing.Sequence[str], collections.abc.Sequence[str], list[str], typing.List[str]])  # noqa: UP006
def test_lists_in_every_spelling(hint: Any) -> None:
    assert option_type(hint) is STRINGS


@pytest.mark.parametrize("hint", [Optional[str], str | None, typing.Union[str, None], None | str])  # noqa: UP007, UP045
def test_optional_text_in_every_spelling(hint: Any) -> None:
    assert option_type(hint) is OPTIONAL_STR


def test_optional_numbers() -> None:
    assert option_type(int | None) is OPTIONAL_INT


@pytest.mark.parametrize("hint", [float, dict, list[int], bool | None, str | int, "str", None, typing.Sequence])
def test_other_types_are_refused(hint: Any) -> None:
    with pytest.raises(TypeError, match="the types are"):
        option_type(hint)


# -- declaring --


def test_a_default_of_a_wrong_type_is_refused() -> None:
    with pytest.raises(TypeError, match="option x: expected int, got 'a'"):
        Options().add_option("x", int, "a", "")


@pytest.mark.parametrize("name", ["update", "changed", "_private", "with space", "a-b", "deferred", ""])
def test_names_that_cannot_be_options(name: str) -> None:
    with pytest.raises(ValueError, match="cannot name an option"):
        Options().add_option(name, str, "", "")


def test_declaring_the_same_twice_is_silent(opts: Options, caplog: pytest.LogCaptureFixture) -> None:
    opts.word = "new"
    opts.add_option("word", str, "old", "A word.")
    assert opts.word == "new"
    assert not caplog.records


def test_declaring_anew_warns_and_keeps_what_still_fits(opts: Options, caplog: pytest.LogCaptureFixture) -> None:
    opts.word = "new"
    opts.count = 7
    with caplog.at_level(logging.WARNING):
        opts.add_option("word", str | None, None, "Another word.")
        opts.add_option("count", bool, False, "No number any more.")
    assert [record.getMessage() for record in caplog.records] == [
        "option word is declared again in a different way; the later declaration counts",
        "option count is declared again in a different way; the later declaration counts",
    ]
    opts.process_deferred()
    assert opts.word == "new"
    assert opts.count is False


def test_options_go_with_their_owner_and_come_back_with_their_value(opts: Options) -> None:
    owner = object()
    opts.add_option("mine", int, 1, "", owner=owner)
    opts.add_option("other", int, 1, "", owner=owner)
    opts.mine = 5
    opts.remove_options(owner)
    assert "mine" not in opts
    with pytest.raises(AttributeError):
        _ = opts.mine
    opts.add_option("mine", int, 1, "", owner=object())
    opts.process_deferred()
    assert opts.mine == 5
    assert opts.source("mine") == "session"
    assert "other" not in opts.deferred


# -- reading --


def test_lists_are_copies(opts: Options) -> None:
    opts.names.append("b")
    assert opts.names == ["a"]
    given = ["x"]
    opts.names = given
    given.append("y")
    assert opts.names == ["x"]
    default = opts.default("names")
    assert isinstance(default, list)
    default.append("z")
    assert opts.default("names") == ["a"]
    names = opts.option("names").current()
    assert isinstance(names, list)
    names.append("z")
    assert opts.names == ["x"]


def test_reading_an_unknown_name_suggests_a_known_one(opts: Options) -> None:
    with pytest.raises(AttributeError, match=r"no option is called 'prot'; did you mean 'port'?"):
        _ = opts.prot
    with pytest.raises(KeyError, match="did you mean 'port'"):
        opts.has_changed("prot")
    assert not hasattr(opts, "__deepcopy__")


def test_keys_items_and_membership(opts: Options) -> None:
    assert opts.keys() == {"flag", "word", "order", "port", "count", "limit", "names"}
    assert "flag" in opts
    assert "flagg" not in opts
    assert dict(opts.items())["word"].help == "A word."
    assert len(opts) == len(list(opts)) == 7


# -- writing --


@pytest.mark.parametrize(
    ("name", "value"),
    [("flag", 1), ("word", None), ("word", 3), ("count", "1"), ("count", True), ("port", "80"), ("names", "a")],
)
def test_wrong_types_are_refused(opts: Options, name: str, value: object) -> None:
    with pytest.raises(TypeError, match=f"option {name}: expected"):
        opts.update(**{name: value})
    assert not opts.has_changed(name)


def test_unknown_names_are_refused(opts: Options) -> None:
    with pytest.raises(KeyError, match="nothing"):
        opts.update(nothing=1)
    with pytest.raises(AttributeError, match="nothing"):
        opts.nothing = 1
    with pytest.raises(OptionsError, match="no option is called 'wrod'; did you mean 'word'"):
        opts.set("wrod=x")


def test_choices_and_kinds_are_checked_everywhere(opts: Options) -> None:
    for attempt in (
        lambda: opts.update(order="sise"),
        lambda: opts.set("order=sise"),
        lambda: setattr(opts, "order", "sise"),
        lambda: opts.update_known(order="sise"),
        lambda: opts.setter("order")("sise"),
    ):
        with pytest.raises(OptionsError, match="option order: 'sise' is no choice; did you mean 'size'"):
            attempt()
    with pytest.raises(OptionsError, match="option order: 'x' is no choice; the choices are time, size"):
        opts.order = "x"
    with pytest.raises(OptionsError, match="option port: 70000 is above 65535"):
        opts.port = 70000
    with pytest.raises(OptionsError, match="option limit: "):
        opts.limit = "much"


def test_an_update_is_one_change(opts: Options, told: list[set[str]]) -> None:
    opts.update(flag=True, word="x")
    assert told == [{"flag", "word"}]
    assert (opts.flag, opts.word) == (True, "x")


def test_setting_the_same_value_is_told_too(opts: Options, told: list[set[str]]) -> None:
    opts.word = "old"
    assert told == [{"word"}]
    opts.update()
    assert told == [{"word"}]


def test_nothing_is_set_when_one_value_is_wrong(opts: Options, told: list[set[str]]) -> None:
    with pytest.raises(OptionsError):
        opts.update(word="new", order="nope")
    assert opts.word == "old"
    assert told == []


@pytest.mark.parametrize(
    ("specs", "name", "value"),
    [
        (["flag"], "flag", True),
        (["flag="], "flag", True),
        (["flag=true"], "flag", True),
        (["flag=toggle"], "flag", True),
        (["flag=false"], "flag", False),
        (["word=a=b"], "word", "a=b"),
        (["word="], "word", ""),
        (["count=-3"], "count", -3),
        (["port=80"], "port", 80),
        (["port="], "port", None),
        (["port"], "port", None),
        (["limit"], "limit", None),
        (["limit=2m"], "limit", "2m"),
        (["names"], "names", []),
        (["names="], "names", [""]),
        (["names=x", "names=y,z"], "names", ["x", "y,z"]),
    ],
)
def test_texts_become_values(opts: Options, specs: list[str], name: str, value: object) -> None:
    opts.set(*specs)
    assert getattr(opts, name) == value


@pytest.mark.parametrize(
    ("specs", "message"),
    [
        (["flag=yes"], "option flag: 'yes' is neither true, false nor toggle"),
        (["word"], r"option word: needs a value \(str\)"),
        (["count"], "option count: needs a value"),
        (["count="], "option count: needs a value"),
        (["count=many"], "option count: 'many' is no whole number"),
        (["word=a", "word=b"], r"option word: takes one value \(str\), 2 were given"),
    ],
)
def test_texts_that_are_refused(opts: Options, specs: list[str], message: str) -> None:
    with pytest.raises(OptionsError, match=message):
        opts.set(*specs)


def test_known_and_unknown_are_parted(opts: Options) -> None:
    assert opts.update_known(word="x", later=3) == {"later": 3}
    assert opts.word == "x"


def test_merge_extends_lists(opts: Options) -> None:
    opts.merge({"names": ["b"], "word": "w"})
    assert opts.names == ["a", "b"]
    assert opts.word == "w"
    with pytest.raises(TypeError):
        opts.merge({"names": "b"})


def test_reset(opts: Options, told: list[set[str]]) -> None:
    opts.update(word="x", names=[])
    opts.reset_one("word")
    assert (opts.word, opts.source("word")) == ("old", "default")
    opts.reset()
    assert opts.names == ["a"]
    assert not any(opts.has_changed(name) for name in opts)
    assert told[-1] == opts.keys()


def test_setter_and_toggler(opts: Options) -> None:
    opts.setter("word")("s")
    assert opts.word == "s"
    toggle = opts.toggler("flag")
    toggle()
    assert opts.flag is True
    toggle()
    assert opts.flag is False
    with pytest.raises(ValueError, match="option word cannot be toggled"):
        opts.toggler("word")
    with pytest.raises(KeyError):
        opts.setter("nothing")


@pytest.mark.parametrize("spec", ["", "=", "=x"])
@pytest.mark.parametrize("defer", [True, False])
def test_a_spec_without_a_name(opts: Options, spec: str, defer: bool) -> None:
    with pytest.raises(OptionsError, match="names no option; write name=value"):
        opts.set(spec, defer=defer)


# -- deferring --


def test_deferred_texts_are_parsed_when_declared(opts: Options, told: list[set[str]]) -> None:
    opts.set("later=3", "many=a", "many=b", "word=x", defer=True)
    assert opts.word == "x"
    opts.process_deferred()
    assert "later" not in opts
    opts.add_option("later", int, 0, "")
    opts.add_option("many", list[str], [], "")
    opts.process_deferred()
    assert (opts.later, opts.many) == (3, ["a", "b"])
    assert told[-1] == {"later", "many"}
    assert not opts.deferred


def test_a_refused_value_takes_no_other_one_along(opts: Options) -> None:
    opts.set("later=3", "word2=x", "broken=y", defer=True)
    for name, default in (("later", 0), ("broken", 0)):
        opts.add_option(name, int, default, "")
    opts.add_option("word2", str, "", "")
    with pytest.raises(OptionsError, match="option broken"):
        opts.process_deferred()
    assert (opts.later, opts.word2, set(opts.deferred)) == (0, "", {"later", "word2", "broken"})


def test_deferred_values_that_do_not_fit_are_refused(opts: Options) -> None:
    opts.update_defer(later="three")
    opts.add_option("later", int, 0, "")
    with pytest.raises(OptionsError, match="option later: expected int, got 'three'"):
        opts.process_deferred()
    assert opts.later == 0


def test_a_flag_outranks_the_file_also_while_deferred(opts: Options) -> None:
    opts.set("later=cli", defer=True, source="cli")
    opts.defer("later", "file", "file")
    opts.add_option("later", str, "", "")
    opts.process_deferred()
    assert (opts.later, opts.source("later")) == ("cli", "cli")


# -- telling --


def test_a_refusal_takes_everything_back(opts: Options) -> None:
    seen: list[tuple[str, bool]] = []
    errors: list[Exception] = []
    opts.errored.connect(errors.append)

    @opts.changed.connect
    def configure(updated: set[str]) -> None:
        seen.append((opts.word, opts.flag))
        if opts.word == "bad":
            raise OptionsError("that word is bad")

    opts.flag = True
    with pytest.raises(OptionsError, match="that word is bad"):
        opts.update(word="bad", flag=False)
    assert seen == [("old", True), ("bad", False), ("old", True)]
    assert (opts.source("word"), opts.source("flag")) == ("default", "session")
    assert [str(error) for error in errors] == ["that word is bad"]


def test_a_listener_that_refuses_the_old_values_too_is_named(opts: Options, caplog: pytest.LogCaptureFixture) -> None:
    @opts.changed.connect
    def configure(updated: set[str]) -> None:
        raise OptionsError("never content")

    with pytest.raises(OptionsError):
        opts.word = "x"
    assert opts.word == "old"
    assert "refuses the old values too: never content" in caplog.text


def test_changes_together_are_told_once_and_taken_back_together(opts: Options, told: list[set[str]]) -> None:
    with opts.together():
        opts.word = "x"
        opts.set("flag")
    assert told == [{"word", "flag"}]
    with pytest.raises(OptionsError), opts.together():
        opts.word = "y"
        opts.order = "nope"
    assert opts.word == "x"
    assert told == [{"word", "flag"}]


def test_a_listener_may_set_options_itself(opts: Options) -> None:
    @opts.changed.connect
    def configure(updated: set[str]) -> None:
        if "word" in updated:
            opts.flag = True

    opts.word = "x"
    assert opts.flag is True


def test_rollback_swallows_unless_told(opts: Options) -> None:
    with opts.rollback({"word"}):
        opts.option("word").value = "half"
        raise OptionsError("no")
    assert opts.word == "old"
    with pytest.raises(OptionsError), opts.rollback({"word"}, reraise=True):
        raise OptionsError("no")


def test_subscribers_hear_only_their_names_and_may_go(opts: Options) -> None:
    heard: list[set[str]] = []

    def listen(options: Options, updated: set[str]) -> None:
        assert options is opts
        heard.append(updated)

    opts.subscribe(listen, ["word", "flag"])
    opts.count = 2
    opts.update(word="x", count=3)
    assert heard == [{"word", "count"}]
    with pytest.raises(OptionsError, match="no option is called 'nothing'"):
        opts.subscribe(listen, ["nothing"])
    del listen
    gc.collect()
    opts.word = "y"
    assert len(heard) == 1


def test_sources(opts: Options) -> None:
    assert opts.source("word") == "default"
    opts.apply({"word": "f"}, "file")
    assert opts.source("word") == "file"
    opts.set("word=c", source="cli")
    assert opts.source("word") == "cli"
    opts.word = "s"
    assert opts.source("word") == "session"
    opts.word = "old"
    assert opts.source("word") == "default"


def test_completions(opts: Options) -> None:
    assert opts.option("flag").completions("t") == ["true", "toggle"]
    assert opts.option("order").completions("s") == ["size"]
    assert opts.option("word").completions("x") == []


def test_owner_names() -> None:
    class Streaming:
        pass

    opts = Options()
    opts.add_option("a", int, 1, "", owner=Streaming())
    opts.add_option("b", int, 1, "", owner="core")
    opts.add_option("c", int, 1, "")
    assert [opts.option(name).owner_name for name in "abc"] == ["streaming", "core", ""]


def test_make_parser(opts: Options) -> None:
    parser = argparse.ArgumentParser()
    opts.make_parser(parser, "word", metavar="W", short="w")
    opts.make_parser(parser, "flag")
    opts.make_parser(parser, "nothing")
    assert vars(parser.parse_args(["-w", "x", "--no-flag"])) == {"word": ["x"], "flag": "false"}


# -- whatever is given, only the declared errors --

ANY_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=4,
)
KINDS: list[tuple[str, Any, object, str | None]] = [
    ("flag", bool, False, None),
    ("word", str, "", "path"),
    ("number", int, 1, "range 0..9"),
    ("maybe", Optional[int], None, "range ..5"),  # noqa: UP045
    ("size", Optional[str], None, "size"),  # noqa: UP045
    ("filter", Optional[str], None, "filter"),  # noqa: UP045
    ("regexes", typing.Sequence[str], [], "regex"),
    ("modes", typing.Sequence[str], [], "mode"),
]


def every_kind() -> Options:
    options = Options()
    for name, typespec, default, kind in KINDS:
        options.add_option(name, typespec, default, "", kind=kind)
    return options


@given(st.sampled_from([name for name, *_ in KINDS] + ["unknown"]), st.text(max_size=20), st.booleans())
def test_any_spec_is_taken_or_refused_in_one_line(name: str, text: str, equals: bool) -> None:
    options = every_kind()
    try:
        options.set(f"{name}={text}" if equals else name)
    except OptionsError as error:
        assert "\n" not in str(error)
        assert not any(options.has_changed(each) for each in options)
    else:
        value = getattr(options, name)
        options.update(**{name: value})  # what was parsed is what may be assigned
        if isinstance(value, str):
            assert value == text


@given(st.text(max_size=20))
def test_any_text_as_a_spec(text: str) -> None:
    try:
        every_kind().set(text, defer=False)
    except OptionsError as error:
        assert "\n" not in str(error)


@given(st.sampled_from([name for name, *_ in KINDS]), ANY_VALUE)
def test_any_value_is_taken_or_refused(name: str, value: object) -> None:
    options = every_kind()
    try:
        options.update(**{name: value})
    except (OptionsError, TypeError) as error:
        assert "\n" not in str(error)
    else:
        assert getattr(options, name) == (list(value) if isinstance(value, tuple) else value)
    options.update_defer(later=value)
    options.add_option("later", int, 0, "")
    try:
        options.process_deferred()
    except OptionsError as error:
        assert "\n" not in str(error)
