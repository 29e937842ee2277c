"""`mitmproxy.utils.emoji`: what flows can be marked with."""

from midstream.hub.markers import names

emoji = dict(names())
