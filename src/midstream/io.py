"""Door for addon authors: reading and writing flow files."""

from midstream.store.formats.native import FilteredFlowWriter, FlowReader, FlowWriter, read_flows_from_paths

__all__ = ["FilteredFlowWriter", "FlowReader", "FlowWriter", "read_flows_from_paths"]
