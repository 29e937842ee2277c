"""What ends an exchange early. The messages are shown to people: plain words, what and why."""

import asyncio
import errno
import re
import socket

from midstream.flows.flow import Error, Flow
from midstream.text.url import hostport


class UpstreamFailed(Exception):
    """The server could not be reached, or what it sent cannot be used. Before a response has begun it becomes a 502."""


class Postponed(UpstreamFailed):
    """An addon wants no connection to the server before a request needs one; for that one it is a failure."""


class BodyTooLarge(Exception):
    """A body passes `body_size_limit`; `status` is for the client, who sent it or waits for it."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


class Unsendable(Exception):
    """A message cannot go out as an addon or a person left it; the text says which and why.

    `at_fault` is the message, whose author is still to be found; None where the text names the author.
    """

    def __init__(self, text: str, at_fault: object = None) -> None:
        super().__init__(text)
        self.at_fault = at_fault


class FlowKilled(Exception):
    """A person or an addon killed the flow: both connections close without an answer."""


def is_killed(flow: Flow) -> bool:
    """Whether a person or an addon killed the flow; a note of another kind in its error is no kill."""
    return flow.error is not None and flow.error.msg == Error.KILLED_MESSAGE


def check_alive(flow: Flow) -> None:
    """Called after each event. Raises FlowKilled."""
    if flow.error is not None and flow.error.msg == Error.KILLED_MESSAGE:
        raise FlowKilled(Error.KILLED_MESSAGE)


def explain_dial(exc: BaseException, host: str, port: int, patience: float) -> str:
    """Why `host:port` could not be reached."""
    where = hostport("", host, port)
    if isinstance(exc, TimeoutError | asyncio.TimeoutError):
        return f"{where} did not answer within {patience:g} s"
    if isinstance(exc, socket.gaierror):
        return f"the name {host} cannot be resolved ({exc.strerror or exc})"
    code = code_of(exc)
    if isinstance(exc, ConnectionRefusedError) or code == errno.ECONNREFUSED:
        return f"{where} refused the connection: nothing listens there"
    if code in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        return f"there is no route to {where}"
    if code in (errno.EMFILE, errno.ENFILE):
        return f"cannot connect to {where}: this process has too many open files (raise `ulimit -n`)"
    if isinstance(exc, OverflowError):
        return f"{where} cannot be connected to: {exc}"
    if isinstance(exc, ValueError):
        return f"{host!r} is no host name"
    return f"cannot connect to {where}: {exc}"


def code_of(exc: BaseException) -> int | None:
    """The number of a failed dial's error. Where a name has several addresses and all failed it is that of the first:
    asyncio makes one sentence of them.
    """
    if code := getattr(exc, "errno", None):
        return int(code)
    match = re.search(r"\[Errno (\d+)\]", str(exc))
    return int(match[1]) if match else None
