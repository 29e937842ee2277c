"""A handler that blocks, in a thread, and one that waits."""

import asyncio
import logging
import threading
import time

from mitmproxy.script import concurrent


@concurrent
def request(flow):
    time.sleep(0.05)
    flow.request.headers["x-thread"] = str(threading.current_thread() is not threading.main_thread())


async def response(flow):
    await asyncio.sleep(0.01)
    flow.response.headers["x-waited"] = "yes"
    logging.info(f"handled {flow.request.path}")
