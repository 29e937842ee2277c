"""Change values in JSON answers: `path=value`, with the path's names joined by dots and the value in JSON.

midstream -s examples/addons/json_patch.py --set json_patch='user.plan="gold"' --set json_patch='items.0.price=0'
"""

import json
from collections.abc import Sequence
from typing import Any

from midstream import ctx, exceptions, http
from midstream.addonmanager import Loader


class JsonPatch:
    def __init__(self) -> None:
        self.patches: list[tuple[list[str], Any]] = []

    def load(self, loader: Loader) -> None:
        loader.add_option("json_patch", Sequence[str], [], "Values to put into JSON answers: path=value.")

    def configure(self, updated: set[str]) -> None:
        if "json_patch" in updated:
            self.patches = [parse(text) for text in ctx.options.json_patch]

    def response(self, flow: http.HTTPFlow) -> None:
        assert flow.response is not None
        media = flow.response.headers.get("content-type", "").partition(";")[0].strip()
        if not self.patches or not (media == "application/json" or media.endswith("+json")):
            return
        try:
            data = flow.response.json()
        except (ValueError, RecursionError):  # not what it claims to be: leave it alone
            return
        # All of them, not only those up to the first that finds its place.
        if sum(put(data, path, value) for path, value in self.patches):
            flow.response.text = json.dumps(data, ensure_ascii=False)


def parse(text: str) -> tuple[list[str], Any]:
    path, equals, value = text.partition("=")
    try:
        return path.split("."), json.loads(value)
    except ValueError:
        what = "the value is no JSON (texts stand in double quotes)" if equals else "write path=value"
        raise exceptions.OptionsError(f"json_patch: {text!r}: {what}") from None


def put(data: Any, path: list[str], value: Any) -> bool:
    """Set what stands at the path; False when there is no such place, which then is not made."""
    *names, last = path
    for name in names:
        data = step(data, name)
    match data:
        case dict() if last in data:
            data[last] = value
        case list() if last.isdecimal() and int(last) < len(data):
            data[int(last)] = value
        case _:
            return False
    return True


def step(data: Any, name: str) -> Any:
    match data:
        case dict():
            return data.get(name)
        case list() if name.isdecimal() and int(name) < len(data):
            return data[int(name)]
        case _:
            return None


addons = [JsonPatch()]
