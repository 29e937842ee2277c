"""Sends what goes to one version of an API to the next version as well, and tells where the status is another one.

    middump -s examples/addons/replay_variants.py

Replays pass through the same events as requests of clients, so the addon has to know its own: it goes by
`flow.is_replay`, and by a note in the metadata, which a replay takes over. What the client gets is not touched.
"""

import logging

from midstream import ctx, http

OLD, NEW = "/v1/", "/v2/"
OF = "variant_of"

logger = logging.getLogger(__name__)


def response(flow: http.HTTPFlow) -> None:
    """Repeat what went to the old version; tell what came from the new one."""
    assert flow.response is not None
    if flow.is_replay == "request" and OF in flow.metadata:
        before = flow.metadata[OF]
        if flow.response.status_code != before:
            logger.warning("%s answers %d, and %d before", flow.request.url, flow.response.status_code, before)
    elif flow.is_replay is None and flow.request.path.startswith(OLD):
        again = flow.copy()
        again.request.path = NEW + flow.request.path.removeprefix(OLD)
        again.metadata[OF] = flow.response.status_code
        ctx.master.commands.call("replay.client", [again])
