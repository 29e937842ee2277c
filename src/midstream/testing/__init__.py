"""What the tests of an addon need: flows, messages, and a master around the addon.

No network, no screen and no config file is involved, and nothing is left behind. A test looks like this (pytest with
pytest-asyncio; `asyncio.run` does as well):

>>> import asyncio
>>> import logging
>>> from midstream import command, ctx, http
>>> from midstream.testing import context, tflow

>>> class Greeter:
...     def load(self, loader):
...         loader.add_option("greeting", str, "hello", "What the header says.")
...
...     def response(self, flow: http.HTTPFlow) -> None:
...         flow.response.headers["x-greeting"] = ctx.options.greeting
...         logging.info("greeted %s", flow.request.host)
...
...     @command.command("greet")
...     def greet(self, name: str, times: int) -> str:
...         return " ".join([ctx.options.greeting, name] * times)

>>> async def test_greeter():
...     async with context(Greeter()) as tests:
...         flow = tflow(resp=True)
...         await tests.emit("response", flow)
...         assert flow.response.headers["x-greeting"] == "hello"
...         assert tests.log.messages == ["greeted address"]
...
...         tests.options.update(greeting="good morning")
...         assert tests.commands.execute("greet you 2") == "good morning you good morning you"

>>> asyncio.run(test_greeter())

**A handler that fails makes the test fail.** What it raised is raised by `emit`, `cycle` and `configure`, or at the end
of the block when it was called by something else, such as a background task. The programs log it and go on; so does
`context(…, strict=False)`.

**Parts.** `with context(…)` loads and configures the addons; `async with` tells them `running` first and `done` at the
end. `tflow(resp=True)` and its like make flows with fixed values: `True` for a part means the usual one, an object
means itself. `treq(path=b"/x")` and its like make messages; for a real URL take `http.Request.make("GET", url)`.
`context.script(path)` loads a script as `-s` does. `mitmproxy.test.tflow`, `.tutils` and `.taddons` mean these names.
"""

from midstream.testing.addon_context import context
from midstream.testing.caught_log import CaughtLog
from midstream.testing.connections import tclient_conn, tserver_conn
from midstream.testing.flows import (
    DummyFlow,
    tdnsflow,
    tdummyflow,
    terr,
    tflow,
    tflows,
    ttcpflow,
    tudpflow,
    twebsocket,
    twebsocketflow,
)
from midstream.testing.messages import tdnsreq, tdnsresp, treq, tresp

__all__ = [
    "CaughtLog",
    "DummyFlow",
    "context",
    "tclient_conn",
    "tdnsflow",
    "tdnsreq",
    "tdnsresp",
    "tdummyflow",
    "terr",
    "tflow",
    "tflows",
    "treq",
    "tresp",
    "tserver_conn",
    "ttcpflow",
    "tudpflow",
    "twebsocket",
    "twebsocketflow",
]
