"""Durations and clock times, written for people. Used by lists, dumps and the event log; not for file formats."""

from __future__ import annotations

import time

NO_CLOCK = "--:--:--"


def human_duration(seconds: float) -> str:
    """At most five cells: `92ms`, `1.5s`, `42s`, `1m40s`, `12m`, `1h05m`, `12h`, `4d`.

    A clock that ran back gives `0ms`.
    """
    if not seconds > 0:  # also NaN
        return "0ms"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f}ms" if seconds >= 0.0005 else "<1ms"
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    if seconds < 59.5:
        return f"{seconds:.0f}s"
    if seconds == float("inf"):
        return "inf"
    whole = round(seconds)
    if whole < 600:
        return f"{whole // 60}m{whole % 60:02}s"
    minutes = whole // 60
    if minutes < 60:
        return f"{minutes}m"
    hours = minutes // 60
    if hours < 10:
        return f"{hours}h{minutes % 60:02}m"
    if hours < 100:
        return f"{hours}h"
    return f"{hours // 24}d"


def clock(ts: float) -> str:
    """`14:02:07` in local time, or dashes for a time no clock shows (timestamps come from files too)."""
    try:
        return time.strftime("%H:%M:%S", time.localtime(ts))
    except (OverflowError, OSError, ValueError):
        return NO_CLOCK


def utc_time(seconds: int, nanoseconds: int = 0) -> str:
    """`2023-11-14T22:13:20.000000005Z`, or nothing for a time that no calendar has."""
    try:
        written = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    except (OverflowError, OSError, ValueError):
        return ""
    fraction = f".{nanoseconds:09}".rstrip("0") if nanoseconds else ""
    return f"{written}{fraction}Z"
