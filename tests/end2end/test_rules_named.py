"""What a rule changed names the rule, where people look for what touched a flow; and the undo takes it back."""

from __future__ import annotations

from pathlib import Path

import pytest

from midstream.flows.http import HTTPFlow
from tests.kit.curl import curl, needs_curl
from tests.kit.origins import answering, ok, origin
from tests.kit.running_master import running_master

pytestmark = [pytest.mark.end2end, needs_curl]


def told(flow: HTTPFlow) -> list[str]:
    return [f"{change.who} {change.during}: {' '.join(part.name for part in change.parts)}" for change in flow.changes]


async def test_each_rule_is_named(tmp_path: Path) -> None:
    (tmp_path / "page.txt").write_text("a page")
    rules: dict[str, object] = {
        "anticache": True,
        "block_list": [":~u /blocked:403", ":~u /closed:444"],
        "map_remote": ["|/from/|/to/"],
        "map_local": [f"|/local/|{tmp_path}"],
        "modify_body": ["/~s/hello/bye", "/~s/bye/ciao"],
        "modify_headers": ["/~q/X-One/1", "/~q/X-Two/2", "/~s/Server/", "/~q/x-one/11"],
        "stickycookie": "~u /to/",
        "stickyauth": "~u /to/",
    }
    given = ("-H", "If-None-Match: x", "-H", "Authorization: Basic YTpi")
    async with (
        origin(answering(lambda _: ok(b"hello", "Server: s", "Set-Cookie: a=1"))) as web,
        running_master(tmp_path, record_changes=True, **rules) as run,
    ):
        for path, arguments in (("/from/1", given), ("/from/2", ()), ("/local/page.txt", ()), ("/local/none", ())):
            await curl("--proxy", run.address, *arguments, web.url(path))
        for path in ("/blocked", "/closed"):
            await curl("--proxy", run.address, web.url(path))
        seen = [flow for _, flow in run.recorder.seen if isinstance(flow, HTTPFlow)]
        flows = {flow.request.path: flow for flow in seen}
        one = [
            "modify_headers /~q/X-One/1: request.headers",
            "modify_headers /~q/X-Two/2: request.headers",
            "modify_headers /~q/x-one/11: request.headers",
        ]
        answer = [
            "modify_headers /~s/Server/: response.headers",
            "modify_body /~s/hello/bye: response.headers response.content",
            "modify_body /~s/bye/ciao: response.headers response.content",
        ]
        mapped = "map_remote |/from/|/to/: request.path"
        assert told(flows["/to/1"]) == ["anticache requestheaders: request.headers", *one, mapped, *answer]
        assert told(flows["/to/2"]) == [
            *one,
            mapped,
            "stickyauth ~u /to/: request.headers",
            "stickycookie ~u /to/: request.headers",
            *answer,
        ]
        for path in ("/local/page.txt", "/local/none"):
            assert told(flows[path])[3].startswith(f"map_local |/local/|{tmp_path}: response.")
        assert told(flows["/blocked"])[0].startswith("block_list :~u /blocked:403: response.")
        assert told(flows["/closed"]) == ["block_list :~u /closed:444: error"]

        flow = flows["/to/1"]
        for _ in range(7):
            run.master.commands.call("flow.undo", flow)
        assert flow.request.path == "/from/1"
        assert not {"x-one", "x-two"} & {*flow.request.headers}
        assert "if-none-match" not in flow.request.headers
        assert flow.response is not None
        assert flow.response.content == b"hello"
        assert flow.response.headers["server"] == "s"
