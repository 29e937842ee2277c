"""Answers of addons whose body is made while it is sent, as that of a large file.

Called by `exchange` for a response that an addon made, without content but with a function as its `stream`. That is
called with b"" once and gives the pieces, as an iterable or, where they have to be waited for, an asynchronous one.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterable
from typing import Any

from midstream.flows.http import HTTPFlow, Response
from midstream.proxy.client_context import ClientContext
from midstream.proxy.http.assemble import trailers_of
from midstream.proxy.http.bodies import StreamedBody, stream_failure
from midstream.proxy.http.pace import write_paced
from midstream.proxy.http.relay import emit_response
from midstream.proxy.http.sides import Downstream
from midstream.work.slices import Budget


def is_made_later(response: Response) -> bool:
    """Whether the body of an addon's response is still to be made."""
    return response.raw_content is None and callable(response.stream)


async def send_made(flow: HTTPFlow, response: Response, client: Downstream, context: ClientContext) -> None:
    """The head, what the function gives, and the response event. Raises Unsendable, WrongLength, OSError (the client),
    FlowKilled.
    """
    function: Any = response.stream
    response.stream = True
    if response.headers.get("content-length") == "0":
        del response.headers["content-length"]  # of the empty body with which `Response.make` began
    writer = client.begin(flow.request, response, None)
    streamed = StreamedBody(response, context.settings, context.holding, outgrown=0)
    if client.head is None or client.head.method != b"HEAD":
        async with contextlib.aclosing(_pieces(function)) as pieces:
            async for piece in pieces:
                for part in streamed.take(piece):
                    await write_paced(writer, part, response.pace)
    for part in streamed.end():
        await write_paced(writer, part, response.pace)
    await emit_response(flow, client, context)
    await writer.end(trailers_of(response))


async def _pieces(function: Any) -> AsyncGenerator[bytes, None]:
    """What the function gives. Raises Unsendable, which names it, whatever it does."""
    try:
        made = function(b"")
        if hasattr(made, "__aiter__"):
            async with contextlib.aclosing(made) if hasattr(made, "aclose") else contextlib.nullcontext():
                async for piece in made:
                    yield _checked(piece)
            return
        budget = Budget()
        for piece in _each(made):
            yield _checked(piece)
            if budget.spent():
                await budget.rest()
    except (asyncio.CancelledError, GeneratorExit):  # of this task, or of whoever takes the pieces
        raise
    except BaseException as exc:  # the border to an addon: nothing that it raises may end the connection's task
        raise stream_failure(function, exc) from None


def _each(made: Any) -> Iterable[object]:
    return (made,) if isinstance(made, bytes | bytearray) else made


def _checked(piece: object) -> bytes:
    if not isinstance(piece, bytes | bytearray):
        raise TypeError(f"it gave {type(piece).__name__}, not bytes")
    return bytes(piece)
