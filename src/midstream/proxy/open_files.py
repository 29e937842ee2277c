"""How many clients fit into the files that the system lets this process have open.

A process that runs out of them can accept nobody, and asyncio's own loop then logs thousands of lines per second. So
the limit is raised as far as the system allows (by `app.py`, at the start), and `Proxy` turns clients away before that.
"""

import sys

if sys.platform != "win32":  # where sockets are not files
    import resource

ENOUGH = 65536
# For listeners, scripts, flow files and whatever else is no client.
RESERVED = 32
# A client usually brings one connection to a server along.
PER_CLIENT = 2
FEWEST = 4


def raise_limit() -> None:
    """Allow this process as many open files as it may ask for without privileges."""
    if sys.platform == "win32":
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError):  # macOS knows more limits than it tells
            return


def most_clients() -> int:
    """How many clients may be connected at once."""
    files = ENOUGH
    if sys.platform != "win32":
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        files = ENOUGH if soft == resource.RLIM_INFINITY else soft
    return max((files - RESERVED) // PER_CLIENT, FEWEST)
