"""Learn an API from its traffic and write it down as OpenAPI 3.1: paths, parameters, JSON bodies and statuses.

middump -s examples/addons/openapi_sketch.py --set openapi_file=sketch.yaml
:openapi.write sketch.yaml   (in midstream, whenever you like)

Click through an app, or run its tests, and it grows. Numbers, UUIDs and long hexadecimal names in paths are taken for
ids: /users/7 and /users/8 are /users/{userId}. Only what was seen is in it, and only shapes, never values: a sketch to
go on from, not the truth.
"""

import json
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from midstream import command, ctx, exceptions, flowfilter, http, types
from midstream.addonmanager import Loader

Json = Any
ID = re.compile(r"\d+|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{16,}|[0-9A-HJKMNP-TV-Z]{26}")
UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}
# Traffic is hostile, and an API has an end: what goes beyond is left out.
MOST_OPERATIONS = 2000
MOST_SEGMENTS = 30  # of a path
MOST_PARAMETERS = 100
MOST_PROPERTIES = 200
MOST_ITEMS = 50
MOST_SHAPES = 100_000
DEEPEST = 12
LARGEST_BODY = 500_000


class Room:
    """How many more shapes may be made, wherever they are."""

    left = MOST_SHAPES

    def take(self) -> bool:
        self.left -= 1
        return self.left > 0


@dataclass
class Shape:
    """What JSON values at one place look like: their types, and what is inside of them."""

    types: set[str] = field(default_factory=set)
    formats: set[str] = field(default_factory=set)
    properties: dict[str, "Shape"] = field(default_factory=dict)
    seen: int = 0  # objects among the values, of which `count` of each property says how many had it
    count: int = 0
    items: "Shape | None" = None

    def learn(self, value: Json, room: Room, depth: int = 0) -> None:
        self.count += 1
        match value:
            case None:
                self.types.add("null")
            case bool():
                self.types.add("boolean")
            case int():
                self.types.add("integer")
            case float():
                self.types.add("number")
            case str():
                self.types.add("string")
                self.formats.add(format_of(value))
            case list():
                self.types.add("array")
                self.items = self.items or Shape()
                for item in value[:MOST_ITEMS] if depth < DEEPEST else ():
                    self.items.learn(item, room, depth + 1)
            case dict():
                self.types.add("object")
                self.seen += 1
                for name, item in value.items() if depth < DEEPEST else ():
                    if name in self.properties or (len(self.properties) < MOST_PROPERTIES and room.take()):
                        self.properties.setdefault(name, Shape()).learn(item, room, depth + 1)

    def schema(self) -> dict[str, Json]:
        kinds = sorted(self.types - ({"integer"} if "number" in self.types else set()), key=lambda kind: kind == "null")
        schema: dict[str, Json] = {"type": kinds[0] if len(kinds) == 1 else kinds} if kinds else {}
        if len(self.formats) == 1 and "" not in self.formats:
            schema["format"] = next(iter(self.formats))
        if self.properties:
            schema["properties"] = {plain(name): shape.schema() for name, shape in self.properties.items()}
            if required := [plain(name) for name, shape in self.properties.items() if shape.count == self.seen]:
                schema["required"] = required
        if self.items is not None:
            schema["items"] = self.items.schema()
        return schema


@dataclass
class Operation:
    """One method of one path of one server."""

    parameters: list[str]
    count: int = 0
    query: dict[str, Shape] = field(default_factory=dict)
    query_counts: dict[str, int] = field(default_factory=dict)
    body: dict[str, Shape] = field(default_factory=dict)
    responses: dict[int, dict[str, Shape]] = field(default_factory=dict)

    def learn(self, flow: http.HTTPFlow, response: http.Response, room: Room) -> None:
        self.count += 1
        for name, values in grouped(flow.request).items():
            if name in self.query or (len(self.query) < MOST_PARAMETERS and room.take()):
                self.query_counts[name] = self.query_counts.get(name, 0) + 1
                for value in values:
                    self.query.setdefault(name, Shape()).learn(value_of(value), room)
        learn_body(self.body, flow.request, room)
        learn_body(self.responses.setdefault(response.status_code, {}), response, room)

    def described(self, summary: str) -> dict[str, Json]:
        found: dict[str, Json] = {"summary": summary}
        parameters = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in self.parameters
        ]
        for name, shape in self.query.items():
            always = self.query_counts[name] == self.count
            parameters.append({"name": plain(name), "in": "query", "required": always, "schema": shape.schema()})
        if parameters:
            found["parameters"] = parameters
        if self.body:
            found["requestBody"] = {"content": content_of(self.body)}
        found["responses"] = {
            str(status): {"description": http.Response.make(status).reason or "seen in traffic"}
            | ({"content": content_of(shapes)} if shapes else {})
            for status, shapes in sorted(self.responses.items())
        }
        return found


class OpenApiSketch:
    def __init__(self) -> None:
        self.operations: dict[tuple[str, str, str], Operation] = {}
        self.room = Room()
        self.matches = flowfilter.match_all

    def load(self, loader: Loader) -> None:
        loader.add_option("openapi_filter", str, "", "Which flows to learn from; all when empty.", kind="filter")
        loader.add_option("openapi_file", str, "", "Where to write the sketch at the end.", kind="path")

    def configure(self, updated: set[str]) -> None:
        if "openapi_filter" in updated:
            text = ctx.options.openapi_filter
            self.matches = flowfilter.parse(text) if text else flowfilter.match_all

    def response(self, flow: http.HTTPFlow) -> None:
        assert flow.response is not None
        if flow.request.method not in METHODS or not self.matches(flow):
            return
        if flow.request.path.count("/") > MOST_SEGMENTS:
            return
        server = flow.request.pretty_url.removesuffix(flow.request.path)
        path, parameters = template(flow.request.path.partition("?")[0])
        place = (server, path, flow.request.method.lower())
        if place not in self.operations and len(self.operations) < MOST_OPERATIONS:
            self.operations[place] = Operation(parameters)
        if place in self.operations:
            self.operations[place].learn(flow, flow.response, self.room)

    def done(self) -> None:
        if ctx.options.openapi_file:
            try:
                logging.info(self.write(ctx.options.openapi_file))
            except exceptions.CommandError as error:
                logging.error("%s", error)

    # --- commands -----------------------------------------------------------------------------------------------------

    @command.command("openapi.write")
    def write(self, path: types.Path) -> str:
        """Write what was learned into a YAML file."""
        file = Path(path).expanduser()
        yaml = YAML()
        yaml.indent(mapping=2, sequence=4, offset=2)
        try:
            with file.open("w", encoding="utf-8") as opened:
                yaml.dump(self.document(), opened)
        except OSError as error:
            raise exceptions.CommandError(f"{file}: {error.strerror}") from None
        return f"{file}: {len(self.operations)} operations"

    @command.command("openapi.list")
    def show(self) -> Sequence[Sequence[str]]:
        """What was learned so far: server, method, path, statuses, and how many exchanges it was seen in."""
        return [
            [server, method.upper(), path, " ".join(map(str, sorted(each.responses))), f"{each.count}x"]
            for (server, path, method), each in sorted(self.operations.items())
        ]

    @command.command("openapi.clear")
    def clear(self) -> None:
        """Forget it all."""
        self.operations.clear()
        self.room = Room()

    def document(self) -> dict[str, Json]:
        servers = sorted({server for server, _, _ in self.operations})
        paths: dict[str, Json] = {}
        for (server, path, method), operation in sorted(self.operations.items()):
            item = paths.setdefault(plain(path), {})
            if len(servers) > 1:  # of paths that several servers have, the first one's description stays
                item.setdefault("servers", [{"url": plain(server)}])
            item.setdefault(method, operation.described(f"seen {operation.count} times"))
        return {
            "openapi": "3.1.0",
            "info": {"title": "Learned from traffic", "version": "0"},
            "servers": [{"url": plain(server)} for server in servers],
            "paths": paths,
        }


# --- reading traffic --------------------------------------------------------------------------------------------------


def template(path: str) -> tuple[str, list[str]]:
    """The path with its ids replaced, and their names: /users/7 is /users/{userId}."""
    names: list[str] = []
    segments = path.split("/")
    for index, segment in enumerate(segments):
        if ID.fullmatch(segment):
            before = re.sub(r"\W", "", segments[index - 1]) if index else ""
            name = f"{singular(before)}Id" if before and "{" not in segments[index - 1] else "id"
            while name in names:
                name += "2"
            names.append(name)
            segments[index] = f"{{{name}}}"
    return "/".join(segments) or "/", names


def singular(word: str) -> str:
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def grouped(request: http.Request) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in request.query.items(multi=True):
        found.setdefault(name, []).append(value)
    return found


def value_of(text: str) -> Json:
    """A value in a query is text, but a number or a truth value may be meant."""
    if re.fullmatch(r"-?\d{1,15}", text):
        return int(text)
    if re.fullmatch(r"-?\d{1,15}\.\d{1,15}", text):
        return float(text)
    return text == "true" if text in ("true", "false") else text


def learn_body(shapes: dict[str, Shape], message: http.Message, room: Room) -> None:
    """Add the shape of a JSON body; of others only that there are such."""
    kind = message.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not message.raw_content or not kind or (kind not in shapes and len(shapes) > 9):
        return
    shape = shapes.setdefault(kind, Shape())
    if kind == "application/json" or kind.endswith("+json"):
        try:
            shape.learn(json.loads(message.get_content(limit=LARGEST_BODY) or b""), room)
        except (ValueError, RecursionError):
            return  # not what it claims to be, or too large


def format_of(text: str) -> str:
    if UUID.fullmatch(text):
        return "uuid"
    return "date-time" if DATE_TIME.fullmatch(text) else ""


def content_of(shapes: dict[str, Shape]) -> dict[str, Json]:
    return {plain(kind): {"schema": schema} if (schema := shape.schema()) else {} for kind, shape in shapes.items()}


def plain(text: str) -> str:
    """Text that a YAML file can hold."""
    return "".join(sign if sign.isprintable() else "�" for sign in text.encode("utf-8", "replace").decode())


addons = [OpenApiSketch()]
