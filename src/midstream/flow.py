"""What flows of all protocols have in common: `from midstream import flow`.

    flow.intercept()  # hold it; flow.resume() lets it go on
    flow.kill()  # end it
    flow.marked = ":dog:"
    flow.comment = "a note for people"
    flow.metadata["mine"] = "a note for addons"

A Flow is an HTTPFlow, a TCPFlow, a UDPFlow or a DNSFlow.
"""

from midstream.flows.flow import Error, Flow

__all__ = ["Error", "Flow"]
