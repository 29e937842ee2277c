"""MQTT: a line for each packet in a piece of a connection. See mqtt_packets.py for what is read."""

from __future__ import annotations

from collections.abc import Iterator

from midstream.contentviews.api import Metadata
from midstream.contentviews.stepped import Stepped

_STEP = 200


class MQTT(Stepped):
    """On request only: by its bytes, MQTT looks like many things."""

    name = "MQTT"
    comes_at_once = True

    def steps(self, data: bytes, metadata: Metadata) -> Iterator[bytes | None]:
        from midstream.contentviews.calling import as_bytes
        from midstream.contentviews.mqtt_packets import Versions, summaries

        for count, line in enumerate(summaries(data, Versions.of(metadata)), 1):
            yield as_bytes(line + "\n")
            if count % _STEP == 0:
                yield None
