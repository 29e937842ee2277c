"""Run by the reference's Python: writes mixed flows of its own making, or says what it makes of a file.

python interop_reference.py write FILE COUNT
python interop_reference.py resave FILE OUT
"""

import random
import sys
import time

from mitmproxy import io
from mitmproxy.http import Headers
from mitmproxy.test import tflow
from mitmproxy.test.tflow import tclient_conn, tserver_conn


def http(rng, number):
    flow = tflow.tflow(resp=rng.random() < 0.8, err=rng.random() < 0.1)
    flow.request.path = f"/{number}?q={rng.randbytes(3).hex()}"
    flow.request.raw_content = rng.choice([b"", None, rng.randbytes(rng.randrange(400))])
    flow.request.headers = Headers([(rng.randbytes(4), rng.randbytes(9)) for _ in range(rng.randrange(6))])
    if flow.response is not None:
        flow.response.raw_content = rng.choice([b"", None, rng.randbytes(rng.randrange(3000))])
        flow.response.headers = Headers([(b"Set-Cookie", rng.randbytes(9)), (b"set-cookie", b"\xff\xfe")])
        if rng.random() < 0.2:
            flow.response.trailers = Headers([(b"x-trailer", rng.randbytes(3))])
    return flow


MAKERS = (
    lambda rng, number: http(rng, number),
    lambda rng, number: http(rng, number),
    lambda rng, number: http(rng, number),
    lambda rng, number: tflow.twebsocketflow(err=rng.random() < 0.2),
    lambda rng, number: tflow.ttcpflow(messages=rng.choice([True, True, []]), err=rng.random() < 0.2),
    lambda rng, number: tflow.tudpflow(messages=rng.choice([True, True, []]), err=rng.random() < 0.2),
    lambda rng, number: tflow.tdnsflow(resp=rng.random() < 0.7, err=rng.random() < 0.2),
)


def made(rng, number):
    flow = rng.choice(MAKERS)(rng, number)
    flow.marked = rng.choice(["", "", ":red:", ":default:", ":grapes:"])
    flow.comment = rng.choice(["", "a comment", "ünï \U0001f347 \x1b[2J"])
    flow.metadata = rng.choice([{}, {"note": [1, 2.5, None, True, b"\xff", {"deep": "x"}]}])
    flow.is_replay = rng.choice([None, None, "request", "response"])
    flow.intercepted = rng.random() < 0.1
    flow.client_conn = tclient_conn()
    flow.server_conn = tserver_conn()
    flow.client_conn.peername = ("2001:db8::1", rng.randrange(65536), 0, rng.randrange(5))
    flow.server_conn.via = rng.choice([None, ("https", ("proxy.example", 8080)), ("tls", ("::1", 1080))])
    flow.client_conn.tls_version = rng.choice([None, "TLSv1.3", "QUICv1", "DTLSv1.2"])
    if rng.random() < 0.2:
        flow.backup()
        if hasattr(flow, "request") and hasattr(flow.request, "path"):
            flow.request.path = "/edited"
    return flow


def main():
    what, path, rest = sys.argv[1:]
    if what == "write":
        rng = random.Random(7)
        with open(path, "wb") as file:
            writer = io.FlowWriter(file)
            for number in range(int(rest)):
                writer.add(made(rng, number))
        return
    began, count = time.perf_counter(), 0
    with open(path, "rb") as file, open(rest, "wb") as out:
        writer = io.FlowWriter(out)
        for flow in io.FlowReader(file).stream():
            writer.add(flow)
            count += 1
    print(f"the reference read and wrote {count} flows in {time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    main()
