"""WebSockets: what a handshake agrees on, and the messages that pass once it is done."""
