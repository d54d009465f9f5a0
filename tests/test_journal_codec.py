"""The bytes of a row: small, and proven whole."""

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.batch import Shape
from collector.journal.codec import WHOLE, Damaged, Key, checksum, encode, key_bytes, proven, reader, shape_of
from collector.point import Value

_KEY = Key(5, 3, 1_699_920_000_000, 1)
_VALUES: st.SearchStrategy[Value] = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(2**63), 2**63 - 1),
    st.text(st.characters(exclude_categories=["Cs"])),
)
_INT64 = st.integers(-(2**63), 2**63 - 1)


@given(st.builds(Key, _INT64, _INT64, _INT64, _INT64), st.dictionaries(st.text(), _VALUES, min_size=1, max_size=6))
def test_what_is_decoded_is_what_was_encoded(key: Key, fields: dict[str, Value]) -> None:
    """Any fields under any key come back with their types."""
    found = read(key, shape_of(fields), encode(key, fields))
    assert [repr(value) for value in found] == [repr(value) for value in fields.values()]


@given(st.data(), st.dictionaries(st.text(max_size=5), _VALUES, min_size=1, max_size=4))
def test_no_flipped_bit_goes_unseen(data: st.DataObject, fields: dict[str, Value]) -> None:
    """A row with one bit changed, in its values, its checksum or its key, is never taken for whole."""
    content = bytearray(encode(_KEY, fields))
    bit = data.draw(st.integers(0, len(content) * 8 - 1))
    content[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Damaged, match="checksum") as caught:
        read(_KEY, shape_of(fields), bytes(content))
    assert caught.value.what == "row 5"
    part = data.draw(st.sampled_from(Key._fields))
    other = _KEY._replace(**{part: getattr(_KEY, part) ^ 1 << data.draw(st.integers(0, 62))})
    with pytest.raises(Damaged, match="checksum"):
        read(other, shape_of(fields), encode(_KEY, fields))


@pytest.mark.parametrize("data", [b"", b"abc", None, "text", 7])
def test_what_is_no_row_at_all_is_damaged(data: object) -> None:
    """A row that was cut short, or whose bytes became another type, is damaged and nothing worse."""
    with pytest.raises(Damaged):
        read(_KEY, (("score", "float"),), data)


@pytest.mark.parametrize("part", Key._fields)
@pytest.mark.parametrize("value", [None, "text", 1.0, 2**63])
def test_a_key_that_is_no_number_is_damaged(part: str, value: object) -> None:
    """A flipped bit can make anything of a row's id, series, time or shape; it is damaged and nothing worse."""
    with pytest.raises(Damaged):
        read(Key(**{**_KEY._asdict(), part: value}), (("score", "float"),), encode(_KEY, {"score": 1.0}))


def test_a_score_takes_twelve_bytes() -> None:
    """A float is 8 bytes, a small int 1, a short text its length and 1; the checksum is 4."""
    assert len(encode(_KEY, {"score": 41.5})) == 12
    assert len(encode(_KEY, {"ok": 1, "error": "BadResponse"})) == 1 + 12 + 4


@pytest.mark.parametrize(
    ("value", "size"),
    [
        (0, 1),
        (63, 1),
        (64, 2),
        (-1, 1),
        (-64, 1),
        (-65, 2),
        (8191, 2),
        (8192, 3),
        (2**55 - 1, 8),
        (2**63 - 1, 10),
        (-(2**63), 10),
    ],
)
def test_an_int_takes_a_byte_for_seven_bits(value: int, size: int) -> None:
    """The sign is one of them; each comes back where one byte more begins, and so does a text of that length."""
    data = encode(_KEY, {"n": value})
    assert len(data) == size + 4
    assert read(_KEY, shape_of({"n": value}), data) == (value,)
    assert read(_KEY, shape_of({"n": value, "m": 1.5}), encode(_KEY, {"n": value, "m": 1.5})) == (value, 1.5)


@pytest.mark.parametrize(("length", "size"), [(0, 1), (127, 128), (128, 130), (16_383, 16_385), (16_384, 16_387)])
def test_a_text_of_any_length_comes_back(length: int, size: int) -> None:
    """Before it stands its length, in as few bytes as that takes."""
    fields: dict[str, Value] = {"title": "x" * length, "after": 1.5}
    data = encode(_KEY, fields)
    assert len(data) == size + 8 + 4
    assert read(_KEY, shape_of(fields), data) == tuple(fields.values())


def test_a_checksum_is_the_same_in_every_version() -> None:
    """Names, shapes and cursors carry it in the file: who computes another one finds all of them damaged."""
    assert checksum(7, "exposure_score", "contoso", "[]") == zlib.crc32(b"7\0exposure_score\0contoso\0[]\0")


def test_the_last_bytes_alone_are_a_whole_row_and_less_is_none() -> None:
    """A shape without fields has its checksum alone, and no key makes that of bytes which are too few for one."""
    key = Key(*struct.unpack("<4q", _key_that_ends_in_its_own_checksum()))
    assert zlib.crc32(key_bytes(*key)) == WHOLE
    assert not proven(key, b"")
    assert proven(_KEY, encode(_KEY, {}))


def _key_that_ends_in_its_own_checksum() -> bytes:
    """Return the bytes of a key that would prove itself: with nothing behind it, it is no row."""
    start = bytes(28)
    return start + struct.pack("<I", zlib.crc32(start))


def test_a_checksum_knows_where_a_text_ends() -> None:
    """Moving a letter from one name to the next one changes the checksum."""
    assert checksum("ab", "c") != checksum("a", "bc") != checksum("abc", "")


def read(key: Key, shape: Shape, data: object) -> tuple[Value, ...]:
    """Return the values of bytes that prove to be those of the key."""
    # A flipped bit makes anything of them.
    if not proven(key, data):  # type: ignore[arg-type]
        raise Damaged("row 5", "the checksum differs")
    return reader(shape)(data)  # type: ignore[arg-type]
