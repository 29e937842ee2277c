"""Log at every level, in every way, and listen to the log."""

import logging

from mitmproxy import ctx, log
from mitmproxy.log import ALERT, LogEntry

logger = logging.getLogger(__name__)


class Listener(log.MitmLogHandler):
    def __init__(self):
        super().__init__()
        self.heard = []

    def emit(self, record):
        if record.levelno == ALERT and "alert" in record.getMessage():
            self.heard.append(record.getMessage())


class Talker:
    def __init__(self):
        self.listener = Listener()

    def running(self):
        self.listener.install()

    def response(self, flow):
        logger.log(ALERT, "an alert by logging")
        ctx.log.alert("an alert by ctx.log")
        ctx.log.warn("a warning")
        logging.debug("nobody sees this")
        entry = LogEntry("text", "warn")
        tiers = [log.log_tier(level) for level in log.LogLevels]
        logger.info(f"heard {len(self.listener.heard)} {entry.level} {tiers}")

    def done(self):
        self.listener.uninstall()


addons = [Talker()]
