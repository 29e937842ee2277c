"""Work that takes a while: listed while it goes on, and asked to stop."""

from __future__ import annotations

from midstream.hub.jobs import Jobs


def test_a_job_is_there_for_the_length_of_its_block() -> None:
    jobs, told = Jobs(), []
    jobs.changed.connect(lambda: told.append([job.text for job in jobs.running]))
    with jobs.begun("reading a file") as job:
        job.report(0.001)
        job.report(0.002)  # no other per cent
        job.report(0.42)
        job.report(None)
    assert told == [
        ["reading a file"], ["reading a file 0%"], ["reading a file 42%"], ["reading a file"], [],
    ]  # fmt: skip


def test_all_are_asked_to_stop_and_each_once() -> None:
    jobs = Jobs()
    with jobs.begun("one") as one, jobs.begun("two") as two:
        assert jobs.stop() == [one, two]
        assert one.stopped and two.stopped
        assert jobs.stop() == []
    assert jobs.stop() == []
