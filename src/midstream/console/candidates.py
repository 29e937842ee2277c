"""What a word that is being typed may become. Made by completion.py and completion_filter.py, shown by the prompts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

MOST = 500


@dataclass(slots=True)
class Candidates:
    """`choices` replace `text[start:end]` of the line, followed by `rest`, which stood right of the cursor there.

    `typed` is what all of them begin with, or what they were found by. `meanings` explain those that have an
    explanation.
    """

    start: int
    end: int
    choices: list[str]
    meanings: Mapping[str, str] = field(default_factory=dict)
    typed: str = ""
    rest: str = ""
