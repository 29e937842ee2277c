"""Config files: read strictly with the place of each mistake, written without losing what is in them."""

import io
import json
import re
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from midstream.flows.errors import OptionsError
from midstream.hub import config
from midstream.hub.option_listing import dump_defaults, dump_dicts
from midstream.hub.options import Options
from tests.kit.stopwatch import within


def make_options() -> Options:
    options = Options()
    options.add_option("flag", bool, False, "A switch.")
    options.add_option("word", str, "old", "A word with a colon: and 100 % more.")
    options.add_option("order", str, "time", "An order.", choices=["time", "size"])
    options.add_option("count", int, 1, "A number.")
    options.add_option("limit", str | None, None, "A size.", kind="size")
    options.add_option("scripts", Sequence[str], [], "Some scripts.")
    return options


@pytest.fixture
def opts() -> Options:
    return make_options()


def test_values_of_every_type(opts: Options) -> None:
    config.load(opts, "flag: true\nword: 'x y'\ncount: -4\nlimit: 2m\nscripts: [a, 'b c']\n")
    assert (opts.flag, opts.word, opts.count, opts.limit, opts.scripts) == (True, "x y", -4, "2m", ["a", "b c"])
    assert opts.source("flag") == "file"
    config.load(opts, "limit: null\nscripts: []")
    assert (opts.limit, opts.scripts) == (None, [])


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n", "---\n"])
def test_empty_files_change_nothing(opts: Options, text: str) -> None:
    config.load(opts, text)
    assert not any(opts.has_changed(name) for name in opts)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("word: [1", "c:1:9: "),
        ("flag: true\n word: x", "c:2:6: no ':' is allowed here: is a text not in quotes"),
        ("word: *x", "c:1:7: found undefined alias 'x'"),
        ("word: a\n---\nword: b", "c:2:1: expected a single document in the stream, but found another document"),
        ("word: \x07", "c:1:7: unacceptable character #x0007"),
        ("flag: true\nword: \x00", "c:2:7: unacceptable character #x0000"),
        ("count: !!int many", "c:1:8: option count: 'many' is no int"),
        ("flag: !!bool maybe", "c:1:7: option flag: 'maybe' is no bool"),
        ("count: " + "9" * 5000, "c:1:8: option count: '99999999999999999999…' is no int"),
        ("flag: yes", "c:1:7: option flag: expected bool, got 'yes' (str); write true or false"),
        ("flag: 'true'", "c:1:7: option flag: expected bool, got 'true' (str); write true or false"),
        ("- word", "c:1:1: expected lines of 'option: value', got a list"),
        ("word", "c:1:1: expected lines of 'option: value', got a text"),
        ("flag: true\ncount: many", "c:2:8: option count: expected int, got 'many' (str)"),
        ("word: 8080", "c:1:7: option word: expected str, got 8080 (int); put it in quotes"),
        ("word: 1.5", "c:1:7: option word: expected str, got 1.5 (float); put it in quotes"),
        ("word: null", "c:1:7: option word: expected str, got None (NoneType); leave the line out for the default"),
        ("word:\ncount: 3", "c:1:1: option word: expected str, got None (NoneType); leave the line out"),
        ("flag: 1", "c:1:7: option flag: expected bool, got 1 (int); write true or false"),
        ("other: &x [b]\nword: *x", "c:2:1: option word: expected str, got ['b'] (list)"),
        ("count: '3'", "c:1:8: option count: expected int, got '3' (str); write it without quotes"),
        ("scripts: a.py", "c:1:10: option scripts: expected list of str, got 'a.py' (str); write it as [a.py]"),
        ("scripts: [a, 1]", "c:1:10: option scripts: expected list of str, got ['a', 1] (list)"),
        ("order: sise", "c:1:8: option order: 'sise' is no choice; did you mean 'size'?"),
        ("limit: much", "c:1:8: option limit: "),
        ("word: {a: b}", "c:1:7: option word: expected a plain value, got a mapping"),
        ("scripts: [a, [b]]", "c:1:14: option scripts: expected a plain value, got a list within a list"),
        ("scripts: &x [*x]", "c:1:10: option scripts: expected a plain value, got a list within a list"),
        ("word: !thing x", "c:1:7: option word: tags such as !thing are not allowed here"),
        ("word: !!python/object:os.system x", "c:1:7: option word: expected a plain value, got !!python/object:os.sys"),
        ("scripts: !!set {a}", "c:1:10: option scripts: expected a plain value, got !!set"),
        ("[a]: b", "c:1:1: an option name is a word, not a list"),
        ("word: a\nword: b", "c:2:1: option word stands here twice"),
        ("word: " + "[" * 5000, "c:"),
        ("word: " + "x" * 300_000, "c: 300,006 characters are no config file; the limit is 262,144"),
    ],
)
def test_mistakes_are_told_with_their_place(opts: Options, text: str, message: str) -> None:
    with pytest.raises(OptionsError) as caught:
        config.load(opts, text, name="c")
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
    assert not any(opts.has_changed(name) for name in opts)


def test_alias_bombs_are_not_unfolded(opts: Options) -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{b}: &{b} [*{a}, *{a}, *{a}]\n" for a, b in zip("abcdefghijklm", "bcdefghijklmn", strict=True)
    )
    with within(5), pytest.raises(OptionsError, match="a list within a list"):
        config.load(opts, bomb)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    try:
        config.load(make_options(), text)
    except OptionsError as error:
        assert "\n" not in str(error)


def test_unknown_names_wait_until_they_are_declared(opts: Options) -> None:
    config.load(opts, "later: 5\nweb_port: 8081\nmany: [a]")
    opts.add_option("later", int, 0, "")
    opts.process_deferred()
    assert (opts.later, opts.source("later")) == (5, "file")
    assert set(opts.deferred) == {"web_port", "many"}


def test_a_value_that_waits_remembers_its_place(opts: Options) -> None:
    config.load(opts, "flag: true\nlater: three\n", name="c")
    opts.add_option("later", int, 1, "")
    with pytest.raises(OptionsError, match=r"^c:2:8: option later: expected int, got 'three' \(str\)$"):
        opts.process_deferred()


def test_a_refusing_addon_takes_the_whole_file_back(opts: Options) -> None:
    @opts.changed.connect
    def configure(updated: set[str]) -> None:
        if opts.word == "bad":
            raise OptionsError(refusal)

    for refusal, place in (("word is bad", "c:1:7"), ("option word: bad", "c:1:7"), ("it is bad", "c")):
        with pytest.raises(OptionsError, match=f"^{place}: {refusal}$"):
            config.load(opts, "word: bad\nflag: true", name="c")
        assert (opts.word, opts.flag) == ("old", False)


def test_what_an_addon_refuses_later_has_its_place_in_the_file(opts: Options) -> None:
    @opts.changed.connect
    def configure(updated: set[str]) -> None:
        if opts.word == "bad":
            raise OptionsError("word is bad")

    with pytest.raises(OptionsError, match=r"^c:2:7: word is bad$"), opts.together():
        config.load(opts, "flag: true\nword: bad", name="c")
        opts.count = 3
    with pytest.raises(OptionsError, match=r"^word is bad$"):
        opts.word = "bad"


def test_flags_outrank_the_file_and_sessions_outrank_both(opts: Options) -> None:
    opts.set("word=cli", source="cli")
    opts.count = 9
    config.load(opts, "word: file\ncount: 2\nflag: true")
    assert (opts.word, opts.count, opts.flag) == ("cli", 9, True)
    config.load(opts, "word: file", source="session")
    assert opts.word == "file"


# -- files --


def test_files_apply_in_order_and_missing_ones_are_skipped(opts: Options, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("word: first\ncount: 2\nscripts: [sub/a.py, /abs/b.py, ~/c.py]")
    (tmp_path / "config.yml").write_bytes(b"\xef\xbb\xbfword: second\n")
    config.load_paths(opts, tmp_path / "none.yaml", *(tmp_path / name for name in config.FILE_NAMES))
    assert (opts.word, opts.count) == ("second", 2)
    assert opts.scripts == [f"{tmp_path}/sub/a.py", "/abs/b.py", str(Path("~/c.py").expanduser())]


def test_files_that_cannot_be_read(opts: Options, tmp_path: Path) -> None:
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"word: caf\xe9")
    with pytest.raises(OptionsError, match=r"latin\.yaml:1:10: the file is not UTF-8"):
        config.load_paths(opts, latin)
    with pytest.raises(OptionsError, match="Is a directory"):
        config.load_paths(opts, tmp_path)
    huge = tmp_path / "huge.yaml"
    with huge.open("wb") as out:
        out.truncate(100_000_000)
    with pytest.raises(OptionsError, match=r"huge\.yaml: larger than 262,144 bytes"):
        config.load_paths(opts, huge)
    endless = tmp_path / "endless.yaml"
    endless.symlink_to("/dev/zero")
    with pytest.raises(OptionsError, match=r"endless\.yaml: this is no ordinary file"):
        config.load_paths(opts, endless)
    bad = tmp_path / "bad.yaml"
    bad.write_text("flag: true\ncount: x")
    with pytest.raises(OptionsError, match=r"bad\.yaml:2:8: option count"):
        config.load_paths(opts, bad)


def test_saving_writes_what_differs_and_keeps_the_rest(opts: Options, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("# mine\nword: x  # why\nweb_port: 80\ncount: 7\n")
    config.load_paths(opts, file)
    opts.update(count=1, flag=True, scripts=["/a: b", "/c"])
    config.save(opts, file)
    assert file.read_text() == '# mine\nword: x  # why\nweb_port: 80\nflag: true\nscripts:\n- "/a: b"\n- /c\n'
    again = make_options()
    config.load_paths(again, file)
    assert dump_dicts(again) == dump_dicts(opts)


def test_saved_scripts_are_found_from_everywhere(
    opts: Options, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    opts.scripts = ["a.py"]
    config.save(opts, tmp_path / "config.yaml")
    again = make_options()
    config.load_paths(again, tmp_path / "config.yaml")
    assert again.scripts == [f"{tmp_path}/work/a.py"]


KEPT = """\
# top
count: 7   # how many

# about the word
word: x  # why
scripts:
  # the first one
  - a.py # mine
  # the second one
  - /b.py
# behind the list
later:   [1,
  2]  # unknown
limit: '1m'
nothing:

foreign: off  # as YAML 1.2 sees it, a text
"""


def test_saving_touches_only_what_has_changed(opts: Options, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(KEPT)
    config.load_paths(opts, file)
    config.save(opts, file)
    assert file.read_text() == KEPT
    opts.update(word="y: z", count=1, flag=True, scripts=["/b.py", "/new.py", str(tmp_path / "a.py")])
    config.save(opts, file)
    after = KEPT.replace("count: 7   # how many\n", "").replace("word: x", 'word: "y: z"')
    after = after.replace(
        "  # the first one\n  - a.py # mine\n  # the second one\n  - /b.py\n",
        "  # the first one\n  # the second one\n  - /b.py\n  - /new.py\n  - a.py # mine\n",
    )
    assert file.read_text() == f"{after}flag: true\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("word: old", "word: new\n"),
        ("word: |\n  a\n  b\n# c\n", "word: new\n# c\n"),
        ("word:\n# c\n", "word: new\n# c\n"),
        ('"word": "a" # c', '"word": new # c\n'),
        ("word: >-\n  a\n\n\nother: 1\n", "word: new\n\n\nother: 1\n"),
        ("{word: a, other: 1}", "word: new\nother: 1\n"),
        ("# {a}\r\nword: a\r\nother: 1\r\n", "# {a}\r\nword: new\r\nother: 1\r\n"),
        ("---\nword: a\n", "---\nword: new\n"),
        ("word: [a]", "word: new\n"),
        ("word:\n- a\n# c\nother: 1", "word: new\n# c\nother: 1\n"),
        ("", "word: new\n"),
        ("# nothing", "# nothing\nword: new\n"),
    ],
)
def test_every_shape_of_an_entry_can_be_changed(opts: Options, before: str, after: str) -> None:
    opts.word = "new"
    out = io.StringIO()
    config.serialize(opts, out, before)
    assert out.getvalue() in (after, after.removesuffix("\n"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("scripts: [a, 'b'] # c", "scripts: [b, x] # c\n"),
        ("scripts: a\n", "scripts: [b, x]\n"),
        ("scripts:\n- a\n# 2\n- b # b\n", "scripts:\n# 2\n- b # b\n- x\n"),
        ("scripts:\n- b", "scripts:\n- b\n- x\n"),
    ],
)
def test_lists_are_changed_by_items(opts: Options, before: str, after: str) -> None:
    opts.scripts = ["b", "x"]
    out = io.StringIO()
    config.serialize(opts, out, before)
    assert out.getvalue() in (after, after.removesuffix("\n"))


@pytest.mark.parametrize("text", ["word: &x a\nlater: *x\n", "count: 1\n...\n"])
def test_what_cannot_be_changed_in_place_is_left_alone(opts: Options, text: str) -> None:
    opts.word = "new"
    with pytest.raises(OptionsError, match="c: this file cannot be changed in place"):
        config.serialize(opts, io.StringIO(), text, name="c")


def test_secrets_in_a_file_that_others_can_read(
    opts: Options, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    opts.add_option("password", str | None, None, "A secret.", kind="secret")
    file = tmp_path / "config.yaml"
    file.write_text("password: hunter2\n")
    file.chmod(0o600)
    config.load_paths(opts, file)
    assert not caplog.records
    file.chmod(0o640)
    config.load_paths(opts, file)
    assert f"{file} holds password and can be read by others; chmod 600 {file}" in caplog.text
    assert "hunter2" not in caplog.text
    caplog.clear()
    beside = tmp_path / "config.yml"
    config.load_paths(opts, beside)  # it is not there
    beside.write_text("word: hello\n")
    config.load_paths(opts, beside)
    assert not caplog.records
    config.save(opts, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_saving_makes_a_private_file(opts: Options, tmp_path: Path) -> None:
    opts.word = "secret"
    config.save(opts, tmp_path / "new.yaml")
    assert stat.S_IMODE((tmp_path / "new.yaml").stat().st_mode) == 0o600
    assert (tmp_path / "new.yaml").read_text() == "word: secret\n"
    with pytest.raises(OptionsError, match="No such file"):
        config.save(opts, tmp_path / "none" / "new.yaml")
    with pytest.raises(OptionsError, match=r"null (byte|character)"):  # the words of Python 3.11 and 3.13
        config.save(opts, "a\0b")
    with pytest.raises(OptionsError, match="no ordinary file; it is left alone"):
        config.save(opts, "/dev/null")
    assert [path.name for path in tmp_path.iterdir()] == ["new.yaml"]


def test_saving_follows_links_and_leaves_broken_files_alone(opts: Options, tmp_path: Path) -> None:
    opts.word = "x"
    (tmp_path / "link.yaml").symlink_to(tmp_path / "real.yaml")
    config.save(opts, tmp_path / "link.yaml")
    assert (tmp_path / "link.yaml").is_symlink()
    (tmp_path / "real.yaml").write_text("a: [")
    with pytest.raises(OptionsError, match="expected the node content"):
        config.save(opts, tmp_path / "link.yaml")
    assert (tmp_path / "real.yaml").read_text() == "a: ["
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.yaml", "real.yaml"]


def test_serializing_everything(opts: Options) -> None:
    out = io.StringIO()
    config.serialize(opts, out, "", defaults=True)
    assert out.getvalue() == "count: 1\nflag: false\nlimit: null\norder: time\nscripts: []\nword: old\n"


# What YAML would take for something else if it stood there without quotes.
ODD_WORDS = "- ? @ ` % ! & * { } [ ] # , | > ' \" = << null Null ~ true yes 0x1 1e3 .5 1_0 2001-01-01 ... --- a: :a a#b"
ODD = [*ODD_WORDS.split(), "key: v", "a #b", " a", "a ", "a  b", "a\n", "? x", "%x", "!x", "&x", "*x"]


@example(word="a\x85b", scripts=["\u2028"], count=0, flag=False)
@example(word="caf\udce9 \x7f\ufeff", scripts=[*ODD, ""], count=-1, flag=True)
@given(word=st.text(), scripts=st.lists(st.text()), count=st.integers(), flag=st.booleans())
def test_what_is_saved_is_loaded(word: str, scripts: list[str], count: int, flag: bool) -> None:
    opts = make_options()
    opts.update(word=word, scripts=scripts, count=count, flag=flag)
    out = io.StringIO()
    config.serialize(opts, out, "")
    again = make_options()
    config.load(again, out.getvalue())
    assert dump_dicts(again) == dump_dicts(opts)


PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
NESTED = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2))
NAMES = st.sampled_from(["flag", "word", "order", "count", "limit", "scripts", "unknown"])


@given(st.dictionaries(NAMES, NESTED, max_size=4))
def test_wrong_types_are_refused_with_their_place(values: dict[str, object]) -> None:
    text = "".join(f"{name}: {json.dumps(value)}\n" for name, value in values.items())  # JSON is YAML, nearly
    try:
        config.load(make_options(), text, name="c")
    except OptionsError as error:
        assert re.match(r"c:\d+:\d+: ", str(error)), error
        assert "\n" not in str(error)


@example(text="word: *word\n", word="a")
@given(text=st.text(alphabet="awordlimt: #-[]{}'\"|>&*!\n", max_size=40), word=st.text(max_size=4))
def test_any_file_is_changed_rightly_or_left_alone(text: str, word: str) -> None:
    opts = make_options()
    try:
        config.load(opts, text)
        opts.word = word
        out = io.StringIO()
        config.serialize(opts, out, text)
    except OptionsError:
        return
    again = make_options()
    config.load(again, out.getvalue())
    assert dump_dicts(again) == dump_dicts(opts)
    assert set(again.deferred) == set(opts.deferred)


# -- folder --


def test_the_environment_names_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MIDSTREAM_CONFDIR", raising=False)
    monkeypatch.delenv("MITMPROXY_CONFDIR", raising=False)
    assert config.default_folder() == "~/.midstream"
    monkeypatch.setenv("MIDSTREAM_CONFDIR", "/tmp/other")
    assert config.default_folder() == "/tmp/other"


# -- listings --


def test_the_listing_is_a_config_file_of_defaults(opts: Options) -> None:
    opts.word = "changed"
    out = io.StringIO()
    dump_defaults(opts, out)
    assert '# An order.\n# Type str. Choices: time, size.\norder: "time"\n\n' in out.getvalue()
    again = make_options()
    config.load(again, out.getvalue())
    assert not any(again.has_changed(name) for name in again)


def test_plain_data(opts: Options) -> None:
    opts.count = 2
    assert dump_dicts(opts, ["count"]) == {
        "count": {"type": "int", "default": 1, "value": 2, "help": "A number.", "choices": None}
    }
    assert list(dump_dicts(opts)) == sorted(opts)
