"""What is taken out of HTTPS records, and that the rest of the answer stays as it is."""

import pytest

from midstream.addons.stripdnshttpsrecords import StripDnsHttpsRecords
from midstream.flows.dns import DNSFlow, ResourceRecord, types
from midstream.testing import context
from midstream.testing.flows import tdnsflow
from midstream.testing.messages import tdnsresp
from midstream.wire.dns_https import HTTPSRecord

ALPN, NO_DEFAULT, PORT, ECH = 1, 2, 3, 5


def record(**params: bytes) -> ResourceRecord:
    keys = {"alpn": ALPN, "port": PORT, "ech": ECH}
    return ResourceRecord.HTTPS("a.test", HTTPSRecord(1, "", {keys[name]: value for name, value in params.items()}))


def seen(*records: ResourceRecord, **options: object) -> DNSFlow:
    """The flow, after the addon saw the answer."""
    addon = StripDnsHttpsRecords()
    flow = tdnsflow(resp=tdnsresp(answers=list(records)))
    with context(addon) as tests:
        tests.options.update(**options)
        addon.dns_response(flow)
    return flow


def answers(flow: DNSFlow) -> list[ResourceRecord]:
    assert flow.response is not None
    return flow.response.answers


def test_the_keys_of_encrypted_hellos_go_and_the_rest_stays():
    (found,) = answers(seen(record(alpn=b"\x02h2", ech=b"keys", port=b"\x20\xfb")))
    assert found == record(alpn=b"\x02h2", port=b"\x20\xfb")


def test_they_stay_if_that_is_wanted():
    (found,) = answers(seen(record(ech=b"keys"), strip_ech=False))
    assert found == record(ech=b"keys")


def test_http3_goes():
    (found,) = answers(seen(record(alpn=b"\x02h3\x05h3-29\x02h2\x08http/1.1")))
    assert found == record(alpn=b"\x02h2\x08http/1.1")


def test_a_list_of_nothing_but_http3_goes_whole():
    (found,) = answers(seen(record(alpn=b"\x02h3")))
    assert found == record()


@pytest.mark.parametrize(
    "data", [b"", b"\x00\x01", b"\x00\x01\x00\x00\x05\x00\x09x", b"\x00\x01\x00\x00\x01\x00\x02\x09x"]
)
def test_records_that_are_none_pass(data):
    broken = ResourceRecord("a.test", types.HTTPS, 1, 60, data)
    assert answers(seen(broken))[0].data == data


def test_records_of_other_types_pass():
    plain = ResourceRecord.TXT("a.test", "ech=keys")
    assert answers(seen(plain)) == [ResourceRecord.TXT("a.test", "ech=keys")]


def test_a_record_without_either_keeps_its_bytes():
    # Parameters out of order, which nobody would write again like this.
    data = b"\x00\x01\x00" + b"\x00\x03\x00\x02\x20\xfb" + b"\x00\x01\x00\x03\x02h2"
    same = ResourceRecord("a.test", types.HTTPS, 1, 60, data)
    assert answers(seen(same))[0].data == data


def test_no_answer():
    flow = tdnsflow()
    addon = StripDnsHttpsRecords()
    with context(addon):
        addon.dns_response(flow)
    assert flow.response is None
