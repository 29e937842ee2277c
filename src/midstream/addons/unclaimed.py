"""Warns once, when all scripts are loaded, about option names that nobody has declared.

Stands behind every addon that may still declare some. Which names those are: hub/unclaimed.py.
"""

from __future__ import annotations

import logging

from midstream.hub import ctx
from midstream.hub.unclaimed import sentence

logger = logging.getLogger(__name__)


class Unclaimed:
    """One warning for all of them; none for the names of other programs of the family."""

    def running(self) -> None:
        warning = sentence(ctx.options)
        if warning:
            logger.warning("%s", warning)
