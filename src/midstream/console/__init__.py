"""The terminal interface: an urwid application on the loop of the proxy. Not imported by headless runs."""
