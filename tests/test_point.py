"""Points and tags: any name becomes a tag that is carried, and two names never become one."""

import hashlib
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.point import (
    MAX_ID_BYTES,
    MAX_TAG_BYTES,
    NO_ID,
    RESERVED_NAMES,
    UNASSIGNED,
    Point,
    Series,
    carried,
    group_id,
    group_name,
    rfc3339,
    tag_value,
)

ANY = st.text(st.characters() | st.characters(categories=["Cs", "Cc"]) | st.sampled_from("\\,= ~\"'\n()"), min_size=1)
SERIES = Series("exposure_score", (("tenant", "contoso"),))


def digest(name: str) -> str:
    """Return the 8 hex digits that a changed name ends in."""
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]


@given(ANY)
def test_any_name_becomes_a_tag_that_is_carried(name: str) -> None:
    """Whatever the API calls a group, its tag is carried; a name that is carried and not reserved is its own tag."""
    tag = group_name(name)
    assert carried(tag)
    assert tag == name or tag.endswith(f"~{digest(name)}")


@given(st.lists(ANY, unique=True))
def test_two_names_never_become_one(names: list[str]) -> None:
    """Different names have different tags, also a name that looks like another's changed one."""
    names += [group_name(name) for name in names]
    tags = {name: group_name(name) for name in names}
    assert len(set(tags.values())) == len(tags)


@pytest.mark.parametrize(
    "name",
    ["O'Neil", "a/b", "back\\slash", '"quoted"', "Büro, Köln=Süd", ".*", "日本", " lead", "trail ", "~1234567", "none"],
)
def test_usual_names_stay_as_they_are(name: str) -> None:
    """What line protocol can carry, escaped, is not changed."""
    assert group_name(name) == name


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("a\nb", "a_b"),
        ("tab\there", "tab_here"),
        ("trailing\\", "trailing_"),
        ("two\\\\x", "two_\\x"),
        ("a\\,b", "a_,b"),
        ("a\\ b", "a_ b"),
        ("a\\=b", "a_=b"),
        ("\ud800", "_"),
        ("\x85", "_"),
        ("(organization)", "(organization)"),
        ("(all)", "(all)"),
        (UNASSIGNED, UNASSIGNED),
        ("x~0123abcd", "x~0123abcd"),
    ],
)
def test_names_that_can_not_be_carried_or_mistaken_are_marked(name: str, clean: str) -> None:
    """The faults become `_`, and the tag ends in the hash of the original."""
    assert group_name(name) == f"{clean}~{digest(name)}"


@pytest.mark.parametrize("name", [None, ""])
def test_no_name_is_unassigned(name: str | None) -> None:
    """Devices that are in no group have a name of their own."""
    assert group_name(name) == UNASSIGNED
    assert UNASSIGNED in RESERVED_NAMES


@pytest.mark.parametrize("sign", ["a", ",", " ", "=", "\\x", "ü", "語", "\\,"])
def test_a_name_that_is_too_long_is_cut_to_what_a_line_holds(sign: str) -> None:
    """60 KiB are counted as line protocol writes them; a cut never parts a backslash from what it escapes."""
    tag = group_name(sign * (MAX_TAG_BYTES + 1))
    assert carried(tag)
    assert tag.endswith(f"~{digest(sign * (MAX_TAG_BYTES + 1))}")
    assert len(tag) > MAX_TAG_BYTES / 8


def test_ids_are_short_and_none_is_reserved() -> None:
    """An id that is the word for no id is marked, and an id is cut sooner than a name."""
    assert group_id("7") == "7"
    assert group_id(NO_ID) == f"none~{digest('none')}"
    assert len(group_id("9" * 5000)) == MAX_ID_BYTES


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_tag_value_is_stable(name: str, other: str) -> None:
    """A tag that was made once is not what another name becomes."""
    if name != other:
        assert tag_value(name) != tag_value(other)


@pytest.mark.parametrize("value", [True, None, float("nan"), float("inf"), 2**63, -(2**63) - 1, "\ud800", b"x"])
def test_what_no_database_holds_is_no_field(value: object) -> None:
    """A field is a finite float, a 64-bit int, or text that is Unicode."""
    with pytest.raises(ValueError, match=r"exposure_score\.score"):
        Point(SERIES, 0, {"score": value})  # type: ignore[dict-item]


@pytest.mark.parametrize("time", [-1, 2**63 // 1_000_000])
def test_a_time_that_no_database_tells_is_no_time(time: int) -> None:
    """Times are from 1970 to 2262."""
    with pytest.raises(ValueError, match="1970"):
        Point(SERIES, time, {"score": 1.0})


def test_a_point_has_a_field_and_a_series_only_tags_that_are_carried() -> None:
    """What InfluxDB would not take can't be built."""
    with pytest.raises(ValueError, match="at least one field"):
        Point(SERIES, 0, {})
    with pytest.raises(ValueError, match="tenant"):
        Series("exposure_score", (("tenant", ""),))
    with pytest.raises(ValueError, match="tenant"):
        Series("exposure_score", (("tenant", "a\nb"),))
    with pytest.raises(KeyError):
        SERIES.tag("rbacGroupName")


def test_times_are_said_in_utc() -> None:
    """RFC 3339 with Z, and milliseconds only where there are some."""
    assert rfc3339(1_700_000_000_000) == "2023-11-14T22:13:20Z"
    assert rfc3339(1_700_000_000_007) == "2023-11-14T22:13:20.007Z"


def test_a_series_that_proved_itself_is_the_same_as_one_that_was_made() -> None:
    """Read back, a series is equal to the one that was written, in every way that a series is used."""
    read = Series.proven(["exposure_score", "tenant", "contoso"])
    assert (read, hash(read), repr(read), {SERIES: 1}[read]) == (SERIES, hash(SERIES), repr(SERIES), 1)
    assert pickle.loads(pickle.dumps(read)) == SERIES  # noqa: S301 - its own
