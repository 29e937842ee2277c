"""Option names that another program of the family owns, so that one config file can serve them all.

`middump` meets `console_palette`, `midstream` meets `keepserving`, both meet `web_port` of a web interface that people
come from. Such a name is kept and never complained about. A name that the running program declares is not foreign,
whatever this table says. Beside them stand the few names that no program of ours has, with the reason.
"""

from __future__ import annotations

from collections.abc import Container, Iterable

CONSOLE = frozenset(
    {
        "console_default_contentview",
        "console_eventlog_verbosity",
        "console_flowlist_layout",
        "console_focus_follow",
        "console_layout",
        "console_layout_headers",
        "console_mouse",
        "console_palette",
        "console_palette_transparent",
        "console_quickhelp_visible",
        "console_strip_trailing_newlines",
        "intercept",
        "intercept_active",
        "view_filter",
        "view_order",
        "view_order_reversed",
    }
)
DUMP = frozenset(
    {
        "content_view_lines_cutoff",
        "dumper_default_contentview",
        "dumper_filter",
        "flow_detail",
        "keepserving",
        "termlog_verbosity",
    }
)
WEB = frozenset(
    {
        "web_columns",
        "web_debug",
        "web_host",
        "web_open_browser",
        "web_password",
        "web_port",
        "web_static_viewer",
    }
)

ABSENT = {
    "proxy_debug": "it is not needed: -v shows what the proxy does",
    "validate_inbound_headers": "heads by which requests can be smuggled are always refused here",
}
"""Options that mitmproxy has and we have not, with the end of a sentence that says why."""

_PREFIX = "console_"


def foreign(names: Iterable[str], declared: Container[str]) -> list[str]:
    """Those of `names` that belong to another program of the family than the one that `declared` these options."""
    # The console's own options are many and grow; by their prefix none is forgotten. The console itself has a mouse.
    has_console = f"{_PREFIX}mouse" in declared
    others = (DUMP if has_console else CONSOLE) | WEB
    return [
        name
        for name in names
        if name not in declared and (name in others or (name.startswith(_PREFIX) and not has_console))
    ]


def program_of(name: str) -> str:
    """Whose option it is, for messages; `name` is foreign."""
    if name in WEB:
        return "a web interface, which is not here"
    return "middump" if name in DUMP else "midstream"
