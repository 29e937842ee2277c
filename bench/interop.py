"""Flow files in both directions with the reference as a black box: mixed flows, compared field by field; then cuts.

PYTHONPATH=.. python interop.py --reference PYTHON --dump MITMDUMP --work work --flows 10000
"""

from __future__ import annotations

import argparse
import io
import random
import subprocess
import time
from collections import Counter
from pathlib import Path

from tests.kit.captured import dns_flow, http_flow, tcp_flow, udp_flow, websocket_flow

from midstream.exceptions import FlowReadException
from midstream.flows.flow import Error, Flow
from midstream.io import FlowReader, FlowWriter
from midstream.store.formats.items import Items
from midstream.store.formats.tnetstring import parse

HERE = Path(__file__).parent


def states(path: Path) -> list[dict]:
    """As they stand in the file, by nobody's flow classes."""
    with path.open("rb") as file:
        return [parse(item.data) for item in Items(file) if item.data is not None]


def read(path: Path) -> list[Flow]:
    with path.open("rb") as file:
        return list(FlowReader(file).stream())


def write(path: Path, flows: list[Flow]) -> None:
    with path.open("wb") as file:
        writer = FlowWriter(file)
        for flow in flows:
            writer.add(flow)


def differences(one: object, two: object, where: str, found: Counter) -> None:
    if isinstance(one, dict) and isinstance(two, dict):
        for key in one.keys() | two.keys():
            if key not in one or key not in two:
                found[f"{where}.{key}: {'missing' if key in one else 'new'}"] += 1
            else:
                differences(one[key], two[key], f"{where}.{key}", found)
    elif isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        for first, second in zip(one, two, strict=True):
            differences(first, second, f"{where}[]", found)
    elif one != two or (type(one) is not type(two) and not {type(one), type(two)} <= {int, float}):
        found[where] += 1


def compare(label: str, before: list[dict], after: list[dict]) -> None:
    found: Counter = Counter()
    for one, two in zip(before, after, strict=True):
        differences(one, two, "flow", found)
    kinds = Counter(state["type"] for state in after)
    print(f"{label}: {len(before)} flows ({dict(kinds)}), {dict(found) or 'no difference'}", flush=True)


def ours(count: int) -> list[Flow]:
    rng = random.Random(11)
    makers = (
        lambda: http_flow(f"http://example.com/{rng.randrange(9)}", response_body=rng.randbytes(rng.randrange(2000))),
        lambda: http_flow(status=None),
        lambda: http_flow("https://[2001:db8::1]:8443/x", "POST", request_body=rng.randbytes(300)),
        lambda: websocket_flow((True, b"\xff\x00"), (False, rng.randbytes(20))),
        lambda: tcp_flow((True, rng.randbytes(30)), (False, b"")),
        lambda: udp_flow((True, rng.randbytes(30))),
        lambda: dns_flow(answered=rng.random() < 0.7),
    )
    flows = []
    for _ in range(count):
        flow = rng.choice(makers)()
        flow.marked = rng.choice(["", ":red:", ":default:"])
        flow.comment = rng.choice(["", "ünï \x1b[2J"])
        if rng.random() < 0.2:
            flow.metadata["note"] = {"a": [1, 2.5, None, True, b"\xff"]}
        if rng.random() < 0.2:
            flow.client_conn.tls_resumed = True
        if rng.random() < 0.1:
            flow.error = Error("it broke")
        if rng.random() < 0.2:
            flow.backup()
            flow.comment = "edited"
        flows.append(flow)
    return flows


def cuts(path: Path, count: int, every: int, flows: int) -> None:
    data = path.read_bytes()
    ends = [0]
    for item in Items(io.BytesIO(data)):
        ends.append(item.offset + len(item.data or b""))
        if len(ends) > flows:
            break
    data = data[: ends[-1]]
    rng = random.Random(3)
    places = [*range(every, len(data), every)] if every else [rng.randrange(len(data)) for _ in range(count)]
    for cut in places:
        number, message = 0, ""
        try:
            for _ in FlowReader(io.BytesIO(data[:cut])).stream():
                number += 1
        except FlowReadException as error:
            message = str(error)
        whole = sum(end <= cut for end in ends[1:])
        assert number == whole, (cut, number, whole)
        assert cut in ends or message == f"byte {ends[whole]}: the file ends in the middle of a flow", message
    print(f"{path.name}: {len(places)} cuts of {len(data):,} bytes, every whole flow read", flush=True)


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--work", type=lambda p: Path(p).resolve(), required=True)
    ap.add_argument("--reference", default="/work/mitm/bin/python")
    ap.add_argument("--dump", default="/work/mitm/bin/mitmdump")
    ap.add_argument("--flows", type=int, default=10_000)
    args = ap.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    theirs, through, back = (args.work / f"{name}.flows" for name in ("theirs", "through", "back"))
    script = str(HERE / "interop_reference.py")
    subprocess.run([args.reference, script, "write", str(theirs), str(args.flows)], check=True)
    began = time.perf_counter()
    write(through, read(theirs))
    print(f"we read and wrote {args.flows} flows in {time.perf_counter() - began:.1f} s")
    compare("theirs, read and written by us", states(theirs), states(through))
    subprocess.run([args.reference, script, "resave", str(through), str(back)], check=True)
    compare("the same, read and written by them again", states(theirs), states(back))
    mine, dumped = args.work / "mine.flows", args.work / "dumped.flows"
    flows = ours(args.flows)
    write(mine, flows)
    subprocess.run([args.reference, script, "resave", str(mine), str(back)], check=True)
    compare("ours, read and written by them", states(mine), states(back))
    dump = [args.dump, "--set", f"confdir={args.work / 'conf'}", "-q", "-nr", str(mine), "-w", str(dumped)]
    subprocess.run(dump, check=True)
    known = {state["id"]: state for state in states(mine)}
    after = [state for state in states(dumped) if state["id"] in known]
    compare("ours, through mitmdump -r -w", [known[state["id"]] for state in after], after)
    write(through, read(dumped))
    compare("that, read and written by us", states(dumped), states(through))
    cuts(theirs, 0, 1000, 300)
    cuts(theirs, 300, 0, 1500)


if __name__ == "__main__":
    main()
