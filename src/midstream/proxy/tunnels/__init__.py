"""Connections whose bytes are passed on without being understood."""
