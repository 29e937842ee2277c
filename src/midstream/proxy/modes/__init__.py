"""The ways in: one file per proxy mode, and the grammar of their specs."""
