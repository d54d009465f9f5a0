"""The score card from outside: the service over 90 days of simulated history, and a real browser that looks at it."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from chromium import AXE, CHROMIUM, Chromium
from leaks import know
from parsed import Parsed
from servers import free_ports, need
from system.blackbox import Process, collector, document, until, well

RANGES = ("7", "30", "90", "365", "all")
SCREENS = {"phone": (390, 844), "desk": (1280, 900), "wall": (1920, 1080)}


class Shown(NamedTuple):
    """A service that shows a card: its address, and what `trend` says of the same journal."""

    url: str
    config: Path
    trend: dict[str, Any]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """The demo's journal, shown by a service whose tenant is gone: nothing in it moves any more."""
    folder = tmp_path_factory.mktemp("shown")
    well(collector("demo", "--seconds", "5", "--folder", folder, timeout=90))
    config = folder / "demo.toml"
    url = f"http://{tomllib.loads(config.read_text())['web']['listen']}/"
    with Process("run", "--config", config), httpx.Client(trust_env=False, timeout=30) as client:
        until(lambda: _derived(client, url), seconds=60, what="a card with all that is derived")
        yield Shown(url, config, document(collector("trend", "--config", config, "--json")))


def _derived(client: httpx.Client, url: str) -> bool:
    try:
        return "the organization +" in Parsed(client.get(url).text).said
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """A browser."""
    need(CHROMIUM)
    with Chromium(tmp_path_factory.mktemp("browser")) as browser:
        browser.screen(1280, 900)
        yield browser


def figure(score: float) -> str:
    """Return a score as it is written; none of these is next to a level's border."""
    return f"{score:.1f}"


def changes(card: dict[str, Any]) -> list[str]:
    """Return the changes of a score as they are written."""
    return [change(card, key) for key in ("change_1d", "change_7d", "change_30d")]


def change(card: dict[str, Any], key: str) -> str:
    """Return a change as it is written, and heard where it reaches across a break."""
    if card[key] is None:
        return "\N{EN DASH}"
    return f"{written(card[key])} * , across a break" if key in card["across_break"] else written(card[key])


def written(moved: float) -> str:
    """Return how far something has moved, as it is written."""
    return f"{moved:+.1f}".replace("-", "\N{MINUS SIGN}") if round(moved, 1) else "0.0"


def standing(card: dict[str, Any]) -> str:
    """Return the changes of a score as they stand in a row."""
    return " ".join(changes(card))


@pytest.mark.parametrize("range_", RANGES)
def test_the_figures_are_those_of_trend(shown: Shown, range_: str) -> None:
    """Score, level, changes, every group and every note: what `trend --json` says of the same journal."""
    said = Parsed(httpx.get(shown.url, params={"days": range_}, trust_env=False).text).said
    card = shown.trend
    assert f"{figure(card['score'])} {card['level']} 30 to 70" in said
    day, week, month = changes(card)
    assert card["across_break"] == ["change_30d"]
    assert f"1 day {day} 7 days {week} 30 days {month}" in said
    assert len(card["groups"]) == 7
    for group in card["groups"]:
        name = re.escape(group["rbacGroupName"])
        its = re.escape(f"{group['level']} {figure(group['score'])} {standing(group)}")
        assert re.search(rf"{name}( spike)? {its}", said), group
    assert len(card["annotations"]) == 1
    for note in card["annotations"]:  # of the last 30 days, as `trend` shows
        assert (note["title"] in said) == (range_ != "7")


def test_spikes_are_those_of_the_command(shown: Shown) -> None:
    """What `spikes` says stands under the chart, but for what a break has withdrawn."""
    spikes = document(collector("spikes", "--config", shown.config, "--json"))["spikes"]
    said = Parsed(httpx.get(shown.url, params={"days": "all"}, trust_env=False).text).said
    told = [spike for spike in spikes if spike["state"] != "withdrawn"]
    assert len(told) > 3
    assert [spike["rbacGroupName"] for spike in told].count("(organization)") == 1, "the new scoring model is none"
    for spike in told:
        name = "the organization" if spike["rbacGroupId"] == "none" else spike["rbacGroupName"]
        rise = (
            f"{name} {written(spike['rise'])} , from the usual {figure(spike['baseline'])} to {figure(spike['peak'])}; "
        )
        assert rise in said
    assert said.count(", from the usual ") == len(told)


def test_what_is_late_is_said_with_its_error(shown: Shown) -> None:
    """The tenant is gone: the page says of each subject since when, by which error, and what to do."""
    late = r"late, the newest one is of [\d-]+ [\d:]+\. The last poll, of [\d-]+ [\d:]+, failed: Unavailable"

    def told() -> str:
        said = Parsed(httpx.get(shown.url, trust_env=False).text).said
        return said if len(re.findall(late, said)) == 2 else ""

    page = until(told, seconds=60, what="both subjects late")
    assert "See exposure-collector check" in page


def test_ranges_and_groups_open_and_the_console_is_silent(shown: Shown, browser: Chromium) -> None:
    """In a browser each link of the page opens; nothing is said on the console, and nothing else is asked for."""
    browser.said.clear()
    browser.asked.clear()
    browser.open(shown.url)
    links: list[str] = browser.evaluate("[...document.querySelectorAll('main a')].map(link => link.href)")
    assert len(set(links)) >= len(RANGES) + 7
    for link in dict.fromkeys(links):
        browser.open(link)
        assert browser.evaluate("document.querySelector('svg.chart path.line').getTotalLength()") > 1000
        assert browser.evaluate("document.styleSheets.length") == 1
    assert browser.said == []
    served = {url for url in browser.asked if not url.startswith("data:")}
    assert all(url.startswith(shown.url) for url in served), served
    assert len(served) == len({shown.url, *links})


def test_a_keyboard_is_enough(shown: Shown, browser: Chromium) -> None:
    """Tab reaches the way past the header, then each range and group in their order; Enter opens it."""
    browser.screen(*SCREENS["desk"])
    browser.open(shown.url)
    reached = []
    for _ in range(40):
        browser.key("Tab", 9)
        focused = "document.activeElement"
        reached.append(browser.evaluate(f"{focused}.innerText.trim()"))
        outlined = f"getComputedStyle({focused}).outlineStyle + getComputedStyle({focused}, '::after').outlineStyle"
        assert "solid" in browser.evaluate(outlined)
        if reached[-1] == shown.trend["groups"][0]["rbacGroupName"]:
            break
    assert reached[0] == "Skip to the score"
    assert reached[1:6] == ["7 days", "30 days", "90 days", "365 days", "All"]
    browser.key("Enter", 13)
    browser.loaded()
    assert browser.evaluate("document.querySelector('h1 bdi').innerText") == reached[-1]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("screen", SCREENS)
def test_nothing_serious_is_in_the_way_of_anybody(shown: Shown, browser: Chromium, screen: str, *, dark: bool) -> None:
    """axe-core finds nothing serious on any screen, light or dark; nothing is wider than the screen."""
    need(str(AXE))
    width, height = SCREENS[screen]
    browser.screen(width, height, dark=dark)
    group = shown.trend["groups"][0]["rbacGroupName"]
    for query in ("", f"?group={group}", "?days=2"):
        browser.open(f"{shown.url}{query}")
        browser.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        assert browser.faults() == []
        assert browser.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("token", ["", "a token of the wall"])
def test_beyond_loopback_the_card_wants_a_token(shown: Shown, tmp_path: Path, token: str) -> None:
    """On all addresses there is no card without a token; with one it is for who brings that as a password."""
    (port,) = free_ports(1)
    copy = tmp_path / "journal.db"
    well(collector("backup", copy, "--config", shown.config))
    env = {"COLLECTOR__WEB__LISTEN": f"0.0.0.0:{port}", "COLLECTOR__JOURNAL__PATH": str(copy)}
    if token:
        (tmp_path / "web.token").write_text(know(token))
        env["COLLECTOR__WEB__TOKEN_FILE"] = str(tmp_path / "web.token")
    url = f"http://127.0.0.1:{port}/"
    with Process("run", "--config", shown.config, env=env) as service, httpx.Client(trust_env=False) as client:
        until(lambda: service.said("service.started"), what="the service")
        barred = client.get(url)
        assert barred.status_code == (401 if token else 403)
        assert "contoso" not in barred.text
        if token:
            assert "contoso" in client.get(url, auth=("anybody", token)).text
