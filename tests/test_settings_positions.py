"""collector.settings.positions: the line of each key, held against what `tomllib` makes of the same text."""

import tomllib
from collections.abc import Iterator

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from collector.settings.keys import Place
from collector.settings.positions import Twice, endless, positions, twice

KNOTTY = '''\
a = "# no comment [no.table]" # [no.table]
b . "c.d" = 1979-05-27 07:32:00
b.\'e"\' = """
[no]
x = 1 \\"""
y = """" # quotes that are text, and those that end it
[t.u]
v = { w = 1, "x\\u0079" = [ 1,
  2 , { y = "}" }, # ]
  [], {} ] }
[[many]]
n = +1_000.5e-3
m = \'\'\'
[[many]]
\'\'\'\'\'
[[many]]
[many.sub]
z = [
]
[many.sub . deep]
[[many.list]]
[t]
q = true
'''
LINES: dict[Place, int] = {
    ("a",): 1,
    ("b",): 2,
    ("b", "c.d"): 2,
    ("b", 'e"'): 3,
    ("t",): 22,
    ("t", "u"): 7,
    ("t", "u", "v"): 8,
    ("t", "u", "v", "w"): 8,
    ("t", "u", "v", "xy"): 8,
    ("t", "u", "v", "xy", 0): 8,
    ("t", "u", "v", "xy", 1): 9,
    ("t", "u", "v", "xy", 2): 9,
    ("t", "u", "v", "xy", 2, "y"): 9,
    ("t", "u", "v", "xy", 3): 10,
    ("t", "u", "v", "xy", 4): 10,
    ("many",): 11,
    ("many", 0): 11,
    ("many", 0, "n"): 12,
    ("many", 0, "m"): 13,
    ("many", 1): 16,
    ("many", 1, "sub"): 17,
    ("many", 1, "sub", "z"): 18,
    ("many", 1, "sub", "deep"): 20,
    ("many", 1, "list"): 21,
    ("many", 1, "list", 0): 21,
    ("t", "q"): 23,
}


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_each_key_has_the_line_on_which_it_stands(ends: str) -> None:
    """Through texts of several lines, lists, tables in one line and tables in parts, with either end of line."""
    text = KNOTTY.replace("\n", ends)
    assert set(places(tomllib.loads(text))) == set(LINES)
    assert positions(text) == LINES


def places(value: object, above: Place = ()) -> Iterator[Place]:
    """Yield every place in what tomllib made, without the top."""
    inner: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    for key, each in inner:
        yield (*above, key)
        yield from places(each, (*above, key))


def read(text: str) -> dict[Place, object] | None:
    """Return what stands at each place by tomllib; None for what is no TOML."""
    try:
        tables = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return None
    found: dict[Place, object] = {}
    for place in places(tables):
        value: object = tables
        for part in place:
            value = value[part]  # type: ignore[index]
        found[place] = value
    return found


KEYS = st.lists(st.sampled_from(["a", "b", "c-1", '"d e"', "'f.g'", '"\\u0061"']), min_size=1, max_size=3).map(".".join)
SCALARS = st.sampled_from(
    ["1", "-2.5e3", "true", "1979-05-27 07:32:00", '"x"', "'[a]'", '"# \\""', '"""\na = 1\n"""', "'''\n[b]\n''''"]
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda each: "[\n" + ", # ]\n".join(each) + "\n]")
        | st.lists(inner, max_size=3).map(lambda each: f"[{', '.join(each)}]")
        | st.lists(st.tuples(KEYS, inner), max_size=3).map(
            lambda each: f"{{ {', '.join(f'{key} = {value}' for key, value in each)} }}"
        )
    ),
    max_leaves=5,
)
STATEMENTS = (
    st.tuples(KEYS, VALUES).map(lambda pair: f"{pair[0]} = {pair[1]}")
    | KEYS.map(lambda key: f"[{key}]")
    | KEYS.map(lambda key: f"[[ {key} ]]")
)
ENDS = st.sampled_from(["\n", "\n\n", " # x = 1\n", "\r\n", "\n# [a]\n\t"])
BITS = st.sampled_from(
    [
        *"abc1.=,[]{}#\"'\\ \n",
        *("a = 1\n", "b.c = 1\n", "[a]\n", "[[b]]\n", "[b.c]\n", "a = {", "a = [\n", '"""', "'''", "\r\n", "\t"),
        *('"a b"', "'c.d'", " = ", "[a.b]\n", "[[a.b]]\n", "1979-05-27 07:32:00", "true", "-inf", '\\"', "# x\n"),
        *(
            "b = [{ a = 1 }, { b = 2 }]\n",
            'c = """\n[a]\n\\""""\n',
            "d = '''\n''\n'''\n",
            "é",
            '"\\q" = 1\n',
            '"\\u00e9"',
        ),
    ]
)


@settings(deadline=None)
@given(st.lists(STATEMENTS.map("{}\n".format) | BITS, max_size=6).map("".join))
def test_any_text_is_read_as_far_as_it_is_toml(text: str) -> None:
    """Each place that tomllib knows has a line, nothing else has; a text that is no TOML ends nowhere else."""
    lines, again, lost = positions(text), twice(text), endless(text)
    if (known := read(text)) is None:
        return
    assert set(lines) == set(known)
    assert again is None
    assert lost == 0


@settings(deadline=None)
@given(st.data())
def test_the_line_of_a_key_is_the_one_by_which_tomllib_comes_to_know_it(data: st.DataObject) -> None:
    """Cut off before that line, the document lacks the key; cut off after its statement, it has it."""
    parts = data.draw(st.lists(STATEMENTS, min_size=1, max_size=8))
    text = "".join(part + data.draw(ENDS) for part in parts)
    known = read(text)
    assume(known is not None)
    rows = text.splitlines(keepends=True)
    prefixes = {number: read("".join(rows[:number])) for number in range(len(rows) + 1)}
    for place, line in positions(text).items():
        if isinstance(known, dict) and isinstance(known[place], dict):
            # A table can stand in several parts: what is in it is looked at.
            continue
        whole = [number for number, found in sorted(prefixes.items()) if found is not None]
        first = next(number for number in whole if place in (prefixes[number] or {}))
        before = max(number for number in whole if number < first)
        assert before < line <= first


def test_nothing_is_read_beyond_what_stands_there_twice() -> None:
    """A value so deep that tomllib would refuse it costs nothing where tomllib has stopped before."""
    text = "a = 1\na = 2\nb = " + "[" * 200_000
    assert twice(text) == Twice(("a",), 1, 2)


def test_a_value_that_is_deep_has_its_lines() -> None:
    """As deep as tomllib itself goes."""
    depth = 300
    text = "a = " + "[\n" * depth + "]" * depth
    tomllib.loads(text)
    assert positions(text)["a", *[0] * (depth - 1)] == depth
