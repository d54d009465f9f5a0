"""collector.defender.document: the quick reading of an answer is the strict one, or none."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from collector.defender import document

SPACES = st.sampled_from(["", "", "", " ", "\n", "\t\r\n"])
WORDS = st.sampled_from(["score", "sc\u00f6re", "a:", ':"', '"', "\\", "", " ", "{", "\ud800"]) | st.text(max_size=3)
TEXTS = st.builds(lambda word, ascii_: json.dumps(word, ensure_ascii=ascii_), WORDS, st.booleans()).filter(
    lambda text: text.isascii() or text.encode("utf-8", "replace").decode() == text
)
PLAIN = TEXTS | st.sampled_from(["1", "-0.5", "1e400", "NaN", "true", "null"])


def objects(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return texts of objects: any keys, also the same twice, and space wherever JSON may have some."""
    members = st.lists(
        st.builds(lambda *parts: "".join(parts), SPACES, TEXTS, SPACES, st.just(":"), values), max_size=4
    )
    return members.map(lambda some: "{" + ",".join(some) + "}")


VALUES = st.recursive(
    PLAIN,
    lambda inner: objects(inner) | st.lists(inner, max_size=4).map(lambda some: "[" + ", ".join(some) + "]"),
    max_leaves=12,
)


@given(text=objects(VALUES))
@example(text='{"score":1,"score":2,"x" :3}')
@example(text='{"value":[{"score":1,"score":2}],"x":[{"\\"":1}]}')
@example(text='{"value":[{"a\\\\":1,"score":1,"score":2}]}')
@example(text='{"value":[{"score":1,"x":{"y":1,"y":2}}]}')
def test_what_is_read_quickly_is_what_is_read_strictly(text: str) -> None:
    """An answer in which a key may be there twice is never read the quick way; any other means the same either way."""
    quick = document._plain(text.encode())
    strict = json.loads(text, object_pairs_hook=document._object, parse_int=document._integer)
    if quick is not None:
        assert repr(quick) == repr(strict)
        assert not isinstance(strict, document.Ambiguous)
        assert "Ambiguous" not in {type(one).__name__ for one in _inside(strict)}


@pytest.mark.parametrize("names", [["A", "B\u00fcro"], [], ["a:b", "c/d", "{}"]])
def test_what_the_api_answers_is_read_quickly(names: list[str]) -> None:
    """An answer as Microsoft writes it, in UTF-8 or in escapes, has no need of the strict reading."""
    rows = [{"time": "2019-12-03T09:51:28.214338Z", "score": 41.5, "rbacGroupName": n, "rbacGroupId": 1} for n in names]
    for ascii_ in (True, False):
        body = json.dumps({"@odata.context": "https://x/$metadata#A", "value": rows}, ensure_ascii=ascii_).encode()
        assert document._plain(body) == {"@odata.context": "https://x/$metadata#A", "value": rows}


def _inside(value: object) -> list[object]:
    match value:
        case dict():
            return [value, *(one for each in value.values() for one in _inside(each))]
        case list():
            return [one for each in value for one in _inside(each)]
        case _:
            return [value]
