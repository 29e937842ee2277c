"""Two masters in one process and one loop share nothing: options, addons, port, config folder, log, scripts."""

import logging
import sys
import threading
from pathlib import Path

import pytest

from midstream.flows.http import HTTPFlow
from midstream.hub import ctx
from midstream.hub.addons import Loader
from tests.kit.curl import curl, needs_curl
from tests.kit.origins import OriginCA, answering, ok, origin
from tests.kit.running_master import RunningMaster, running_master
from tests.kit.waiting import until
from tests.kit.web_client import web_client

pytestmark = [pytest.mark.end2end, needs_curl]


class Marks:
    """Writes what its own master's option says, and logs it."""

    def load(self, loader: Loader) -> None:
        loader.add_option("mark", str, "", "What to write.")

    def response(self, flow: HTTPFlow) -> None:
        assert flow.response is not None
        flow.response.headers["X-Mark"] = ctx.options.mark
        logging.getLogger("marks").info("marked %s", ctx.options.mark)


async def test_nothing_is_shared(tmp_path: Path, origin_ca: OriginCA):
    web_options = {"ssl_verify_upstream_trusted_ca": str(origin_ca.file)}
    async with (
        origin(answering(lambda heard: ok(b"whole")), tls=origin_ca.context()) as web,
        running_master(tmp_path / "a", Marks(), **web_options) as one,
        running_master(tmp_path / "b", Marks(), stream_large_bodies="3k") as two,
    ):
        one.master.options.update(mark="one")
        two.master.options.update(mark="two")
        assert one.port != two.port
        assert one.ca.read_bytes() != two.ca.read_bytes()

        async def get(running: RunningMaster, path: str) -> bytes:
            done = await curl("--proxy", running.address, "--cacert", str(running.ca), web.url(path))
            return done.head

        # Only the first one trusts the origin's CA.
        assert b"X-Mark: one\r\n" in await get(one, "/for-one")
        assert b" 502 " in await get(two, "/for-two")
        two.master.options.update(ssl_insecure=True)
        assert b"X-Mark: two\r\n" in await get(two, "/again")
        assert paths(one) == {"/for-one"}
        assert paths(two) == {"/for-two", "/again"}
        assert one.logged("marked") == ["marked one"]
        assert two.logged("marked") == ["marked two"]
        assert one.logged("/for-two") == []
        assert not one.master.options.ssl_insecure
        assert not one.master.options.has_changed("ssl_insecure")

        # A client of one, told to trust the CA of the other, trusts nobody here.
        mixed = await curl("--proxy", one.address, "--cacert", str(two.ca), web.url())
        assert mixed.exit == 60


async def test_one_goes_on_when_the_other_ends(tmp_path: Path):
    async with origin(answering(lambda heard: ok(b"whole"))) as web, running_master(tmp_path / "a", Marks()) as one:
        one.master.options.update(mark="still here")
        async with running_master(tmp_path / "b", Marks()) as two:
            assert (await curl("--proxy", two.address, web.url())).status == 200
            gone = two.address
        assert (await curl("--proxy", gone, web.url())).exit == 7  # nobody listens there any more
        done = await curl("--proxy", one.address, web.url())
        assert b"X-Mark: still here\r\n" in done.head
        assert one.logged("marked") == ["marked still here"]


def paths(running: RunningMaster) -> set[str]:
    """What the recording addon of that master saw."""
    flows = [flow for name, flow in running.recorder.seen if name in ("response", "error")]
    return {flow.request.path for flow in flows if isinstance(flow, HTTPFlow)}


BLAMED = """
import {module}
from midstream.script import concurrent

@concurrent
def request(flow):
    flow.request.headers["X-Kept"] = {module}.KEPT

def response(flow):
    flow.response.raw_reason = b"broken\\r\\nline"
"""


async def test_the_machinery_of_scripts_is_not_shared(tmp_path: Path):
    """Who is to blame, flow specs, threads, neighbours and reloads; and the process is as before."""
    before = traces()
    async with origin(answering(lambda heard: ok(b"whole", f"X-Kept: {heard.fields['x-kept']}"))) as web:
        scripts = {}
        for name in ("a", "b"):
            folder = tmp_path / f"scripts_{name}"
            folder.mkdir()
            (folder / f"neighbour_{name}.py").write_text(f"KEPT = {name!r}")
            scripts[name] = folder / f"blamed_{name}.py"
            scripts[name].write_text(BLAMED.format(module=f"neighbour_{name}"))
        async with (
            running_master(tmp_path / "one", scripts=[str(scripts["a"])]) as one,
            running_master(tmp_path / "two", scripts=[str(scripts["b"])]) as two,
        ):
            for running in (
                one,
                two,
                one,
                two,
            ):  # the recorder is suspected, too; the second time it is known who it was
                async with web_client(running.port, web, running.ca) as client:
                    client.ask()
                    assert (await client.answer())[0].startswith(b"HTTP/1.1 502 ")
            for running, name, other in ((one, "a", "b"), (two, "b", "a")):
                assert running.logged(f"(by blamed_{name}.py)")
                assert not running.logged(f"blamed_{other}")
                flow = running.recorder.last("request")
                assert isinstance(flow, HTTPFlow)
                assert flow.request.headers["X-Kept"] == name
                assert running.master.commands.execute("view.flows.resolve @all")[-1] is flow
                assert running.master.threads.count == 1
            stays = two.master.addons.get(str(scripts["b"]))
            (tmp_path / "scripts_a" / "neighbour_a.py").write_text("KEPT = 'another'")
            await until(lambda: one.logged("is loaded in its new form"), "the first one loads its script again")
            assert not two.logged("is loaded")
            assert two.master.addons.get(str(scripts["b"])) is stays
    await until(lambda: traces() == before, "nothing is left")


def traces() -> tuple[object, ...]:
    """What masters and their scripts have in the process."""
    root = logging.getLogger()
    modules = {name for name in sys.modules if name.startswith(("__midstream_script_", "neighbour_"))}
    threads = {thread for thread in threading.enumerate() if thread.name == "concurrent handlers"}
    return list(root.handlers), root.level, modules, threads, list(sys.meta_path), list(sys.path)
