"""The score card as a page: its figures are the facts', names are texts, and it says what is missing, late or wrong."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from fakes import group, score
from hypothesis import given, settings
from hypothesis import strategies as st
from leaks import want_none
from parsed import Parsed
from test_web import Known
from views import DAY, HOUR, NOW, Kept, derived, hourly, kept

from collector.history import Card, Group, Note, Standing
from collector.history.drawing import Row, Stroke
from collector.history.view import SHOWN, Poll, View
from collector.history.words import moved, said
from collector.journal import Journal
from collector.point import NO_ID, Point, Series, Value
from collector.web import Web, card
from collector.web.links import Asked
from collector.web.markup import one_line

HOSTILE = "<script>alert(1)</script>\"' onload=x&amp; \u202egnp.exe"
UNKNOWN = "\N{EN DASH}"
NAMES = ["Servers", "日本支社", HOSTILE]


@contextmanager
def served(facts: Known) -> Iterator[httpx.Client]:
    """Serve the pages over facts."""
    web = Web("127.0.0.1", 0, (), facts)
    web.start()
    try:
        with httpx.Client(base_url=web.url, trust_env=False, timeout=30) as client:
            yield client
    finally:
        web.stop()


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journal]:
    """Forty days of a tenant of three groups, one of them hostile, with a note and a break."""
    folder = tmp_path_factory.mktemp("card")
    notes = [
        Note(id="n1", at=NOW - 3 * DAY, kind="note", tenant="contoso", title="Gateways <b>patched</b>", text="a & b"),
        Note(id="b1", at=NOW - 30 * DAY, kind="break", tenant="contoso", title="New model"),
    ]
    with kept(folder / "journal.db", [*hourly(40, NAMES), *(note.point() for note in notes)]) as journal:
        yield derived(journal)


@pytest.fixture(scope="module")
def pages(journal: Journal) -> Iterator[httpx.Client]:
    """A client of the pages over that journal."""
    with served(Kept(journal)) as client:
        yield client


def text(answer: httpx.Response) -> str:
    """Return what a page says, without its markup."""
    return Parsed(answer.text).said


def polls(at: int, ok: int, error: str = "") -> Sequence[Point]:
    """Return what is kept of a poll of both subjects."""
    fields: dict[str, Value] = {"ok": ok, "seconds": 0.5, "points": 1, "tries": 1, "throttled": 0, "error": error}
    return [
        Point(Series("collector_poll", (("tenant", "contoso"), ("subject", subject), ("collector", "h"))), at, fields)
        for subject in ("organization", "device_groups")
    ]


@pytest.mark.parametrize("days", [7, 30, 90, 365, None])
def test_every_figure_is_the_facts(journal: Journal, pages: httpx.Client, days: int | None) -> None:
    """Score, level, changes, spikes, groups and the table of days: what the facts say, in each range."""
    view = Kept(journal).view("contoso", days, None, 0)
    assert view is not None
    assert view.standing is not None
    answer = pages.get("/", params={"days": days or "all"})
    assert answer.status_code == 200
    body = text(answer).replace("\N{MINUS SIGN}", "-")
    changes = [moved(getattr(view.standing, f"change_{span}"), UNKNOWN) for span in ("1d", "7d", "30d")]
    assert f"{said(view.standing.score)} {view.standing.level} 30 to 70" in body
    assert "1 day {} 7 days {} 30 days {}".format(*changes) in body
    for group_ in view.card.groups:
        standing = group_.standing
        its = [moved(getattr(standing, f"change_{span}"), UNKNOWN) for span in ("1d", "7d", "30d")]
        name = re.escape(one_line(group_.name))
        assert re.search(
            rf"{name}( spike)? {standing.level} {said(standing.score)} {' '.join(map(re.escape, its))}", body
        )
    rows = [
        f"{said(row.low)} {said(row.high)} {said(row.last)} {UNKNOWN if row.usual is None else said(row.usual)}"
        for row in view.rows
    ]
    assert len(rows) > 5
    assert all(row in body for row in rows)
    (spike,) = view.own
    assert f"the organization {moved(spike.rise)} , from the usual {said(spike.baseline)} to {said(spike.peak)}" in body
    assert len(answer.content) < 300_000


def test_a_change_across_a_break_is_marked_for_eyes_and_ears(journal: Journal, tmp_path: Path) -> None:
    """A sign that the foot explains, words for a screen reader, and no colour: it is neither better nor worse."""
    at = [NOW - 30 * DAY, NOW - 2 * DAY, NOW]
    new = Note(id="b2", at=NOW - 2 * DAY, kind="break", tenant="contoso", title="New model")
    points = [score("contoso", time, 40.0 + place) for place, time in enumerate(at)]
    with kept(tmp_path / "journal.db", [*points, new.point()]) as own, served(Kept(own)) as client:
        page = client.get("/")
    marked = '<span title="reaches across a break: not comparable" class="same">+2.0<span aria-hidden="true">*</span>'
    assert f'<dt>30 days</dt><dd>{marked}<span class="unseen">, across a break</span></span></dd>' in page.text
    assert "* reaches across a break: not comparable." in text(page)
    with served(Kept(journal)) as client:
        assert "reaches across" not in client.get("/").text


def test_a_group_opens_by_its_link(journal: Journal, pages: httpx.Client) -> None:
    """Each group's link leads to its own page, in the same range, with its score and its own spike; and back."""
    front = pages.get("/?days=30").text
    for group_ in Kept(journal).view("contoso", 30, None, 0).card.groups:  # type: ignore[union-attr]
        links = [link.replace("&amp;", "&") for link in re.findall(r'href="(/\?tenant=[^"]*)"', front)]
        opened = [pages.get(link) for link in dict.fromkeys(links)]
        titles = [answer.text for answer in opened if f"<small>id {group_.id}</small>" in answer.text]
        assert len(titles) == 1
        assert said(group_.standing.score) in titles[0]
        assert '<a href="/?tenant=contoso&amp;days=30">' in titles[0]
        assert "The last 30 days" in titles[0]


def test_no_name_becomes_markup(pages: httpx.Client) -> None:
    """A group or a note that is called like a script is shown as it is called, and turns no direction."""
    for page in (pages.get("/").text, pages.get("/", params={"group": HOSTILE}).text):
        assert "<script" not in page
        assert "\u202e" not in page
        assert "<b>" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#x27; onload=x&amp;amp; gnp.exe" in page
        assert "Gateways &lt;b&gt;patched&lt;/b&gt;" in page


def test_nothing_on_a_page_runs_or_is_loaded(pages: httpx.Client) -> None:
    """The policy lets in the page's own style by its hash; there is no script, no handler, no address elsewhere."""
    for path in ("/", "/?days=all", "/?group=Servers", "/?days=2"):
        answer = pages.get(path)
        policy = answer.headers.get_list("Content-Security-Policy")
        assert len(policy) == 1
        assert policy[0].startswith("default-src 'none'; style-src 'sha256-")
        assert "unsafe" not in policy[0]
        assert answer.headers["Refresh"] == "300"
        page = Parsed(answer.text)
        assert {name for name, _ in page.elements}.isdisjoint(
            {"script", "iframe", "form", "img", "object", "foreignobject"}
        )
        for _, attributes in page.elements:
            assert not any(name == "style" or name.startswith("on") for name in attributes)
            target = attributes.get("href") or attributes.get("src") or "/"
            assert re.match(r"/|#main\Z|data:image/svg\+xml,", target)


@pytest.mark.parametrize(
    "query",
    ["days=2", "days=", "page=0", "page=x", "page=99999999", "tenant=other", "group=nobody", "tenant=contoso&group="],
)
def test_what_is_not_there_is_said_with_a_way_back(pages: httpx.Client, query: str) -> None:
    """An unknown range, page, tenant or group is 404, and its page leads to the card."""
    answer = pages.get(f"/?{query}")
    assert answer.status_code == 404
    assert '<a href="/">Back to the score card</a>' in answer.text


def test_an_empty_journal_says_that_the_first_poll_is_awaited(tmp_path: Path) -> None:
    """Before the first poll there is a page, with no figure on it."""
    with kept(tmp_path / "journal.db", []) as journal, served(Kept(journal)) as pages:
        for range_ in ("7", "all"):
            answer = pages.get("/", params={"days": range_})
            assert answer.status_code == 200
            assert "The first poll is awaited" in text(answer)
            assert "<svg" not in answer.text


def test_one_point_is_a_card(tmp_path: Path) -> None:
    """After the first poll the score stands there, each change as not known, and a chart of one point."""
    with kept(tmp_path / "journal.db", [score("contoso", NOW, 29.96)]) as journal, served(Kept(journal)) as pages:
        for range_ in ("7", "365", "all"):
            said_ = text(pages.get("/", params={"days": range_}))
            assert "29.9 low under 30" in said_
            assert f"1 day {UNKNOWN} 7 days {UNKNOWN} 30 days {UNKNOWN}" in said_


def test_a_late_poll_says_since_when_and_why(tmp_path: Path) -> None:
    """Four hours after the newest score the page says, for each subject, of when it is and what the last poll met."""
    old = NOW - 4 * HOUR
    points = [score("contoso", old), group("contoso", "g", old), *polls(old, 1), *polls(NOW, 0, "Unauthorized")]
    with kept(tmp_path / "journal.db", points) as journal, served(Kept(journal)) as pages:
        said_ = text(pages.get("/"))
    for subject in ("The organization's score", "The groups' scores"):
        assert re.search(
            rf"{subject}: late, the newest one is of 2023-11-14 18:00\. The last poll, of"
            r" 2023-11-14 22:00, failed: Unauthorized \. See exposure-collector check",
            said_,
        ), said_
    assert "Last poll 2023-11-14 22:00 UTC, failed" in said_


def test_polls_that_go_well_are_said_in_a_line(tmp_path: Path) -> None:
    """Where nothing is late there is no alarm, and when the last poll was."""
    with (
        kept(tmp_path / "journal.db", [score("contoso", NOW), *polls(NOW, 1)]) as journal,
        served(Kept(journal)) as pages,
    ):
        answer = pages.get("/")
    assert "Last poll 2023-11-14 22:00 UTC, went well" in text(answer)
    assert 'class="alert"' not in answer.text


def test_several_tenants_are_ranked(tmp_path: Path) -> None:
    """With several tenants the first page has them, the most exposed first, each with a link to its own."""
    points = [score("low", NOW, 12.0), score("high", NOW, 80.5), score("late", NOW - DAY, 50.0)]
    tenants = ["low", "high", "late", "never"]
    with kept(tmp_path / "journal.db", points) as journal, served(Kept(journal, tenants)) as pages:
        answer = pages.get("/?days=7")
        names = re.findall(r'<th scope="row"><a href="/\?tenant=(\w+)&amp;days=7">', answer.text)
        assert names == ["high", "late", "low", "never"]
        assert "late late medium 50.0" in text(answer)
        assert "never polled" in text(answer)
        assert pages.get("/?tenant=high").status_code == 200
        assert 'href="/"' in pages.get("/?tenant=high").text


def test_many_groups_are_shown_page_by_page(tmp_path: Path) -> None:
    """Of more groups than a page has each is on one of them, and no page is over 300 KB."""
    count = 2 * SHOWN + 30
    points = [group("contoso", f"group {n}", slot, n % 100, str(n)) for n in range(count) for slot in (NOW - DAY, NOW)]
    with kept(tmp_path / "journal.db", [score("contoso", NOW), *points]) as journal, served(Kept(journal)) as pages:
        path, seen = "/", []
        while path:
            answer = pages.get(path)
            assert len(answer.content) < 300_000
            seen += re.findall(r"<bdi>(group \d+)</bdi></a>", answer.text)
            following = re.search(r'<a href="([^"]*)" rel="next">', answer.text)
            path = following[1].replace("&amp;", "&") if following else ""
    assert sorted(seen) == sorted(f"group {n}" for n in range(count))


def test_a_journal_that_fails_is_a_page_that_says_so() -> None:
    """Without a readable journal the card is 503, with the reason and what to do."""
    facts = Known()
    facts.readable = False
    facts.tenants = lambda: ["contoso"]  # type: ignore[method-assign]
    with served(facts) as pages:
        answer = pages.get("/")
    assert answer.status_code == 503
    assert "disk I/O error. look at the disk" in text(answer)
    want_none("a page", answer.content)


def test_beyond_loopback_there_is_no_card_without_a_token(journal: Journal) -> None:
    """Where the service says so, the card's page tells what it takes, and nothing of the scores."""
    web = Web("127.0.0.1", 0, (), Kept(journal), card_served=False)
    web.start()
    answer = httpx.get(web.url, trust_env=False)
    web.stop()
    assert answer.status_code == 403
    assert "web.token_file" in answer.text
    assert "contoso" not in answer.text


def test_a_tenant_that_left_the_settings_is_still_shown(journal: Journal) -> None:
    """What was kept of it has its page, which says so."""
    with served(Kept(journal, ["other"])) as pages:
        assert "no longer in the settings" in text(pages.get("/?tenant=contoso"))


@settings(deadline=None)  # a name of 60,000 characters takes its time on a busy machine
@given(
    st.lists(
        st.text(min_size=1, max_size=200) | st.sampled_from([HOSTILE, "\ud800", "(long)", "\u2069\u202e"]),
        min_size=1,
        max_size=4,
        unique=True,
    )
)
def test_whatever_things_are_called_a_page_has_the_same_elements(names: list[str]) -> None:
    """Tenants, groups, notes and errors by any name: the page has the elements that it has for plain ones."""
    # Drawn as a word: what is drawn is said, and Hypothesis won't say so much.
    names = ["x" * 60_000 if name == "(long)" else name for name in names]
    plain, hostile = (Parsed(_named(each)) for each in ([f"n{n}" for n, _ in enumerate(names)], names))
    wanted, found = ([name for name, _ in page.elements] for page in (plain, hostile))
    links = found.count("a")
    assert [name for name in found if name != "a"] == [name for name in wanted if name != "a"]
    # A group whose address would be too long for a server has none.
    assert wanted.count("a") - len(names) <= links <= wanted.count("a")


def _named(names: Sequence[str]) -> str:
    standing_ = Standing(score=41.5, at=NOW, change_1d=None, change_7d=-1.0, change_30d=2.0)
    groups = [Group(name=name, id=NO_ID, standing=standing_) for name in names]
    notes = [
        Note(id=name, at=NOW - DAY, kind=name, tenant="t", group=name, title=name, text=f"-{name}") for name in names
    ]
    found = View(
        card=Card(tenant=names[0], standing=standing_, groups=groups, notes=notes, late=["organization"]),
        group=None,
        since=NOW - 7 * DAY,
        until=NOW,
        strokes=[Stroke(NOW - DAY, NOW, 41.5, 42.0)],
        rows=[Row(NOW - DAY, NOW, 41.5, 42.0, 41.5, None)],
        polls=[Poll(subject="organization", at=NOW, ok=False, error=names[-1])],
        shown=groups,
    )
    return card.card(found, Asked(), several=True, former=False)
