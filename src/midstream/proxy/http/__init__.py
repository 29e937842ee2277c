"""HTTP exchanges: the straight line of one, and the protocol versions on either side of it."""
