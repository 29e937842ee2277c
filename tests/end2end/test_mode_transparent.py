"""The transparent mode: clients that know of no proxy, redirected by nft, IPv4 and IPv6.

Redirecting would change the network of this machine, so the tests themselves (`namespace/transparent*.py`) run in a
network of their own, which ends with them. There clients have the addresses 127.0.0.2 and fd00::2, by which the rules
know their connections from those of the proxy.
"""

import asyncio
import os
import shutil
import signal
import sys
from pathlib import Path

import pytest

from tests.kit.curl import needs_curl

pytestmark = [
    pytest.mark.end2end,
    needs_curl,
    pytest.mark.skipif(not shutil.which("nft") or not shutil.which("ip"), reason="nft or ip is not installed"),
]

NETWORK = """
ip link set lo up
ip -6 address add fd00::2/128 dev lo
ip -6 address add fd00::80/128 dev lo
nft 'add table inet midstream; add chain inet midstream out { type nat hook output priority -100; }'
nft 'add rule inet midstream out ip saddr 127.0.0.2 tcp dport != 8080 redirect to :8080'
nft 'add rule inet midstream out ip6 saddr fd00::2 tcp dport != 8080 redirect to :8080'
exec "$@"
"""


async def test_in_a_network_of_its_own():
    folder = Path(__file__).with_name("namespace")
    tests = (str(folder / name) for name in ("transparent.py", "transparent_alone.py"))
    pytest_ = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests)
    alone = ("--net",) if os.geteuid() == 0 else ("--net", "--map-root-user")
    process = await asyncio.create_subprocess_exec(
        "unshare", *alone, "sh", "-ec", NETWORK, "sh", *pytest_,
        cwd=folder.parents[2],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )  # fmt: skip
    try:
        async with asyncio.timeout(110):  # less than the patience of tests/conftest.py
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)  # what goes on in it holds the pipe, too
            await process.communicate()
    assert process.returncode == 0, output.decode(errors="backslashreplace")
