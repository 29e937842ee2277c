"""What each view makes of a sample that the real tool made: a folder of golden/ for each sample.

`golden/VIEW/NAME/` has `sample` (the bytes), `expected.txt` (the text of the view) and `metadata.json`:

    {"view": "JSON", "content_type": "application/json", "made_by": "python3 -c 'import json; …'"}

`view` is its name, `made_by` the command and version that made the sample. Further keys, all optional:
`headers` (pairs; a response, or with `"url"` a request, which has `method` as well), `is_chosen` (false: the view would
not be chosen by itself), `reencodes` (true: the text, encoded again, gives the sample; or a name of a file that has the
bytes that it gives), `message` ("websocket", "tcp", "udp": then `is_text`, `from_client`), `definitions` (a file).
MIDSTREAM_GOLDEN=write writes the expected texts anew; look at the difference before you commit it.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from midstream.contentviews.apart import Apart
from midstream.contentviews.api import InteractiveContentview, Metadata
from midstream.contentviews.calling import as_bytes
from midstream.contentviews.messages import metadata_of
from midstream.contentviews.registries import Registry
from midstream.contentviews.stepped import Stepped
from midstream.flows.http import HTTPFlow, Request, Response
from midstream.flows.tcp import TCPMessage
from midstream.flows.udp import UDPMessage
from midstream.flows.websocket import WebSocketMessage
from midstream.testing import tflow, ttcpflow, tudpflow, twebsocketflow

GOLDEN = Path(__file__).parent / "golden"
SAMPLES = sorted(file.parent for file in GOLDEN.glob("*/*/metadata.json"))
WRITES = os.environ.get("MIDSTREAM_GOLDEN") == "write"


@pytest.mark.parametrize("folder", SAMPLES, ids=lambda folder: folder.relative_to(GOLDEN).as_posix())
def test_a_sample_looks_as_it_did(folder: Path) -> None:
    facts = json.loads((folder / "metadata.json").read_text())
    data, metadata = (folder / "sample").read_bytes(), _metadata(facts, folder)
    views = Registry()
    view = views[facts["view"]]
    assert isinstance(view, Stepped | Apart), "our own views never make a large text in one go on the loop"
    if facts.get("is_chosen", True):
        assert views.get_view(data, metadata).name == view.name
    text = view.prettify(data, metadata)
    expected = folder / "expected.txt"
    if WRITES:
        expected.write_bytes(as_bytes(text))
    assert as_bytes(text) == expected.read_bytes()
    if again := facts.get("reencodes"):
        assert isinstance(view, InteractiveContentview)
        metadata.original_data = data
        wanted = data if again is True else (folder / again).read_bytes()
        assert view.reencode(text, metadata) == wanted


def test_every_sample_says_what_made_it() -> None:
    for folder in SAMPLES:
        assert json.loads((folder / "metadata.json").read_text()).get("made_by"), folder


def test_every_view_has_a_sample() -> None:
    sampled = {json.loads((folder / "metadata.json").read_text())["view"].lower() for folder in SAMPLES}
    assert set(Registry()) - sampled == set()


def _metadata(facts: dict[str, Any], folder: Path) -> Metadata:
    """What the view is told, from a flow that is as much like the real one as `metadata.json` says."""
    flow = tflow(resp=True)
    assert isinstance(flow, HTTPFlow)
    fields = [(str(name), str(value)) for name, value in facts.get("headers", [])]
    if facts.get("content_type"):
        fields.append(("content-type", facts["content_type"]))
    pairs = [(name.encode(), value.encode()) for name, value in fields]
    data = (folder / "sample").read_bytes()
    message: Any
    match facts.get("message"):
        case "websocket":
            flow = twebsocketflow()
            flow.request.path = facts.get("path", flow.request.path)
            message = WebSocketMessage(1 if facts.get("is_text") else 2, facts.get("from_client", True), data)
        case "tcp":
            message = TCPMessage(facts.get("from_client", True), data)
            flow = ttcpflow(messages=[message])
        case "udp":
            message = UDPMessage(facts.get("from_client", True), data)
            flow = tudpflow(messages=[message])
        case _ if "url" in facts:
            message = flow.request = Request.make(facts.get("method", "POST"), facts["url"], data, pairs)
        case _:
            message = flow.response = Response.make(200, data, pairs)
    metadata = metadata_of(message, flow)
    if "definitions" in facts:
        metadata.protobuf_definitions = folder / facts["definitions"]
    return metadata
