"""asyncio from here on: listeners, streams, the exchange, tunnels. Reads no options; `Settings` are handed in."""
