"""Kinds refuse what makes no sense, in plain words, and complete what is typed."""

from pathlib import Path

import pytest

from midstream.hub.option_kinds import NAMED, Kind, between, complete_path, kind_of


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("size", "2m", "two"),
        ("filter", "~m GET & !~s", "~m"),
        ("regex", r"^a\.b$", "a("),
        ("mode", "reverse:http://example@8081", "revers:http://example"),
    ],
)
def test_texts_are_checked(kind: str, good: str, bad: str) -> None:
    assert kind_of(kind).refuses(good) is None
    assert kind_of(kind).refuses("") is None
    assert kind_of(kind).refuses(None) is None
    reason = kind_of(kind).refuses(bad)
    assert reason and "\n" not in reason


def test_a_regex_error_names_the_column() -> None:
    assert "column 3" in str(kind_of("regex").refuses("ab("))


def test_ranges() -> None:
    port = kind_of("range 0..65535")
    assert port == between(0, 65535)
    assert port.refuses(8080) is None
    assert port.refuses(-1) == "-1 is below 0, the smallest value allowed"
    assert port.refuses(65536) == "65536 is above 65535, the largest value allowed"
    assert kind_of("range 1..").refuses(10**9) is None
    assert kind_of("range ..-1").refuses(0) is not None
    assert port.refuses(True) is None


def test_unknown_kinds_are_named() -> None:
    with pytest.raises(ValueError, match="'sice' is no kind of option"):
        kind_of("sice")
    own = Kind("colour")
    assert kind_of(own) is own
    assert kind_of(None) is NAMED["text"]


def test_filters_are_completed() -> None:
    complete = kind_of("filter").complete
    assert complete is not None
    assert "~m GET & ~d" in complete("~m GET & ~d")
    assert {"~t", "~tcp", "~tq", "~ts"} <= set(complete("~t"))
    assert complete("~m GET") == []


def test_modes_are_completed() -> None:
    complete = kind_of("mode").complete
    assert complete is not None
    assert complete("re") == ["regular", "reverse"]


def test_paths_are_completed(tmp_path: Path) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flow.bin").touch()
    (tmp_path / ".hidden").touch()
    root = f"{tmp_path}/"
    assert complete_path(root) == [f"{root}flow.bin", f"{root}flows/"]
    assert complete_path(f"{root}flows") == [f"{root}flows/"]
    assert complete_path(f"{root}.h") == [f"{root}.hidden"]
    assert complete_path(f"{root}nothing/here") == []
    assert complete_path("~nobody-of-this-name/x") == []


def test_nothing_typed_lists_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").touch()
    monkeypatch.chdir(tmp_path)
    assert complete_path("") == ["./a"]
    assert complete_path("a") == ["a"]
