"""Reading and writing flow files: `from midstream import io`.

    with open("some.flows", "rb") as file:
        for flow in io.FlowReader(file).stream(): ...

A damaged file gives what is readable, then a FlowReadException.
"""

from midstream.store.formats.native import FilteredFlowWriter, FlowReader, FlowWriter, read_flows_from_paths

__all__ = ["FilteredFlowWriter", "FlowReader", "FlowWriter", "read_flows_from_paths"]
