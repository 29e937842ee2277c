"""Two masters in one process and one loop share nothing: options, addons, port, config folder, log."""

import logging
from pathlib import Path

import pytest

from midstream.flows.http import HTTPFlow
from midstream.hub import ctx
from midstream.hub.addons import Loader
from tests.kit.curl import curl, needs_curl
from tests.kit.origins import OriginCA, answering, ok, origin
from tests.kit.running_master import RunningMaster, running_master

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
        assert b" 502 Bad Gateway\r\n" in await get(two, "/for-two")
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
