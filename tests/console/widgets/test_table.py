from midstream.console.widgets.table import Column, fit_runs, heading, lay_out, row

COLUMNS = (
    Column("mark", "", width=1, gap=0),
    Column("name", "name"),
    Column("size", "size", width=5, align="right"),
    Column("more", "more", width=6, shown_from=40, gap=2),
)


def text(runs: list[tuple[str, str]]) -> str:
    return "".join(part for _, part in runs)


def test_columns_drop_and_one_takes_the_rest() -> None:
    wide, narrow = lay_out(COLUMNS, 40), lay_out(COLUMNS, 30)
    assert [placed.name for placed in wide] == ["mark", "name", "size", "more"]
    assert [placed.name for placed in narrow] == ["mark", "name", "size"]
    assert wide[1].cells == 40 - 1 - 1 - 6 - 8
    assert narrow[1].cells == 30 - 1 - 1 - 6
    assert lay_out(COLUMNS, 3)[1].cells == 0


def test_columns_can_grow() -> None:
    layout = lay_out(COLUMNS, 30, (("mark", 3),))
    assert layout[0].cells == 3
    assert layout[1].cells == 20


def test_rows_and_headings_line_up() -> None:
    layout = lay_out(COLUMNS, 40)
    assert text(heading(layout)) == "  name" + " " * 20 + "  size  more  "
    cells = {
        "mark": ("a", ">"),
        "name": [("b", "host"), ("c", "/path")],
        "size": ("d", "12k"),
        "more": ("e", "abcdefgh"),
    }
    assert text(row(layout, cells)) == "> host/path" + " " * 15 + "   12k  abcde…"
    assert len(text(row(layout, {}))) == 40


def test_several_runs_share_a_cell() -> None:
    assert text(fit_runs([("a", "abc"), ("b", "def")], 6)) == "abcdef"
    assert text(fit_runs([("a", "abc"), ("b", "def")], 5)) == "abcd…"
    assert text(fit_runs([("a", "abc"), ("b", "def")], 3)) == "ab…"
    assert text(fit_runs([("a", "abc"), ("b", "")], 3)) == "abc"
    assert text(fit_runs([("a", "中文"), ("b", "x")], 4)) == "中… "
