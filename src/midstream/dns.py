"""DNS messages and flows: `from midstream import dns`."""

from midstream.flows.dns import DNSFlow, DNSMessage, Question, ResourceRecord, classes, op_codes, response_codes, types
from midstream.wire.dns_https import HTTPSRecord

__all__ = [
    "DNSFlow",
    "DNSMessage",
    "HTTPSRecord",
    "Question",
    "ResourceRecord",
    "classes",
    "op_codes",
    "response_codes",
    "types",
]
