"""`mitmproxy.addonmanager`: the two functions beside the addon manager."""

from __future__ import annotations

import types


def cut_traceback(tb: types.TracebackType | None, func_name: str) -> types.TracebackType | None:
    """The part of a traceback below the last frame of the function `func_name`; all of it when there is none."""
    cut, each = tb, tb
    while each is not None:
        following = each.tb_next
        if each.tb_frame.f_code.co_name == func_name:
            cut = following
        each = following
    return cut if cut is not None else tb
