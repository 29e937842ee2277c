"""Makes docs/tour.md: fourteen jobs, played on the real program on a terminal, with the keys that were sent.

    .venv/bin/python docs/make_tour.py            writes the page
    .venv/bin/python docs/make_tour.py --check    only says whether it would be another one

The jobs are tests/kit/tour_jobs.py, which tests/end2end/test_tour.py plays as well: a job that fails writes no page.
Needs curl and the dev extra.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # for the tests' fakes: origins, curl, a terminal

from tests.kit.origins import OriginCA  # noqa: E402
from tests.kit.tour_jobs import JOBS, Job, counts  # noqa: E402
from tests.kit.tour_stage import Sent, Stage, stage  # noqa: E402

PAGE = ROOT / "docs" / "tour.md"
HEAD = """# The tour

Fourteen jobs, each from the flow list with the flow focused, and the keys they take here and in mitmproxy 12. Every
screen is one of the real program, and every key was really pressed: `docs/make_tour.py` makes this page, and a test
plays the same keys and looks at what servers, files and the clipboard get. Left out of the screens is what differs from
run to run: times, rates, the timeline.

In the counts, `t` is the text you type and `n` the rows you cross. Those of midstream are counted from the keys that
were sent.
"""


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        ca = OriginCA(Path(folder))
        played = [(job, played_job(job, Path(folder) / str(number), ca)) for number, job in enumerate(JOBS)]
    text = page(played)
    is_same = PAGE.exists() and PAGE.read_text("utf-8") == text
    if "--check" in sys.argv:
        print("docs/tour.md is what it was" if is_same else "docs/tour.md would be another one: run docs/make_tour.py")
        return not is_same
    PAGE.write_text(text, "utf-8")
    return 0


def played_job(job: Job, folder: Path, ca: OriginCA) -> Stage:
    folder.mkdir()
    with stage(folder, ca) as each:
        each.visit()
        job.play(each)
    return each


def page(played: list[tuple[Job, Stage]]) -> str:
    rows = ["| job | mitmproxy 12 | here |", "|---|---|---|"]
    rows += [f"| [{job.name}](#{anchor(job.name)}) | {job.theirs} | {counts(each)} |" for job, each in played]
    return "\n".join([HEAD, *rows, *(section(job, each) for job, each in played)]) + "\n"


def section(job: Job, each: Stage) -> str:
    ways = " or ".join(" ".join(map(shown, way)) for way in each.ways)
    parts = [f"\n## {job.name}", f"Keys, {counts(each)}: {ways}", job.words]
    for shot in each.shots:
        parts += [shot.caption, "\n".join(["```text", *shot.rows, "```"])]
    return "\n\n".join(parts)


def shown(sent: Sent) -> str:
    """A key, or what was typed, as it stands on the page."""
    keys = sent.keys.removeprefix("<").removesuffix(">") if len(sent.keys) > 1 else sent.keys
    if sent.kind == "editor":
        return "(the editor)"
    return f"`{keys}` (as often as needed)" if sent.kind in ("n", "moves") else f"`{keys}`"


def anchor(name: str) -> str:
    return "".join(each for each in name.lower().replace(" ", "-") if each.isalnum() or each == "-")


if __name__ == "__main__":
    sys.exit(main())
