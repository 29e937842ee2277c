"""Ways through another proxy, which is asked for a connection to a server: one file per kind of parent."""
