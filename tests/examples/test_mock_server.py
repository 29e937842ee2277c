"""The mock server of the examples, against real traffic, and its rules file, whatever is in it."""

import json
import runpy
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.flows.errors import OptionsError
from tests.kit.captured import http_flow
from tests.kit.curl import curl, needs_curl
from tests.kit.example_run import EXAMPLES, Run, example
from tests.kit.stopwatch import within

NAME = "mock_server.py"
SHIPPED = EXAMPLES / "mock_server.rules.yaml"
MODULE = runpy.run_path(str(EXAMPLES / NAME))
RULES_OF, MISTAKE = MODULE["rules_of"], MODULE["Mistake"]


async def ask(run: Run, method: str, url: str) -> tuple[bytes, bytes]:
    host = url.split("/")[2]
    run.client.end.say(f"{method} {url} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    return await run.client.answer()


async def test_the_shipped_rules(confdir: Path) -> None:
    async with example(confdir, NAME, mock_server_rules=str(SHIPPED)) as run:
        head, body = await ask(run, "GET", "http://any.example/health?deep=1")
        assert (head[:15], json.loads(body)) == (b"HTTP/1.1 200 OK", {"status": "ok"})
        assert b"content-type: application/json" in head
        head, body = await ask(run, "GET", "http://api.example/users/%22%C3%A4%0A")
        assert json.loads(body)["id"] == '"ä\n'
        assert json.loads(body)["name"] == 'User number "ä\n'
        head, body = await ask(run, "POST", "http://api.example/users")
        assert head.startswith(b"HTTP/1.1 201 Created\r\n")
        assert head.count(b"set-cookie: ") == 2
        assert (await ask(run, "GET", "http://api.example/rules"))[1] == SHIPPED.read_bytes()
        head, body = await ask(run, "GET", "http://api.example/broken")
        assert head.startswith(b"HTTP/1.1 500 ")
        assert b"retry-after: 30" in head
        assert (await run.get("/else"))[1] == b"hello"
        run.master.options.mock_otherwise = "404"
        assert (await run.get("/else"))[0].startswith(b"HTTP/1.1 404 ")
        rows = cast(list[list[str]], run.execute("mock.rules"))
        assert rows[0][1:] == ["any", "*", "/health", "200", "used 1 times"]


async def test_a_changed_file_is_read_again(confdir: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("- {path: /a, body: one}")
    async with example(confdir, NAME, mock_server_rules=str(rules)) as run:
        assert (await run.get("/a"))[1] == b"one"
        rules.write_text("- path: /a\n  body: second\n")
        assert (await run.get("/a"))[1] == b"second"
        assert run.logged("rules.yaml: 1 rules read again")
        rules.write_text("- path: /a\n  boddy: third one\n")
        for _ in range(2):
            assert (await run.get("/a"))[1] == b"second"
        (line,) = run.logged("boddy")
        assert line == f"{rules}:2: 'boddy' is no key of a rule; did you mean 'body'?; the rules of before stay"
        rules.unlink()
        assert (await run.get("/a"))[1] == b"second"
        assert run.logged("rules.yaml: No such file")
        rules.write_text("# nothing any more")
        assert (await run.get("/a"))[1] == b"hello"


async def test_wrong_files_are_refused(confdir: Path, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text("- {path: '*', delay: 0.001, body: good}")
    bad.write_text("- path: [\n")
    async with example(confdir, NAME, mock_server_rules=str(good)) as run:
        with pytest.raises(OptionsError, match=r"mock_server_rules: .*bad.yaml:2: "):
            run.master.options.mock_server_rules = str(bad)
        assert (await run.get("/a"))[1] == b"good"
        with pytest.raises(OptionsError, match="No such file"):
            run.master.options.mock_server_rules = str(tmp_path / "none")
        assert (await run.get("/a"))[1] == b"good"
        run.master.options.mock_server_rules = ""
        assert (await run.get("/a"))[1] == b"hello"


@needs_curl
async def test_https_of_a_server_that_does_not_exist(confdir: Path) -> None:
    async with example(confdir, NAME, mock_server_rules=str(SHIPPED), connection_strategy="lazy") as run:
        arguments = ("--proxy", run.running.address, "--cacert", str(run.running.ca), "https://api.example/health")
        assert (await curl(*arguments)).body == b'{"status": "ok"}'


def test_long_paths_are_compared_quickly(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text("- path: '*a/*b'\n")
    (rule,) = RULES_OF(file)
    with within(1):
        assert rule.fits(http_flow("http://x.example/" + "a/" * 100_000).request) is None


async def test_a_file_that_vanishes_is_an_error_of_the_mock(confdir: Path, tmp_path: Path) -> None:
    rules, page = tmp_path / "rules.yaml", tmp_path / "page.html"
    rules.write_text("- {path: /page, file: page.html}")
    page.write_text("<p>")
    async with example(confdir, NAME, mock_server_rules=str(rules)) as run:
        head, _ = await run.get("/page")
        assert b"text/html" in head
        page.unlink()
        head, _ = await run.get("/page")
        assert head.startswith(b"HTTP/1.1 500 ")
        assert run.logged("page.html: No such file")


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("path: /a", 1, "the rules are a list"),
        ("- /a", 1, "a rule looks like"),
        ("- status: 200", 1, "path begins with a slash"),
        ("- path: a", 1, "path begins with a slash"),
        ("- path: /{a}/{a}", 1, "redefinition"),
        ("- path: /*/*/*", 1, "at most two"),
        ("- path: /{a}{b}", 1, "between two slashes"),
        ("- path: /a\n  status: 999", 2, "status is a number from 200 to 599"),
        ("- path: /a\n  status: yes", 2, "status is a number"),
        ("- path: /a\n\n  delay: -1", 3, "delay is a number of seconds"),
        ("- path: /a\n  delay: .nan", 2, "delay is a number of seconds"),
        ("- path: /a\n  body: x\n  json: 1", 3, "not body and json"),
        ("- path: /a\n  body: 5", 2, "body is a text"),
        ("- path: /a\n  file: none.txt", 2, "there is no file"),
        ("- path: /a\n  headers: {a b: c}", 2, "no name of a header"),
        ('- path: /a\n  headers: {a: "b\\nc: d"}', 2, "one line of text"),
        ("- path: /a\n  headers: x", 2, "headers is a map"),
        ("- path: /a\n  path: /b", 2, "duplicate key"),
        ("- path: /a\n  json: {[1, 2]: 3}", 2, "cannot be written as JSON"),
        ("- path: /a\n- {pth: /b}", 2, "did you mean 'path'"),
        ("\tx", 1, "cannot start any token"),
        ("- path: /a\n  json: " + "[" * 1000, 1, "too deeply nested"),
        (
            "- path: /a\n  json:\n    - &a [xxxxxxxxxx]\n"
            + "".join(
                f"    - &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
            ),
            2,
            "more than 1,000,000",
        ),
        ("- path: /a\n  json: !!python/object/apply:os.system [date]", 0, ""),
        ("- &a {path: /a, status: 201}\n- <<: *a\n  body: x", 0, ""),
    ],
)
def test_mistakes_name_the_line(tmp_path: Path, text: str, line: int, what: str) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(text)
    if not line:
        assert RULES_OF(file)
        return
    with pytest.raises(MISTAKE, match=what) as raised:
        RULES_OF(file)
    assert raised.value.line + 1 == line


KEY = st.sampled_from([*MODULE["KEYS"], "x", "<<"])
VALUE = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.just("/{a}*"))
ANY = st.recursive(VALUE, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEY, inner, max_size=3))


@given(st.one_of(st.text(), st.lists(st.dictionaries(KEY, ANY, max_size=4), max_size=3).map(json.dumps)))
def test_any_file_gives_rules_or_a_mistake(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.getbasetemp() / "any-rules.yaml"
    file.write_text(text, "utf-8", "surrogateescape")
    try:
        assert isinstance(RULES_OF(file), list)
    except MISTAKE as mistake:
        assert mistake.line >= 0
        assert "\n" not in str(mistake)
