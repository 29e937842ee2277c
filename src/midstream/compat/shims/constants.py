"""Values that stand in several modules of mitmproxy, and what they are with us."""

from __future__ import annotations

import logging

import midstream
from midstream.hub.config import DEFAULT_FOLDER
from midstream.hub.log import ALERT

# Scripts compare this to know what they may use: it is the version whose names are understood here.
VERSION = "12.2.3"
MITMPROXY = f"midstream {midstream.__version__}"
FLOW_FORMAT_VERSION = 21

CONF_DIR = DEFAULT_FOLDER
CONF_BASENAME = "midstream"  # of the files of the CA
KEY_SIZE = 2048
CONTENT_VIEW_LINES_CUTOFF = 512
LISTEN_PORT = 8080

LOGGING_LEVELS_TO_LOGENTRY = {
    logging.ERROR: "error",
    logging.WARNING: "warn",
    logging.INFO: "info",
    ALERT: "alert",
    logging.DEBUG: "debug",
}
LOG_COLORS = {logging.ERROR: "red", logging.WARNING: "yellow", ALERT: "magenta"}

TCP, UDP, BOTH = "tcp", "udp", "both"  # what a mode listens for
MAX_LOG_STATEMENT_SIZE = 2048
HTTP1_ALPNS = (b"http/1.1", b"http/1.0", b"http/0.9")
HTTP2_ALPN = b"h2"
HTTP3_ALPN = b"h3"
HTTP_ALPNS = (HTTP3_ALPN, HTTP2_ALPN, *HTTP1_ALPNS)
SOCKS5_VERSION = 5
TYPE_CHECKING = False


def get_dev_version() -> str:
    """Our version, for people."""
    return MITMPROXY
