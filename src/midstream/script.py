"""What only scripts need: `from midstream.script import concurrent`, for handlers that block."""

from midstream.hub.concurrent import concurrent

__all__ = ["concurrent"]
