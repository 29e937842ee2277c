"""Work that takes a while and that a person started: what it is, how far it is, and a way to end it early.

`master.jobs` holds what goes on; the console shows it in its status bar, the command `jobs.stop` ends it. Addons that
read or write much give it a job; nothing here knows what they do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from midstream.hub.signal import Signal


class Job:
    """One of them. Whoever does the work tells how far it is, and looks at `stopped` between two steps."""

    def __init__(self, jobs: Jobs, what: str) -> None:
        self.what = what
        self.share: float | None = None
        """How much of it is done, from 0 to 1; None when nobody knows."""
        self.stopped = False
        self._jobs = jobs

    def report(self, share: float | None) -> None:
        """Say how much is done; the screen hears of it when it is another per cent."""
        before, self.share = self.text, share
        if self.text != before:
            self._jobs.changed.send()

    @property
    def text(self) -> str:
        """For the status bar."""
        return self.what if self.share is None else f"{self.what} {min(self.share, 1):.0%}"


class Jobs:
    """The jobs of one master, the oldest first."""

    def __init__(self) -> None:
        self.running: list[Job] = []
        self.changed: Signal[[]] = Signal()
        """Sent when one begins, ends or has come further."""

    @contextmanager
    def begun(self, what: str) -> Iterator[Job]:
        """A job for the length of the block."""
        job = Job(self, what)
        self.running.append(job)
        self.changed.send()
        try:
            yield job
        finally:
            self.running.remove(job)
            self.changed.send()

    def stop(self) -> list[Job]:
        """Ask all of them to end, and return those that were not asked before."""
        asked = [job for job in self.running if not job.stopped]
        for job in asked:
            job.stopped = True
        return asked
