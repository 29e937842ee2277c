"""`from midstream.script import concurrent`: what only scripts need."""

from midstream.hub.concurrent import concurrent

__all__ = ["concurrent"]
