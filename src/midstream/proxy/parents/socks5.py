"""A parent proxy that speaks SOCKS version 5 (RFC 1928), with user name and password if it wants them (RFC 1929).

Called by the dialler over an open connection to the parent. Host names are sent as they are: the parent resolves them.
"""

import asyncio

from midstream.flows.connection import Address
from midstream.proxy.errors import UpstreamFailed
from midstream.proxy.streams.messages import read_message
from midstream.proxy.streams.stream import Stream
from midstream.wire import socks5
from midstream.wire.socks5 import REPLY_TEXTS, Command, Malformed, Method


async def open_tunnel(
    stream: Stream, address: Address, credentials: socks5.Credentials | None, name: str, patience: float
) -> None:
    """Ask for a way to `address`; from then on `stream` leads there. `name` is what to call the parent in a sentence.

    Raises UpstreamFailed.
    """
    try:
        async with asyncio.timeout(patience):
            await _authenticate(stream, credentials, name)
            stream.write(socks5.request(Command.CONNECT, *address))
            code = await read_message(stream, _outcome)
    except TimeoutError:
        raise UpstreamFailed(f"{name} did not answer within {patience:g} s") from None
    except Malformed as exc:
        raise UpstreamFailed(f"{name} does not speak SOCKS5 as it should: {exc}") from None
    except ValueError as exc:
        raise UpstreamFailed(f"{name} cannot be asked: {exc}") from None
    except OSError as exc:
        raise UpstreamFailed(f"{name} broke the connection off: {exc}") from exc
    if code:
        text = REPLY_TEXTS[code] if code < len(REPLY_TEXTS) else f"error {code}"
        raise UpstreamFailed(f"{name} cannot connect: {text}")


async def _authenticate(stream: Stream, credentials: socks5.Credentials | None, name: str) -> None:
    """The greeting, and what the parent wants to know of us."""
    stream.write(socks5.greeting(*([Method.NONE, Method.PASSWORD] if credentials is not None else [Method.NONE])))
    method = await read_message(stream, socks5.parse_choice)
    if method == Method.NONE:
        return
    if method != Method.PASSWORD or credentials is None:
        hint = "" if credentials is not None else "; give user name and password by the option upstream_auth"
        raise UpstreamFailed(f"{name} accepts no way of authentication that we offered{hint}")
    stream.write(socks5.credentials(*credentials))
    if not await read_message(stream, socks5.parse_verdict):
        raise UpstreamFailed(f"{name} does not accept user name and password; check the option upstream_auth")


def _outcome(data: bytes) -> tuple[int, int] | None:
    """The code of the reply. Of one that refuses some send no more than that."""
    if len(data) > 1 and data[0] == socks5.VERSION and data[1]:
        return data[1], len(data)
    found = socks5.parse_reply(data)
    return (found[0].code, found[1]) if found is not None else None
