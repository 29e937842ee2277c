"""The worker process: one request after the other, until its parent is gone. Started by worker.py, as a file.

Imports nothing of ours itself, so that it is up in the time that Python takes; what a request needs is imported with
its function. It is no sandbox: it keeps time and memory in bounds, not ill will.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import IO, Any

MOST_MEMORY = 1024 * 1024 * 1024
LARGEST_ANSWER = 256 * 1024 * 1024
GRACE = 1.0  # seconds after a request's own limit, at which the kernel ends us, should the parent not have done it
NICENESS = 10
_LOOK = 0.5

# A request is `(seconds, size)`, then `(function, arguments)`; an answer is `(kind, value, size)`: a pickle each, with
# its length before it. `size` is None, or the length of bytes that follow, which are the first argument or the
# value: a large body is never pickled.
LENGTH = 8


def read_frame(stream: IO[bytes]) -> bytes:
    """The next pickle. EOFError: there is none, or only a part of it."""
    return read_exactly(stream, int.from_bytes(read_exactly(stream, LENGTH), "big"))


def frame(content: object) -> bytes:
    """A pickle with its length."""
    pickled = pickle.dumps(content, pickle.HIGHEST_PROTOCOL)
    return len(pickled).to_bytes(LENGTH, "big") + pickled


def read_exactly(stream: IO[bytes], size: int) -> bytes:
    """So many bytes. EOFError: there are fewer."""
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data


def write_all(descriptor: int, data: bytes) -> None:
    """All of it: in one system call, mostly, which other threads need not wait for."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def main() -> None:
    """Serve requests from stdin; whatever code of others prints goes nowhere."""
    requests, answers = os.fdopen(os.dup(0), "rb", 1 << 20), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    parent, sys.path[:] = pickle.loads(read_frame(requests))  # noqa: S301
    _stay_small()
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    with contextlib.suppress(EOFError, BrokenPipeError):
        write_all(answers, frame(("ready", None, None)))
        while True:
            _serve(requests, answers)


def _serve(requests: IO[bytes], answers: int) -> None:
    seconds, size = pickle.loads(read_frame(requests))  # noqa: S301
    call = read_frame(requests)
    data = () if size is None else (read_exactly(requests, size),)
    with _within(seconds):
        kind, value = _outcome(call, data)
        try:
            head, body = _answer(kind, value)
        except Exception as error:
            head, body = frame(("failed", f"what it returned cannot be sent: {error}", None)), None
        del call, data, value
    write_all(answers, head)
    if body is not None:
        write_all(answers, body)


def _outcome(call: bytes, data: tuple[bytes, ...]) -> tuple[str, Any]:
    """What became of a request: the value, the reason of a refusal, or how it failed."""
    try:
        function, arguments = pickle.loads(call)  # noqa: S301
        return "done", function(*data, *arguments)
    except ValueError as error:
        return "refused", str(error)
    except MemoryError:
        return "failed", "it needs too much memory"
    except BaseException as error:
        return "failed", "".join(traceback.format_exception_only(error)).strip()


def _answer(kind: str, value: Any) -> tuple[bytes, bytes | None]:
    """The frame of an answer, and what follows it."""
    body = value if isinstance(value, bytes) else None
    head = frame((kind, value, None) if body is None else (kind, None, len(body)))
    if len(head) + len(body or b"") > LARGEST_ANSWER:
        raise OverflowError("it is too large")
    return head, body


@contextlib.contextmanager
def _within(seconds: float) -> Any:
    """The kernel's own limit, which also holds in C code that nothing in Python can interrupt."""
    timer: Callable[..., object] | None = getattr(signal, "setitimer", None)
    if timer is None:  # Windows
        yield
        return
    timer(signal.ITIMER_REAL, seconds + GRACE)
    try:
        yield
    finally:
        timer(signal.ITIMER_REAL, 0)


def _end_with(parent: int) -> None:
    """A parent that was killed closes nothing that a sibling of ours may have inherited: look for it."""
    while os.getppid() == parent:
        time.sleep(_LOOK)
    os._exit(0)


def _stay_small() -> None:
    """Take the time that nobody else wants, and no more memory than is sane; be the first to go when there is none."""
    if sys.platform == "win32":
        return  # its priority was given at the start
    import resource

    # As much of it as the system knows of and lets us.
    for limit, most in ((resource.RLIMIT_DATA, MOST_MEMORY), (resource.RLIMIT_CORE, 0)):
        with contextlib.suppress(OSError, ValueError):
            hard = resource.getrlimit(limit)[1]
            least = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(limit, (least, least))
    with contextlib.suppress(OSError):
        os.nice(NICENESS)
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write("1000")
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


if __name__ == "__main__":
    main()
