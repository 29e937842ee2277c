import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.filters.errors import FilterError
from midstream.filters.grammar import parse_text
from midstream.filters.nodes import And, Node, Not, Or, Term, quoted
from midstream.filters.operators import OPERATORS


def term(name: str, argument: str | None = None) -> Term:
    return Term(name, argument, lambda flow: True)


A, B, C = (term("~u", word) for word in "abc")
Q, S = term("~q"), term("~s")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a", A),
        ("~u a", A),
        ('"a"', A),
        ("'a'", A),
        ("a b", And((A, B))),
        ("a & b", And((A, B))),
        ("a | b", Or((A, B))),
        ("a & b | c", Or((And((A, B)), C))),
        ("a | b & c", Or((A, And((B, C))))),
        # side by side binds loosest of all
        ("a b | c", And((A, Or((B, C))))),
        ("a | b c", And((Or((A, B)), C))),
        ("a b c", And((A, B, C))),
        ("a & (b & c)", And((A, B, C))),
        ("a & (b | c)", And((A, Or((B, C))))),
        ("!a", Not(A)),
        ("! a", Not(A)),
        ("!!a", A),
        ("!!!~q", Not(Q)),
        ("!a b", And((Not(A), B))),
        ("a !b", And((A, Not(B)))),
        ("a & !b", And((A, Not(B)))),
        ("a |b", Or((A, B))),
        ("!(a b)", Not(And((A, B)))),
        # names end at signs and brackets
        ("(~q)", Q),
        ("(~q )", Q),
        ("~q&~s", And((Q, S))),
        ("(~q | ~s)", Or((Q, S))),
        ("~q|~s", Or((Q, S))),
        ("~q!~s", And((Q, Not(S)))),
        ("~q~s", And((Q, S))),
        ("~q(a)", And((Q, A))),
        ("(~c 200)", term("~c", "200")),
        ("(a)b", And((A, B))),
        # signs inside a word belong to it
        ("a&b", term("~u", "a&b")),
        ("~m get|post", term("~m", "get|post")),
        ("a|", term("~u", "a|")),
        ("a!b", term("~u", "a!b")),
        ("~u & b", And((term("~u", "&"), B))),
        ("~u !x", term("~u", "!x")),
        ('~u "(a)"', term("~u", "(a)")),
        # but a number ends before them
        ("~c 200|~c 404", Or((term("~c", "200"), term("~c", "404")))),
        ("!~c 200&a", And((Not(term("~c", "200")), A))),
        ("~c 200!a", And((term("~c", "200"), Not(A)))),
        # quotes
        ('"a b"', term("~u", "a b")),
        ('""', term("~u", "")),
        ('"a" "b"', And((A, B))),
        ('"a"b', And((A, B))),
        ('a"b"', And((A, B))),
        ('~u"a"', A),
        (r'"\d"', term("~u", "d")),
        (r'"\\d"', term("~u", r"\d")),
        (r'"\"\t\n\r\f"', term("~u", '"\t\n\r\f')),
        (r"a\d", term("~u", r"a\d")),
        ("\t a \r\n b ", And((A, B))),
    ],
)
def test_trees(text: str, tree: Node) -> None:
    assert parse_text(text) == tree


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("", 1, "a filter is needed"),
        (" \t\n", 1, "a filter is needed"),
        ("~d api.example & (~m POST | ~c 4", 18, '"(" is not closed'),
        ("(", 1, '"(" is not closed'),
        ("a (", 3, '"(" is not closed'),
        ("()", 1, '"()" is empty'),
        ("a ( )", 3, '"()" is empty'),
        ("a)", 2, '")" has no "("'),
        (")", 1, '")" has no "("'),
        ("a &", 3, '"&" needs something after it'),
        ("(a |)", 4, '"|" needs something after it'),
        ("& a", 1, '"&" needs something before it'),
        ("a & & b", 5, '"&" needs something before it'),
        ("a | |b", 5, '"|" needs something before it'),
        ("!", 1, '"!" needs something after it'),
        ("a !", 3, '"!" needs something after it'),
        ("(!)", 2, '"!" needs something after it'),
        ('a "b', 3, "the quote is not closed"),
        ('a "b\\"', 3, "the quote is not closed"),
        ("~", 1, "~ is no operator"),
        ("a ~hh x", 3, "~hh is no operator; did you mean '~h'?"),
        ("~Q", 1, "~Q is no operator; did you mean '~q'?"),
        ("~u", 1, "~u needs a regex"),
        ("(~u)", 2, "~u needs a regex"),
        ("~u&a", 1, "~u needs a regex"),
        ("~u ~q", 1, "~u needs a regex"),
        ("~c", 1, "~c needs a number"),
        ("a ~c |b", 3, "~c needs a number"),
        ("~c !200", 1, "~c needs a number"),
        ("~c 200.0", 4, "'200.0' is no status code"),
        ("~c 4xx", 4, "'4xx' is no status code"),
        ("~c ²", 4, "'²' is no status code"),
        ("~u *", 4, "no regular expression: nothing to repeat"),
        ("~u a[b", 5, "no regular expression"),
        ('~u "a (b"', 7, "no regular expression"),
        (r'~u "\ta ("', 9, "no regular expression"),
        ("~b äö[x", 6, "no regular expression"),
        ("~b a\ud800", 5, "no regular expression: it has a character that no text has"),
        ('~u "(?au)x"', 9, "no regular expression"),
        ('~b ""(', 6, '"(" is not closed'),
        ("x{99999999999999999999}", 1, "too large"),
    ],
)
def test_errors_name_the_column(text: str, column: int, words: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse_text(text)
    assert caught.value.column == column
    assert words in caught.value.reason
    assert str(caught.value) == f"column {column}: {caught.value.reason}"


def test_depth_is_bounded() -> None:
    parse_text("(" * 50 + "a" + ")" * 50)
    with pytest.raises(FilterError, match="column 51: brackets are nested more than 50 deep"):
        parse_text("(" * 100_000 + "a" + ")" * 100_000)
    assert parse_text("!" * 100_000 + "a") == A
    with pytest.raises(FilterError):
        parse_text('"' + "(" * 5_000 + ")" * 5_000 + '"')


ANY_TEXT = st.text(alphabet=st.characters())  # surrogates included
SIGNS = st.sampled_from([*"()&|! \t\"'\\~", "~q", "~c 200", "~u", "~m", "a", "b[", "ä", "\n", "&", "|", " "])


@given(st.one_of(ANY_TEXT, st.lists(SIGNS, max_size=30).map("".join)))
def test_any_text_is_a_filter_or_an_error_with_a_column_inside(text: str) -> None:
    try:
        tree = parse_text(text)
    except FilterError as error:
        assert 1 <= error.column <= max(len(text), 1)
    else:
        assert parse_text(str(tree)) == tree


PLAIN = st.sampled_from([op.name for op in OPERATORS if not op.argument]).map(term)
WITH_REGEX = st.builds(
    term,
    st.sampled_from([op.name for op in OPERATORS if op.argument == "regex"]),
    st.from_regex(r"[^\\\[\](){}*+?]*", fullmatch=True),
)
STATUS = st.integers(0, 999).map(lambda n: term("~c", str(n)))


def several(nodes: st.SearchStrategy[Node], kind: type[And | Or]) -> st.SearchStrategy[Node]:
    # The parser never nests a kind directly in itself.
    parts = nodes.filter(lambda node: type(node) is not kind)
    return st.lists(parts, min_size=2, max_size=4).map(lambda found: kind(tuple(found)))


TREES: st.SearchStrategy[Node] = st.recursive(
    st.one_of(PLAIN, WITH_REGEX, STATUS),
    lambda nodes: st.one_of(
        several(nodes, And), several(nodes, Or), nodes.filter(lambda node: type(node) is not Not).map(Not)
    ),
    max_leaves=12,
)


@given(TREES)
def test_every_tree_is_read_back_from_its_text(tree: Node) -> None:
    assert parse_text(str(tree)) == tree


@given(ANY_TEXT)
def test_every_argument_can_be_written(argument: str) -> None:
    text = quoted(argument)
    try:
        tree = parse_text(f"~marker {text}")
    except FilterError as error:
        assert "regular expression" in error.reason
    else:
        assert tree == term("~marker", argument)
