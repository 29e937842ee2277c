"""The bodies of two flows compared without holding the loop: small ones here, others in the worker process.

For the command `flow.compare` and the console's compare pane; what is compared how says flows/comparing.py.
"""

from __future__ import annotations

from midstream.flows import comparing
from midstream.flows.comparing import Body, Row
from midstream.flows.flow import Flow
from midstream.work.worker import Worker, WorkerFailed


async def rows_of_bodies(left: Flow, right: Flow, side: str, worker: Worker) -> list[Row]:
    """The rows of the two bodies of a side; a row that says so when comparing takes more than two seconds."""
    pair = comparing.bodies(left, right, side)
    if pair is None:
        return []
    ours, theirs = pair
    if ours.content is None or theirs.content is None:
        return [Row("body", *(_kept(body) for body in pair))]
    arguments = (_enough(ours.content), ours.encoding, _enough(theirs.content), theirs.encoding)
    if comparing.is_quick(ours, theirs):
        return comparing.body_rows(*arguments)
    sizes = (_kept(ours), _kept(theirs))
    try:
        return await worker.run(comparing.body_rows, *arguments)
    except TimeoutError:
        return [Row("not compared: it takes more than 2 s", None, None), Row("body as sent", *sizes)]
    except (WorkerFailed, ValueError) as error:
        return [Row(f"not compared: {error}", None, None), Row("body as sent", *sizes)]


def _enough(content: bytes) -> bytes:
    """As much of it as is compared, and a sign that there is more: 50 MB would hold the loop on their way. What is
    compressed has no less in it than its size, but for a little.
    """
    return content[: 2 * comparing.LARGEST]


def _kept(body: Body) -> str:
    return "not kept: it was streamed" if body.content is None else f"{len(body.content):,} bytes"
