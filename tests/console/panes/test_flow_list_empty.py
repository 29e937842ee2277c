"""The next steps in an empty flow list; those of each mode are in test_flow_list.py."""

from types import SimpleNamespace

from midstream.console.panes.flow_list import FlowList
from tests.kit.fake_console import FakeConsole, screen


def test_the_next_steps_name_the_port_that_the_system_gave(console: FakeConsole) -> None:
    pane = FlowList(console)  # type: ignore[arg-type]
    console.master.options.add_option("listen_port", int | None, 0, "Port.")
    addresses: list[tuple[str, int]] = []
    console.master.addons["proxyserver"] = SimpleNamespace(listen_addrs=lambda: addresses)
    assert "No flows yet" in "\n".join(screen(pane, 80, 24))
    addresses += [("0.0.0.0", 40123), ("::", 40123)]  # nothing listens there
    assert "curl --proxy http://127.0.0.1:40123" in "\n".join(screen(pane, 80, 24))
