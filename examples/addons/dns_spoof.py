"""Answer DNS queries for names of your choice, and refuse those for others.

    middump --mode dns@5300 -s examples/addons/dns_spoof.py --set dns_spoof=shop.test=127.0.0.1 \\
        --set dns_spoof=shop.test=::1 --set dns_spoof=ads.test=
    dig -p 5300 @127.0.0.1 shop.test

A name counts for everything below it as well; one without an address does not exist. All others are answered as usual.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

from midstream import ctx, dns, exceptions
from midstream.addonmanager import Loader


class DnsSpoof:
    def __init__(self) -> None:
        self.known: dict[str, list[IPv4Address | IPv6Address]] = {}

    def load(self, loader: Loader) -> None:
        loader.add_option("dns_spoof", Sequence[str], [], "Names and their addresses: name=address, or name= for none.")

    def configure(self, updated: set[str]) -> None:
        if "dns_spoof" not in updated:
            return
        known: dict[str, list[IPv4Address | IPv6Address]] = {}
        for rule in ctx.options.dns_spoof:
            name, equals, address = rule.partition("=")
            try:
                known.setdefault(name.lower(), []).extend([ip_address(address)] if address else [])
            except ValueError as error:
                raise exceptions.OptionsError(f"dns_spoof: {rule!r}: {error}") from None
            if not name or not equals:
                raise exceptions.OptionsError(f"dns_spoof: {rule!r}: write name=address")
        self.known = known

    def dns_request(self, flow: dns.DNSFlow) -> None:
        question = flow.request.question
        if question is None:
            return
        labels = question.name.lower().split(".")
        parents = (".".join(labels[start:]) for start in range(len(labels)))
        found = next((self.known[name] for name in parents if name in self.known), None)
        if found is None:
            return
        if not found:
            flow.response = flow.request.fail(dns.response_codes.NXDOMAIN)
            return
        records = [
            dns.ResourceRecord.A(question.name, each)
            if isinstance(each, IPv4Address)
            else dns.ResourceRecord.AAAA(question.name, each)
            for each in found
        ]
        flow.response = flow.request.succeed([each for each in records if each.type == question.type])


addons = [DnsSpoof()]
