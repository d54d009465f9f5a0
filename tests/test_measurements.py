"""The schema in code is the golden schema that people read."""

import tomllib
from pathlib import Path

import pytest

from collector.measurements import MEASUREMENTS, kind
from collector.point import Value

GOLDEN = tomllib.loads((Path(__file__).parents[1] / "config" / "measurements.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", GOLDEN)
def test_the_code_knows_each_measurement_as_the_golden_schema_has_it(name: str) -> None:
    """Its tags in their order, its fields in their order, and their types."""
    golden, known = GOLDEN[name], MEASUREMENTS[name]
    assert list(known.tags) == golden["tags"]
    assert list(known.fields.items()) == list(golden["fields"].items())
    assert known.optional <= known.fields.keys()


@pytest.mark.parametrize(("value", "expected"), [(5.0, "float"), (5, "int"), ("5", "string"), ("", "string")])
def test_a_value_tells_its_type(value: Value, expected: str) -> None:
    """5.0 is a float, and 5 is an int."""
    assert kind(value) == expected
