"""What the tests from outside share: a simulated tenant a file, well again after each test."""

from collections.abc import Iterator

import pytest
from system.blackbox import Simulated


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    """One tenant of two groups."""
    with Simulated(tmp_path_factory.mktemp("simulated"), "--groups", "2") as simulated:
        yield simulated


@pytest.fixture(autouse=True)
def healed(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every fault is taken back after each test."""
    simulated = request.getfixturevalue("simulated") if "simulated" in request.fixturenames else None
    yield
    if simulated:
        simulated.heal()
