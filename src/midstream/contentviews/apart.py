"""The base of built-in views that need a library, which makes its text in one go and cannot be asked to pause.

Whoever shows a body asks `text_of`: up to `at_once` bytes are done where one stands, more of them in the worker process
under its limits of time and memory. Only what a job is made of goes there: no flow, no message. A view of this kind
writes `job` and `render_priority`, and imports its library within the function that the job is.

    class MsgPack(Apart):
        name = "MsgPack"
        syntax_highlight = "yaml"

        def job(self, metadata: Metadata) -> Job:
            return partial(as_yaml, deepest=40)  # as_yaml(data: bytes, deepest: int) -> str, at the top of a module

What can pause is `Stepped` instead.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import ClassVar, TypeAlias

from midstream.contentviews.api import Contentview, Metadata
from midstream.contentviews.calling import ViewFailed, as_bytes, failure, prettified
from midstream.work.worker import SECONDS, Worker, WorkerFailed

Job: TypeAlias = Callable[[bytes], str]
_Work: TypeAlias = Callable[[bytes], str | bytes]


class Apart(Contentview):
    """See the module."""

    at_once: ClassVar[int] = 16 * 1024
    """Bytes that surely take no more than ten milliseconds."""

    most: ClassVar[int] = 8 * 1024 * 1024
    """Bytes that are looked at at all."""

    @abstractmethod
    def job(self, metadata: Metadata) -> Job:
        """What makes the text of the data: a function of a module, or a `functools.partial` of one whose arguments can
        be pickled. ValueError, there and here: a sentence for what is no such thing. The text is bounded, says what it
        left out, and escapes nothing: whoever shows it does.
        """
        raise NotImplementedError

    def prettify(self, data: bytes, metadata: Metadata) -> str:
        if len(data) > self.most:
            raise ValueError(f"it looks at no more than {self.most:,} bytes")
        return self.job(metadata)(data)


async def text_of(view: Apart, data: bytes, metadata: Metadata, worker: Worker) -> bytes:
    """The text as UTF-8. ViewFailed when there is none."""
    if len(data) <= view.at_once or len(data) > view.most:
        return as_bytes(prettified(view, data, metadata))
    return await run(worker, view, data, view.job(metadata), SECONDS)


async def run(worker: Worker, view: Contentview, data: bytes, job: _Work, seconds: float) -> bytes:
    """What a view's job makes of the data in the process, as UTF-8. ViewFailed when that is nothing."""
    try:
        return await worker.run(_text_in_process, data, job, seconds=seconds)
    except TimeoutError:
        raise ViewFailed(view, f"it takes longer than {seconds:g} s") from None
    except WorkerFailed as error:
        raise ViewFailed(view, str(error)) from None
    except ValueError as error:
        raise failure(view, error) from None


def _text_in_process(data: bytes, job: _Work) -> bytes:
    text = job(data)
    return text if isinstance(text, bytes) else as_bytes(text)
