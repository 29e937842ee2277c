"""The options of HTTP/2 reach the proxy; what they do there is in tests/proxy."""

from __future__ import annotations

from pathlib import Path

from tests.kit.running_master import running_master


async def test_the_options_may_change_while_running(tmp_path: Path) -> None:
    async with running_master(tmp_path) as running:
        settings = running.proxy.settings
        assert (settings.http2, settings.http2_ping_keepalive, settings.normalize_headers) == (True, 58, True)
        changed = {"http2": False, "http2_ping_keepalive": 0, "normalize_outbound_headers": False}
        running.master.options.update(**changed)
        settings = running.proxy.settings
        assert (settings.http2, settings.http2_ping_keepalive, settings.normalize_headers) == (False, 0, False)
