"""The tour (docs/tour.md): each of its jobs by its keys on a real terminal, and what came of it on the wire."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, table
from tests.kit.curl import needs_curl
from tests.kit.origins import OriginCA
from tests.kit.tour_jobs import JOBS, Job, counts
from tests.kit.tour_stage import stage

pytestmark = [pytest.mark.end2end, needs_curl]


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_job(tmp_path: Path, origin_ca: OriginCA, job: Job) -> None:
    with stage(tmp_path, origin_ca) as each:
        each.visit()
        job.play(each)
    assert counts(each) == job.promised
    assert each.shots


def test_the_page_tells_of_these_jobs() -> None:
    rows = table(DOCS / "tour.md", "job", "mitmproxy 12", "here")
    told = [(re.sub(r"\[(.*)\]\(.*\)", r"\1", row[0]), row[1], row[2]) for row in rows]
    assert told == [(job.name, job.theirs, job.promised) for job in JOBS]
    assert len(JOBS) == 14
