"""Answer requests by the rules in a YAML file: a server that does not exist yet, or one that should behave badly.

middump -s examples/addons/mock_server.py --set mock_server_rules=examples/addons/mock_server.rules.yaml
curl --proxy http://127.0.0.1:8080 http://api.example/users/7

The rules file beside this one shows all that there is. The first rule that fits answers; what no rule fits goes to
the server, or gets 404 by `mock_otherwise=404`. A changed file is read again at the next request; a mistake in it is
reported with its line, and the rules of before stay. For HTTPS of servers that do not exist nothing must be dialled
before the request is known: add `--set connection_strategy=lazy`.
"""

import asyncio
import difflib
import json
import logging
import mimetypes
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from midstream import command, ctx, exceptions, http
from midstream.addonmanager import Loader

KEYS = ["path", "method", "host", "status", "headers", "body", "json", "file", "delay"]
LARGEST_RULES = 1_000_000  # bytes
LARGEST_JSON = 1_000_000  # characters; aliases can make much of a small file
LONGEST_PATH = 4096  # characters that are compared
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
PLACE = re.compile(r"\{(\w+)\}|(\*)")


class Mistake(ValueError):
    """What is wrong in a rules file, and in which line (from 0)."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line = line


@dataclass
class Rule:
    line: int
    shown: str
    path: re.Pattern[str]
    method: str = ""
    host: str = "*"
    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    text: str = ""
    is_json: bool = False
    file: Path | None = None
    delay: float = 0.0
    used: int = 0

    def fits(self, request: http.Request) -> dict[str, str] | None:
        """The values of the {names} in the path; None when the rule is for other requests."""
        if self.method not in ("", request.method) or not fnmatchcase(request.pretty_host.lower(), self.host):
            return None
        found = self.path.fullmatch(request.path.partition("?")[0], 0, LONGEST_PATH)
        return {name: unquote(value) for name, value in found.groupdict().items()} if found else None

    async def answer(self, values: Mapping[str, str]) -> http.Response:
        self.used += 1
        if self.delay:
            await asyncio.sleep(self.delay)
        if self.file is not None:
            try:
                content = await asyncio.to_thread(self.file.read_bytes)
            except OSError as error:
                logging.error("%s: %s", self.file, error.strerror)
                return http.Response.make(500, f"{self.file.name}: {error.strerror}\n", {"content-type": "text/plain"})
            kind = mimetypes.guess_type(self.file.name)[0] or "application/octet-stream"
        else:
            content = self.filled(values).encode("utf-8", "replace")
            kind = "application/json" if self.is_json else "text/plain; charset=utf-8"
        response = http.Response.make(self.status, content, {"content-type": kind})
        for name in {name for name, _ in self.headers}:
            response.headers.set_all(name, [value for each, value in self.headers if each == name])
        return response

    def filled(self, values: Mapping[str, str]) -> str:
        """The text with {id} replaced by what stood in the path; braces around other words are left alone."""

        def value(found: re.Match[str]) -> str:
            text = values.get(found[1] or "")
            if text is None:
                return found[0]
            return json.dumps(text)[1:-1] if self.is_json else text

        return PLACE.sub(value, self.text)


class MockServer:
    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self.stamp: tuple[int, ...] | None = None  # what the file looked like when it was read

    def load(self, loader: Loader) -> None:
        loader.add_option(
            "mock_server_rules", str, "", "A YAML file of rules; nothing is answered when empty.", kind="path"
        )
        loader.add_option("mock_otherwise", str, "forward", "What no rule fits: forward or 404.", ["forward", "404"])

    def configure(self, updated: set[str]) -> None:
        if "mock_server_rules" in updated:
            self.stamp = None
            try:
                self.read()
            except ValueError as error:
                raise exceptions.OptionsError(f"mock_server_rules: {error}") from None

    def read(self) -> None:
        """Take in the rules file, unless it is as it was. ValueError, once for each state, with file and line."""
        if not ctx.options.mock_server_rules:
            self.rules = []
            return
        file = Path(ctx.options.mock_server_rules).expanduser()
        stamp, before = stamp_of(file), self.stamp
        if stamp == before:
            return
        self.stamp = stamp
        try:
            self.rules = rules_of(file)
        except OSError as error:
            raise ValueError(f"{file}: {error.strerror}") from None
        except Mistake as error:
            raise ValueError(f"{file}:{error.line + 1}: {error}") from None
        if before is not None:
            logging.info("%s: %d rules read again", file, len(self.rules))

    async def request(self, flow: http.HTTPFlow) -> None:
        if flow.response is not None or not ctx.options.mock_server_rules:
            return
        # A look at the file for each request costs microseconds, and is all that reloading needs.
        try:
            self.read()
        except ValueError as error:
            logging.error("%s; the rules of before stay", error)
        for rule in self.rules:
            if (values := rule.fits(flow.request)) is not None:
                flow.comment = f"answered by line {rule.line + 1} of the rules"
                flow.response = await rule.answer(values)
                return
        if ctx.options.mock_otherwise == "404":
            flow.response = http.Response.make(404, f"no rule for {flow.request.method} {flow.request.path}\n")

    @command.command("mock.rules")
    def show(self) -> Sequence[Sequence[str]]:
        """The rules in force: line, method, host, path, status, and how often each was used."""
        return [
            [
                str(rule.line + 1),
                rule.method or "any",
                rule.host,
                rule.shown,
                str(rule.status),
                f"used {rule.used} times",
            ]
            for rule in self.rules
        ]


# --- reading the rules ------------------------------------------------------------------------------------------------


def stamp_of(file: Path) -> tuple[int, ...]:
    try:
        facts = file.stat()
    except OSError:
        return ()
    return facts.st_ino, facts.st_mtime_ns, facts.st_size


def rules_of(file: Path) -> list[Rule]:
    """Raises OSError and Mistake."""
    with file.open("rb") as opened:
        data = opened.read(LARGEST_RULES + 1)
    if len(data) > LARGEST_RULES:
        raise Mistake(0, f"a rules file has at most {LARGEST_RULES:,} bytes")
    try:
        # The round trip loader makes plain values only, whatever tags the file has, and knows their lines.
        items: Any = YAML().load(data.decode("utf-8"))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Mistake(mark.line if mark else 0, str(error.problem or error.context)) from None
    except RecursionError:
        raise Mistake(0, "this is too deeply nested") from None
    except (YAMLError, ValueError) as error:
        raise Mistake(0, f"this is no YAML: {error}".splitlines()[0]) from None
    if items is None:
        return []
    if not isinstance(items, list):
        raise Mistake(0, "the rules are a list: each begins with `- path: /…`")
    return [rule_of(item, line_of(items, index, 0), file.parent) for index, item in enumerate(items)]


def line_of(holder: Any, key: Any, otherwise: int) -> int:
    """The line of an item or key. What a merge (`<<: *other`) brought has none of its own."""
    places = getattr(getattr(holder, "lc", None), "data", None) or {}
    return int(places[key][0]) if key in places else otherwise


def rule_of(item: Any, line: int, folder: Path) -> Rule:
    if not isinstance(item, dict):
        raise Mistake(line, "a rule looks like `- path: /users/{id}`")
    lines = {key: line_of(item, key, line) for key in item}
    for key in item:
        if key not in KEYS:
            close = difflib.get_close_matches(str(key), KEYS, 1)
            raise Mistake(
                lines[key], f"{key!r} is no key of a rule" + (f"; did you mean {close[0]!r}?" if close else "")
            )
    if len(bodies := [key for key in ("body", "json", "file") if key in item]) > 1:
        raise Mistake(lines[bodies[1]], f"a rule has one of body, json and file, not {' and '.join(bodies)}")

    def value(key: str, kind: type | tuple[type, ...], wanted: str, default: Any) -> Any:
        found = item.get(key, default)
        if not isinstance(found, kind) or (isinstance(found, bool) and key in ("status", "delay")):
            raise Mistake(lines.get(key, line), f"{key} is {wanted}, not {found!r}")
        return found

    path = value("path", str, "a path such as /users/{id}", "")
    rule = Rule(line, path, pattern(path, lines.get("path", line)))
    rule.method = value("method", str, "a method such as GET", "").upper()
    rule.host = value("host", str, "a host such as *.example", "*").lower()
    rule.status = int(value("status", int, "a number from 200 to 599", 200))
    if not 200 <= rule.status <= 599:
        raise Mistake(lines["status"], f"status is a number from 200 to 599, not {rule.status}")
    rule.delay = float(value("delay", (int, float), "a number of seconds", 0))
    if not 0 <= rule.delay <= 3600:
        raise Mistake(lines["delay"], f"delay is a number of seconds up to 3600, not {rule.delay:g}")
    rule.text = str(value("body", str, "a text", ""))
    if "json" in item:
        rule.text, rule.is_json = json_text(item["json"], lines["json"]), True
    if "file" in item:
        rule.file = folder / Path(value("file", str, "a file name", "")).expanduser()
        if not rule.file.is_file():
            raise Mistake(lines["file"], f"there is no file {rule.file}")
    rule.headers = headers_of(value("headers", dict, "a map of names to values", {}), lines.get("headers", line))
    return rule


def pattern(path: str, line: int) -> re.Pattern[str]:
    """`{name}` stands for one part of the path, `*` for anything."""
    if not path.startswith(("/", "*")):
        raise Mistake(line, f"path begins with a slash or with *, not {path!r}")
    # More places in a row would take the comparison with a long path forever.
    if path.count("*") > 2 or any(len(PLACE.findall(part)) > 1 for part in path.split("/")):
        raise Mistake(line, f"path has at most two *, and one * or {{name}} between two slashes, not {path!r}")
    end, parts = 0, []
    for found in PLACE.finditer(path):
        parts += [re.escape(path[end : found.start()]), f"(?P<{found[1]}>[^/]+)" if found[1] else ".*"]
        end = found.end()
    try:
        return re.compile("".join([*parts, re.escape(path[end:])]), re.DOTALL)
    except re.error as error:
        raise Mistake(line, f"path {path!r}: {error}") from None


def headers_of(headers: dict[Any, Any], line: int) -> list[tuple[str, str]]:
    pairs = [
        (name, each) for name, value in headers.items() for each in (value if isinstance(value, list) else [value])
    ]
    for name, value in pairs:
        if not isinstance(name, str) or not HEADER_NAME.fullmatch(name):
            raise Mistake(line, f"{name!r} is no name of a header")
        if not isinstance(value, str | int | float) or re.search(r"[\r\n\0]", str(value)):
            raise Mistake(line, f"the header {name} has one line of text, or a list of such lines, not {value!r}")
    return [(name.lower(), str(value)) for name, value in pairs]


def json_text(value: Any, line: int) -> str:
    size, pieces = 0, []
    try:
        for piece in json.JSONEncoder(default=str).iterencode(value):
            pieces.append(piece)
            size += len(piece)
            if size > LARGEST_JSON:
                raise Mistake(line, f"this is more than {LARGEST_JSON:,} characters of JSON")
    except (TypeError, RecursionError, ValueError) as error:
        if isinstance(error, Mistake):
            raise
        raise Mistake(line, f"this cannot be written as JSON: {error}") from None
    return "".join(pieces)


addons = [MockServer()]
