"""Flows from a HAR file, one at a time. `native.FlowReader` calls it when a file turns out to be JSON.

`har_items` cuts the file into entries, `har_flow` makes a flow of each. Whatever can be read is, and then one
FlowReadException says what could not, where it is and how much of it there was.
"""

from __future__ import annotations

from collections.abc import Iterator

from midstream.flows.errors import FlowReadException
from midstream.flows.flow import Flow
from midstream.store.formats.har_flow import EntryProblem, NotHttp, flow_of
from midstream.store.formats.har_items import HarError, HarItem, entries
from midstream.store.formats.items import ReadableFile


def read_har(file: ReadableFile) -> Iterator[Flow]:
    """Each flow as soon as it is read. Raises FlowReadException after the last."""
    first: FlowReadException | None = None
    passed_over = 0
    try:
        for item in entries(file):
            try:
                flow = _flow(item)
            except NotHttp:
                continue
            except EntryProblem as problem:
                first = first or FlowReadException(f"byte {item.offset}: entry {item.number}: {problem}", item.offset)
                passed_over += 1
            else:
                yield flow
    except HarError as error:
        raise first or FlowReadException(f"byte {error.offset}: {error}", error.offset) from None
    except (OSError, EOFError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise FlowReadException(f"it cannot be read: {reason or error}") from None
    if first is not None:
        others = f"; {passed_over} entries in all could not be read" if passed_over > 1 else ""
        raise FlowReadException(f"{first}{others}", first.offset)


def _flow(item: HarItem) -> Flow:
    if item.problem:
        raise EntryProblem(item.problem)
    if not isinstance(item.value, dict):
        raise EntryProblem("it is no entry")
    return flow_of(item.value)
