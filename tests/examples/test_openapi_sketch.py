"""The OpenAPI sketch of the examples: learned from real traffic, and bounded whatever the traffic."""

import json
import runpy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from midstream.flows.errors import CommandError
from tests.kit.example_run import EXAMPLES, Run, example
from tests.kit.origins import Heard, ok

NAME = "openapi_sketch.py"
MODULE = runpy.run_path(str(EXAMPLES / NAME))
JSON = "Content-Type: application/json; charset=utf-8"
USERS = [
    {"id": 7, "name": "ann", "since": "2026-01-02T03:04:05Z", "tags": ["a"], "rate": 1, "boss": None},
    {"id": 8, "name": "bob", "since": "2026-01-02T03:04:05.6+01:00", "tags": [], "rate": 0.5, "boss": {"id": 7}},
]


def written(run: Run, file: Path) -> Any:
    run.execute(f"openapi.write {file}")
    return YAML(typ="safe").load(file.read_text("utf-8"))


async def test_a_sketch(confdir: Path, tmp_path: Path) -> None:
    def answer(heard: Heard) -> bytes:
        if heard.method == "POST":
            return ok(b"", status="201 Created")
        if heard.target.startswith("/users/"):
            number = int(heard.target[7])
            return ok(json.dumps(USERS[number - 7]).encode(), JSON)
        return ok(b"<p>", "Content-Type: text/html") if heard.target == "/" else ok(b"{", JSON)

    async with example(confdir, NAME, answer) as run:
        for path in ("/users/7", "/users/8?deep=true", "/users/7?deep=false&page=2&page=3", "/", "/broken", "/broken"):
            await run.get(path)
        await run.ask("POST", "/users", JSON, body=b'{"name": "x", "extra": 1}')
        await run.ask("POST", "/users", JSON, body=b'{"name": "y"}')
        document = written(run, tmp_path / "sketch.yaml")
        assert document["openapi"] == "3.1.0"
        assert document["servers"] == [{"url": f"http://{run.origin.authority}"}]
        assert list(document["paths"]) == ["/", "/broken", "/users", "/users/{userId}"]
        get = document["paths"]["/users/{userId}"]["get"]
        assert get["parameters"] == [
            {"name": "userId", "in": "path", "required": True, "schema": {"type": "string"}},
            {"name": "deep", "in": "query", "required": False, "schema": {"type": "boolean"}},
            {"name": "page", "in": "query", "required": False, "schema": {"type": "integer"}},
        ]
        assert get["responses"]["200"] == {
            "description": "OK",
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "properties": {
                            "id": {"type": "integer"},
                            "name": {"type": "string"},
                            "since": {"type": "string", "format": "date-time"},
                            "tags": {"type": "array", "items": {"type": "string"}},
                            "rate": {"type": "number"},
                            "boss": {
                                "type": ["object", "null"],
                                "properties": {"id": {"type": "integer"}},
                                "required": ["id"],
                            },
                        },
                        "required": ["id", "name", "since", "tags", "rate", "boss"],
                    }
                }
            },
        }
        post = document["paths"]["/users"]["post"]
        assert post["requestBody"]["content"]["application/json"]["schema"]["required"] == ["name"]
        assert list(post["responses"]) == ["201"]
        assert document["paths"]["/"]["get"]["responses"]["200"]["content"] == {"text/html": {}}
        run.execute("openapi.clear")
        assert run.execute("openapi.list") == []


async def test_the_file_is_written_at_the_end(confdir: Path, tmp_path: Path) -> None:
    file = tmp_path / "end.yaml"
    async with example(confdir, NAME, openapi_file=str(file), openapi_filter="~u /a") as run:
        await run.get("/a")
        await run.get("/b")
        with pytest.raises(CommandError, match="No such file"):
            run.execute(f"openapi.write {tmp_path}/none/x")
        run.master.options.scripts = []
        await run.until_logged("end.yaml: 1 operations")
    assert list(YAML(typ="safe").load(file.read_text())["paths"]) == ["/a"]


@pytest.mark.parametrize(
    ("path", "found", "names"),
    [
        ("/", "/", []),
        ("", "/", []),
        ("/users/7/orders/123", "/users/{userId}/orders/{orderId}", ["userId", "orderId"]),
        ("/7/8", "/{id}/{id2}", ["id", "id2"]),
        ("/categories/123e4567-e89b-12d3-a456-426614174000", "/categories/{categoryId}", ["categoryId"]),
        ("/address/0123456789abcdef", "/address/{addressId}", ["addressId"]),
        ("/v2/feed", "/v2/feed", []),
    ],
)
def test_path_templates(path: str, found: str, names: list[str]) -> None:
    assert MODULE["template"](path) == (found, names)


def test_endless_names_take_bounded_memory() -> None:
    shape, room = MODULE["Shape"](), MODULE["Room"]()
    room.left = 500
    for number in range(1000):
        shape.learn({f"a{number % 100}": {f"b{number}": {f"c{number}": 1}}}, room)
    assert json.dumps(shape.schema()).count('"type"') <= 501


VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
)


@given(st.lists(VALUE, min_size=1, max_size=4))
def test_any_json_has_a_shape(values: list[Any]) -> None:
    shape = MODULE["Shape"]()
    for value in values:
        shape.learn(value, MODULE["Room"]())
    assert shape.schema()["type"]
