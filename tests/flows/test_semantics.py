"""What scripts may rely on in flows, line by line: each line of `semantics/*.txt` is code and the value it ends with.

The values were printed by mitmproxy 12.2.3. Where we differ there is no line; what differs on purpose stands in
docs/differences.md. Statements are separated by `;;`, the last one is an expression; `!ValueError` says that it raises.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from midstream import connection, dns, flow, http, tcp, testing, tls, udp, websocket
from midstream.flows import proxy_mode, server_hooks, server_spec
from midstream.flows.context import Context
from midstream.flows.multidict import MultiDict, MultiDictView

FOLDER = Path(__file__).parent / "semantics"

NAMES: dict[str, Any] = {
    **{
        module.__name__.rpartition(".")[2]: module for module in (connection, dns, flow, http, tcp, tls, udp, websocket)
    },
    **{name: getattr(testing, name) for name in testing.__all__},
    "asyncio": asyncio,
    "ip": ipaddress,
    "from_ip": ipaddress,
    "server_hooks": server_hooks,
    "parse_server": server_spec.parse,
    "ServerSpec": server_spec.ServerSpec,
    "ProxyMode": proxy_mode.ProxyMode,
    "modes": proxy_mode,
    "Context": Context,
    "H": http.Headers,
    "MultiDict": MultiDict,
    "MultiDictView": MultiDictView,
}


def lines() -> Iterator[Any]:
    for path in sorted(FOLDER.glob("*.txt")):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if line and not line.startswith("#"):
                code, arrow, value = line.partition("  =>  ")
                assert arrow, f"{path}:{number}"
                yield pytest.param(code, value, id=f"{path.stem}:{number}")


@pytest.mark.parametrize(("code", "value"), list(lines()))
def test_line(code: str, value: str) -> None:
    *statements, expression = code.split(" ;; ")
    names = dict(NAMES)
    try:
        for statement in statements:
            exec(statement, names)
        found = repr(eval(expression, names))
    except Exception as error:
        found = f"!{type(error).__name__}"
    assert found == value


def test_every_part_has_its_lines() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == {"connection", "dns", "flow", "http", "message"}
