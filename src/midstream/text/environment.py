"""Environment variables of ours, and those of the program that people come from.

The one place that knows both prefixes. A room asks for a variable by its name behind the prefix.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

PREFIXES = ("MIDSTREAM_", "MITMPROXY_")  # the first one that is set counts


def variables(name: str) -> tuple[str, ...]:
    """The full names under which `name` is looked up, ours first."""
    return tuple(prefix + name for prefix in PREFIXES)


def variable(name: str, environment: Mapping[str, str] | None = None) -> str:
    """The value of `MIDSTREAM_name`, else of `MITMPROXY_name`, else the empty text. One that is empty is not set."""
    found = os.environ if environment is None else environment
    return next((value for full in variables(name) if (value := found.get(full, ""))), "")
