"""What mitmproxy has in another shape than midstream: thin functions and classes over ours, one file per module.

The tables of `compat/` point here by name. Nothing of midstream uses these.
"""
