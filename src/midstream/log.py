"""`from midstream import log`: the level ALERT, log entries, and a handler that hears one master only."""

from midstream.hub.log import ALERT, EventLogHandler, LogEntry, LogLevels, log_tier
from midstream.hub.log import MasterLogHandler as MitmLogHandler
from midstream.hub.log_lines import LineFormatter as MitmFormatter

__all__ = ["ALERT", "EventLogHandler", "LogEntry", "LogLevels", "MitmFormatter", "MitmLogHandler", "log_tier"]
