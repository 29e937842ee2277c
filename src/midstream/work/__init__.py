"""Keeping the event loop free while long work is done. The ground floor; imports nothing."""
