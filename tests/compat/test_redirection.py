"""`mitmproxy.platform` and the servers of `mitmproxy.addons.proxyserver`, by their names there."""

import socket
import sys

import pytest

from tests.kit.running_master import running_master


def test_a_connection_that_nothing_redirected():
    from mitmproxy import platform
    from mitmproxy.platform import linux

    platform.init_transparent_mode()
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        accepted, _ = server.accept()
        with accepted, pytest.raises(OSError, match="itself" if sys.platform == "linux" else "Linux only"):
            platform.original_addr(accepted)
    assert linux.SO_ORIGINAL_DST == 80


async def test_the_servers_that_run(tmp_path):
    class Looks:
        def running(self) -> None:
            from mitmproxy import ctx
            from mitmproxy.addons.proxyserver import Proxyserver, Servers
            from mitmproxy.proxy.mode_servers import ServerInstance

            addon = ctx.master.addons.get("proxyserver")
            assert isinstance(addon, Proxyserver)
            assert isinstance(addon.servers, Servers)
            self.seen = [server.to_json()["full_spec"] for server in addon.servers]
            assert all(isinstance(server, ServerInstance) and server.is_running for server in addon.servers)
            self.first = addon.servers["regular"].mode.type_name

    looks = Looks()
    async with running_master(tmp_path, looks, mode=["regular", "socks5"]):
        assert (looks.seen, looks.first) == (["regular", "socks5"], "regular")
