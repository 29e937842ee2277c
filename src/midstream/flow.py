"""What all flows have in common: `from midstream import flow`."""

from midstream.flows.flow import Error, Flow

__all__ = ["Error", "Flow"]
