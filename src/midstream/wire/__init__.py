"""Sans-io codecs: bytes in, values out. No asyncio, sockets, ssl or logging in here."""
