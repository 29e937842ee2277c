"""Both programs against the tables of the reference: nothing missing whose owner is there, nothing in another way.

The tables are facts of the reference program, those of later stages included: whoever declares one of these names must
declare it so. What differs on purpose stands in docs/differences.md, with the reason.
"""

from midstream.hub.foreign_options import ABSENT, WEB
from midstream.hub.invocation import Tool
from tests.parity import report
from tests.parity.report import Finding

TOOL: Tool = "middump"


async def test_nothing_is_missing_or_different_without_a_reason() -> None:
    found, addons = await report.survey()
    assert not [
        f"{each.tool} {each.kind} {each.name}: {each.what} {each.detail}" for each in report.mistakes(found, addons)
    ]


async def test_what_is_listed_as_a_difference_is_one() -> None:
    found, _ = await report.survey()
    deliberate = {each.name for each in found}
    of_no_program = {row["name"] for row in report.rows("options.tsv") if row["tools"] == "-"}
    by_effect = {"showhost", "console_flowlist_layout"}
    assert set(report.allowed()) == deliberate & set(report.allowed()) | of_no_program | by_effect


async def test_every_difference_has_a_reason() -> None:
    table = report.allowed()
    for name in ("confdir", "web_port", "view.order.set", "key_type"):
        here, why = table[name].split(" | ")
        assert here and why.strip()
    assert "listen_port" not in table


def test_every_row_has_an_owner() -> None:
    owners = report.owners()
    named = {row["owner"] for table in report.TABLES.values() for row in report.rows(table)}
    assert named == set(owners) - {"comment"} | named & {"comment"}
    assert set(owners.values()) <= {"now", "stage 4", "stage 5", "later", "absent"}


async def test_absent_options_are_explained() -> None:
    owners = report.owners()
    absent = {row["name"] for row in report.rows("options.tsv") if owners[row["owner"]] == "absent"}
    assert absent <= set(report.allowed())
    assert absent == WEB | set(ABSENT)


# -- the check itself --


def finding(what: str, name: str, kind: str = "option") -> Finding:
    return Finding(what, kind, name, TOOL)


def test_mistakes_are_what_nobody_explains() -> None:
    def wrong(*found: Finding, addons: frozenset[str] = frozenset()) -> bool:
        return bool(report.mistakes(list(found), set(addons)))

    assert wrong(finding("missing", "listen_port"))
    assert wrong(finding("different", "anticache"))
    assert wrong(finding("own", "something_new"))
    assert wrong(finding("own", "view.something", "command"))
    assert not wrong(finding("missing", "http3"))
    assert wrong(finding("missing", "http3"), addons=frozenset({"http3"}))
    assert not wrong(finding("missing", "validate_inbound_headers"))
    assert not wrong(finding("own", "console.drawer", "command"))


async def test_the_report_names_owners() -> None:
    found, addons = await report.survey()
    text = "\n".join(report.lines(found, addons))
    assert "  http3 (later): http3" in text or "http3" in addons
    assert "Neither deliberate nor for later: 0" in text
