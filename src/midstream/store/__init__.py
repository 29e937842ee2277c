"""Captured flows: the rows that lists paint, and the view that orders, filters and focuses them."""
