"""Exports: one flow written down for another program, one file for each format.

Called by the addon `export`. Most formats are commands or programs that send the request again; `outgoing.py` is what
they start from. A format is pasted into a shell or an editor by somebody who trusts us: it sends the same request and
does nothing else, whatever the traffic holds, or it raises CannotExport with a sentence.
"""
