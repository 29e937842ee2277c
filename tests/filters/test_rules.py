"""What is a rule, what it says, and how one that is none is refused: in one line with a place and a way out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.filters import match_all, parse
from midstream.filters.rules import (
    Replacement,
    RuleError,
    body_pattern,
    expanded,
    parse_blocking,
    parse_rule,
    text_pattern,
)
from midstream.text.escape import visible


@pytest.mark.parametrize(
    ("text", "expression", "subject", "replacement"),
    [
        ("/old/new", None, "old", "new"),
        ("|https://a|https://b", None, "https://a", "https://b"),
        ("/~q/old/new", "~q", "old", "new"),
        ("/~q/old/new/er/", "~q", "old", "new/er/"),
        ("/old/", None, "old", ""),
        ("/~q/old/", "~q", "old", ""),
        (":~d a.example & ~m get:old:new", "~d a.example & ~m get", "old", "new"),
        ("é~qéoéné", "~q", "o", "né"),
        ("/~q//new", "~q", "", "new"),
        ("//", None, "", ""),
        ("|~q|http:|https:", "~q", "http:", "https:"),
    ],
)
def test_the_parts(text: str, expression: str | None, subject: str, replacement: str) -> None:
    rule = parse_rule(text)
    assert (rule.subject, rule.replacement) == (subject, replacement)
    assert (rule.matches is match_all) if expression is None else (rule.matches.pattern == expression)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is no rule: it begins with a separator of your choice, as in /old/new or |~q|old|new"),
        ("/", "/ is no rule: it begins with a separator"),
        ("/a", "/a is no rule: it begins"),
        ("abc", "abc is no rule: it begins"),
        ("///", "///: column 2: the filter is empty; leave it out with its separator, or write ~all"),
        ("/~zz/a/b", "/~zz/a/b: column 2: ~zz is no operator"),
        ("/~q &/a/b", "/~q &/a/b: column 5:"),
        (
            "/a/https://b",
            "/a/https://b: each / separates, those of a URL or a path as well; begin the rule with another",
        ),
        ("/http://a/http://b", "each / separates"),
        ("/\x1b[2J", "/␛[2J is no rule"),
    ],
)
def test_what_is_no_rule(text: str, says: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse_rule(text)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_slashes_separate(tmp_path: Path) -> None:
    file = tmp_path / "new"
    file.touch()
    with pytest.raises(RuleError, match="each / separates"):
        parse_rule(f"/old/@{file}")
    for path in ("at", "x" * 5000, "\0", "\ud800"):
        assert parse_rule(f"/~q/@/{path}").subject == "@"
    assert Replacement(parse_rule(f"|old|@{file}")).path == file


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    for read in (parse_rule, parse_blocking, _compiled):
        try:
            read(text)
        except RuleError as error:
            assert len(str(error).splitlines()) == 1
            assert visible(str(error)) == str(error)


def _compiled(text: str) -> None:
    rule = parse_rule(text)
    text_pattern(rule)
    body_pattern(rule)
    Replacement(rule)
    expanded(rule, rule.replacement)


CHARACTERS = st.characters(codec="utf-8")
PARTS = st.lists(st.text(CHARACTERS, max_size=9), min_size=3, max_size=3)


@given(CHARACTERS, PARTS)
def test_a_rule_is_its_parts_between_separators(separator: str, parts: list[str]) -> None:
    subject, replacement, more = (part.replace(separator, "") for part in parts)
    expression = "~all" if separator not in "~al" else "~q" if separator != "~" else "x"
    if separator == "/":
        subject = subject.replace("@", "").replace(":", "")
    rule = parse_rule(separator.join(["", expression, subject, replacement, more]))
    assert rule.matches.pattern == expression
    assert (rule.subject, rule.replacement) == (subject, f"{replacement}{separator}{more}")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("|(|b", "|(|b: column 2: this is no regular expression: missing ), unterminated subpattern"),
        ("|~q|a(|b", "|~q|a(|b: column 6: this is no regular expression"),
        ("|a{1,2}{3}|b", "column 8: this is no regular expression: multiple repeat"),
        ("|(?iu)(?a)x|b", "this is no regular expression"),
    ],
)
@pytest.mark.parametrize("compiled", [text_pattern, body_pattern])
def test_a_subject_that_is_no_regular_expression(text: str, says: str, compiled: object) -> None:
    assert callable(compiled)
    with pytest.raises(RuleError) as caught:
        compiled(parse_rule(text))
    assert "this is no regular expression" in str(caught.value)
    assert says in str(caught.value) or compiled is body_pattern


@pytest.mark.parametrize(
    ("subject", "body", "found"),
    [
        (r"\d+", b"a12b", b"12"),
        (r"\.", b"ab.", b"."),
        (r"\\.", b"ab.", b"."),
        (r"\\\\", b"a\\b", b"\\"),
        (r"\x2e", b"ab.", b"."),
        (r"\bfoo\b", b"foot foo ", b"foo"),
        (r"(a)\1", b"abaa", b"aa"),
        (r"\n", b"a\nb", b"\n"),
        ("é", "café".encode(), "é".encode()),
        ("a.b", b"a\nb", b"a\nb"),
        ("A", b"a", None),
    ],
)
def test_what_a_subject_finds_in_bodies(subject: str, body: bytes, found: bytes | None) -> None:
    match = body_pattern(parse_rule(f"|{subject}|")).find(body)
    assert (match and match[0]) == found
    if match:
        assert match.end() == body.rindex(found or b"") + len(found or b"")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", b""),
        (r"\n\t\x41\101", b"\n\tAA"),
        (r"\\1 \q \u00e9", rb"\1 \q \u00e9"),
        ("é", "é".encode()),
        ("a@b", b"a@b"),
    ],
)
def test_what_a_replacement_stands_for(text: str, value: bytes) -> None:
    assert Replacement(parse_rule(f"|x|{text}")).read() == value


@pytest.mark.parametrize("text", [r"\x", r"\xZZ", r"\777"])
def test_escapes_that_are_none(text: str) -> None:
    with pytest.raises(RuleError, match="in the replacement: column 1: "):
        Replacement(parse_rule(f"|x|{text}"))


def checked(text: str) -> Replacement:
    rule = parse_rule(text)
    replacement = Replacement(rule)
    replacement.check(rule)
    return replacement


def test_a_replacement_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    file = tmp_path / "new.bin"
    file.write_bytes(b"\\n\n")
    replacement = checked("|x|@~/new.bin")
    assert replacement.read() == b"\\n\n"
    file.write_bytes(b"other")
    assert replacement.read() == b"other"
    file.unlink()
    with pytest.raises(FileNotFoundError):
        replacement.read()


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path, reason in [
        (tmp_path / "none", "no such file or directory"),
        (tmp_path, "it is a folder"),
        (pipe, "it is no regular file"),
        ("x" * 5000, "file name too long"),
        ("\ud800", "no file can have this name"),
        ("", "it is a folder"),
    ]:
        with pytest.raises(RuleError) as caught:
            checked(f"|x|@{path}")
        assert reason in str(caught.value)
    with pytest.raises(OSError, match="no regular file"):
        Replacement(parse_rule(f"|x|@{pipe}")).read()


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    file = tmp_path / "large"
    with file.open("wb") as large:
        large.truncate(64 * 1024 * 1024 + 1)
    with pytest.raises(OSError, match="it is larger than 64 MiB"):
        checked(f"|x|@{file}").read()


@pytest.mark.parametrize(
    ("text", "expression", "status"),
    [("/~q/404", "~q", 404), (":~u /a/b:444", "~u /a/b", 444), ("/~q/ 599", "~q", 599), ("|~all|200", "~all", 200)],
)
def test_rules_that_block(text: str, expression: str, status: int) -> None:
    rule = parse_blocking(text)
    assert (rule.matches.pattern, rule.status_code) == (expression, status)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is no rule: it has a filter and a status"),
        ("/404", "is no rule: it has a filter and a status, as in /~d ads.example/404 or :~u /track:444"),
        ("/~q/a/404", "is no rule"),
        ("//404", "column 2: the filter is empty"),
        ("/~zz/404", "column 2: ~zz is no operator"),
        ("/~q/x", "/~q/x: column 5: 'x' is no status of an answer; 200 to 599 are, and 444 closes the connection"),
        ("/~q/100", "'100' is no status"),
        ("/~q/600", "'600' is no status"),
        ("/~q/-1", "'-1' is no status"),
        ("/~q/", "'' is no status"),
        ("/~q/²²²", "is no status"),
    ],
)
def test_what_blocks_nothing(text: str, says: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse_blocking(text)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("text", "looks"),
    [("~bq x", True), ("!~b x", True), ("~q & (~u a | ~bs b)", True), ("~q & ~u b", False), ("a", False)],
)
def test_whether_a_filter_looks_at_bodies(text: str, looks: bool) -> None:
    assert parse(text).looks_at_bodies is looks
