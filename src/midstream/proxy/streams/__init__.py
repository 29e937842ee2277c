"""Byte streams: the same few verbs over TCP, TLS and memory."""
