"""collector.defender: one tenant asked over real TLS, status by status and page by page."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from unittest.mock import Mock

import pytest
import structlog
from origins import Authority, Origin, Reply, Request
from tenants import FakeTenant, always, as_json, jwt, payload

from collector.defender import Defender
from collector.defender.pages import MAX_PAGES
from collector.errors import BadResponse, JournalError, Unauthorized, Unavailable
from collector.http import Http
from collector.point import Point
from collector.step import Step

SLOT = 1_782_903_600_000
ARRIVED = 1_782_903_603_000_000_000
TARGET = "8f3a1c52-6f0e-4f7a-9d3c-2b1e0a9c7d64"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture(name="authority", scope="module")
def _authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(name="fake")
def _fake(authority: Authority) -> Iterator[FakeTenant]:
    fake = FakeTenant(authority)
    with fake.origin:
        yield fake


@pytest.fixture(name="http")
def _http(authority: Authority) -> Iterator[Http]:
    http = Http(authority.pem)
    yield http
    http.close()


@pytest.fixture(name="make")
def _make(fake: FakeTenant, http: Http) -> Callable[..., Defender]:
    def make(known_ids: Callable[[], Mapping[str, str]] = dict, **settings: Any) -> Defender:
        return Defender("contoso", fake.settings(**settings), http, known_ids, clock=lambda: ARRIVED)

    return make


@pytest.fixture(name="defender")
def _defender(make: Callable[..., Defender]) -> Defender:
    return make()


def poll(defender: Defender, subject: str, slot: int = SLOT) -> list[Point]:
    """Return a whole poll's points."""
    asking = defender.ask(subject, slot)
    for _ in range(3 * MAX_PAGES):
        match asking.step(10):
            case Step.DONE:
                return list(asking.points)
            case Step.SIGN_IN:
                defender.sign_in(10)
    raise AssertionError("it has no end")


def failed(defender: Defender, subject: str = "organization") -> tuple[Unavailable | BadResponse, list[Point]]:
    """Return the error that a poll ends with, and the points that it has by then."""
    asking = defender.ask(subject, SLOT)
    while True:
        try:
            step = asking.step(10)
        except (Unavailable, BadResponse) as error:
            return error, list(asking.points)
        assert step is not Step.DONE
        if step is Step.SIGN_IN:
            defender.sign_in(10)


def tags(point: Point) -> tuple[str, ...]:
    """Return the group's name and id."""
    return point.series.tag("rbacGroupName"), point.series.tag("rbacGroupId")


def rows(*found: Any, **more: Any) -> Reply:
    """Return a list of groups as the API has it."""
    return as_json({"value": list(found), **more})


def group(name: object, score: object = 1, **more: object) -> dict[str, object]:
    """Return a group's row."""
    return {"time": "2026-07-01T12:00:00.1Z", "score": score, "rbacGroupName": name, **more}


def said(code: str, status: int, **headers: str) -> Reply:
    """Return an error as the API has it."""
    return as_json({"error": {"code": code, "message": "s3cret words", "target": TARGET}}, status, **headers)


def test_a_poll_is_one_request_with_the_token(fake: FakeTenant, defender: Defender) -> None:
    """Each subject is one GET at its address, with the token; its points carry the slot."""
    answers = {
        "organization": ("/api/exposureScore", "exposureScore.json"),
        "device_groups": ("/api/exposureScore/ByMachineGroups", "ByMachineGroups.json"),
        "device_secure_score": ("/api/configurationScore", "configurationScore.json"),
    }
    assert defender.tenant == "contoso"
    for subject, (target, file) in answers.items():
        fake.answers(Reply(payload(file)))
        points = poll(defender, subject)
        assert {point.time for point in points} == {SLOT}
        assert {point.series.tag("tenant") for point in points} == {"contoso"}
        request = fake.asked[-1]
        assert (request.method, request.target) == ("GET", target)
        assert request.headers["authorization"] == f"Bearer {fake.entra.given[0]}"
    assert len(fake.asked) == 3
    assert len(fake.entra.asked) == 1


def test_without_a_token_a_step_asks_nothing(fake: FakeTenant, defender: Defender) -> None:
    """Before the first sign-in a step makes no exchange, and says what it needs."""
    asking = defender.ask("organization", SLOT)
    assert [asking.step(10), asking.step(10)] == [Step.SIGN_IN, Step.SIGN_IN]
    assert fake.origin.requests == []
    assert asking.points == []


def test_an_unknown_subject_is_refused(defender: Defender) -> None:
    """Only the subjects of the settings can be asked."""
    with pytest.raises(KeyError):
        defender.ask("recommendations", SLOT)


def test_the_first_401_is_answered_with_a_new_token(fake: FakeTenant, defender: Defender) -> None:
    """A refused token is forgotten, a new one is fetched, and the same page is asked again."""
    replies = [said("Unauthorized", 401), Reply(payload("exposureScore.json"))]
    fake.answers(*replies)
    assert len(poll(defender, "organization")) == 1
    first, second = [request.headers["authorization"] for request in fake.asked]
    assert first != second
    assert len(fake.entra.given) == 2


def test_a_second_401_is_a_persons_to_mend(fake: FakeTenant, defender: Defender) -> None:
    """Two tokens refused in a row are Unauthorized, with Microsoft's code and correlation id."""
    fake.answers(said("Unauthorized", 401))
    error, points = failed(defender)
    assert isinstance(error, Unauthorized)
    assert re.fullmatch(rf"127.0.0.1:\d+/api/exposureScore: 401 Unauthorized: .* \(target {TARGET}\)", str(error))
    assert "scope" in error.mend
    assert points == []
    assert len(fake.asked) == 2
    assert defender.ask("organization", SLOT).step(10) is Step.SIGN_IN


def test_each_page_may_need_a_new_token(fake: FakeTenant, defender: Defender) -> None:
    """A token that dies between two pages costs a sign-in, not the poll."""
    replies = [
        said("Unauthorized", 401),
        rows(group("A"), **{"@odata.nextLink": "?$skip=1"}),
        said("Unauthorized", 401),
        rows(group("B")),
    ]
    fake.answers(*replies)
    assert [tags(point)[0] for point in poll(defender, "device_groups")] == ["A", "B"]
    assert len(fake.entra.given) == 3


@pytest.mark.parametrize(
    ("claims", "needed", "has"),
    [
        ({}, "Score.Read.All is needed", "the token has no roles"),
        (
            {"roles": ["Machine.Read.All", "Alert.Read.All"]},
            "Score.Read.All is needed",
            "roles Machine.Read.All, Alert.Read.All",
        ),
        ({"roles": ["Score.Read.All"]}, "Score.Read.All is needed", "the token has the roles Score.Read.All"),
        ({"scp": "Score.Read"}, "Score.Read.All is needed", "the token has no roles"),
        ({"roles": 7}, "Score.Read.All is needed", "the token has no roles"),
    ],
)
def test_a_403_says_which_permission_is_missing(
    fake: FakeTenant, defender: Defender, claims: dict[str, Any], needed: str, has: str
) -> None:
    """A 403 names the permission that is needed, those that the token has, the correlation id, and consent as mend."""
    fake.entra.claims = claims
    fake.answers(Reply(payload("403.json"), 403))
    error, _ = failed(defender)
    assert isinstance(error, Unauthorized)
    assert ": 403 Forbidden: " in str(error)
    for words in (needed, has, f"target {TARGET}"):
        assert words in str(error)
    assert "grant admin consent" in error.mend


def test_a_token_that_cannot_be_read_has_no_permissions_to_name(fake: FakeTenant, defender: Defender) -> None:
    """An opaque token is no hindrance to saying what is needed."""
    fake.entra.say = always(as_json({"access_token": "opaque", "expires_in": 3600}))
    fake.answers(Reply(b"<html>", 403))
    error, _ = failed(defender)
    assert "403: Score.Read.All is needed, and the token has no roles" in str(error)


def test_a_permission_that_is_granted_counts_at_the_next_try(fake: FakeTenant, defender: Defender) -> None:
    """A token without the permission is forgotten, one that has it is kept: a grant shows without waiting an hour."""
    fake.entra.claims = {}
    fake.answers(Reply(payload("403.json"), 403))
    failed(defender)
    fake.entra.claims = {"roles": ["Score.Read.All"]}
    failed(defender)
    failed(defender)
    assert len(fake.entra.given) == 2


def test_a_disabled_feature_is_a_missing_product(fake: FakeTenant, defender: Defender) -> None:
    """A tenant without the product is told so."""
    fake.answers(said("DisabledFeature", 403))
    error, _ = failed(defender)
    assert isinstance(error, Unauthorized)
    assert "403 DisabledFeature" in str(error)
    assert "the tenant lacks the product" in str(error)
    assert "licence" in error.mend


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 404, 405, 407, 409, 410, 418])
def test_what_the_api_never_answers_is_a_wrong_host_or_a_proxy(
    fake: FakeTenant, defender: Defender, status: int
) -> None:
    """A redirect, a 404 and their like are Unauthorized: they say which host was asked, and nothing is followed."""
    fake.answers(said("NotFound", status, Location="/login"))
    error, _ = failed(defender)
    assert isinstance(error, Unauthorized)
    assert f"127.0.0.1:{fake.origin.port}/api/exposureScore: {status} NotFound" in str(error)
    assert TARGET in str(error)
    for word in ("cloud", "host", "proxy"):
        assert word in error.mend
    assert len(fake.asked) == 1


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 599])
def test_what_passes_is_asked_again_later(fake: FakeTenant, defender: Defender, status: int) -> None:
    """Throttling and failures of the server are Unavailable, with the wait that was asked for, and no person called."""
    fake.answers(said("TooManyRequests", status, Retry_After="17"))
    error, _ = failed(defender)
    assert isinstance(error, Unavailable)
    assert not isinstance(error, Unauthorized)
    assert (error.retry_after, error.throttled) == (17.0, status == 429)
    assert f"{status} TooManyRequests" in str(error)
    assert TARGET in str(error)


def test_an_error_without_the_documented_body_is_still_told(fake: FakeTenant, defender: Defender) -> None:
    """Whatever an error's body holds, the status decides, and nothing of the body's free text is shown."""
    for body in (
        b"",
        b"s3cret",
        b'{"error": "s3cret"}',
        b'{"error": {"code": 7, "target": ["s3cret"]}}',
        b"[" * 10_000,
    ):
        fake.answers(Reply(body, 503))
        error, _ = failed(defender)
        assert type(error) is Unavailable
        assert "s3cret" not in str(error)
    fake.answers(as_json({"error": {"code": "a\x1b[31m\nb" + "x" * 500, "target": "t"}}, 503))
    error, _ = failed(defender)
    assert str(error).isprintable()
    assert len(str(error)) < 300


def test_a_connection_that_breaks_is_asked_again_later(fake: FakeTenant, defender: Defender) -> None:
    """A broken connection is Unavailable."""
    fake.answers(None)
    error, _ = failed(defender)
    assert type(error) is Unavailable


@pytest.mark.parametrize("status", [200, 201, 202, 204, 206])
def test_a_success_without_json_is_a_bad_response(fake: FakeTenant, defender: Defender, status: int) -> None:
    """A portal's page and an empty body are BadResponse; nothing but 200 can bring scores."""
    fake.answers(Reply(b"" if status == 204 else b"<html>Welcome</html>", status))
    error, points = failed(defender)
    assert isinstance(error, BadResponse)
    assert f"127.0.0.1:{fake.origin.port}/api/exposureScore: " in str(error)
    assert points == []


def test_an_answer_over_the_cap_is_a_bad_response(fake: FakeTenant, defender: Defender) -> None:
    """Over 16 MiB nothing is read."""
    fake.answers(Reply(b" " * (17 << 20)))
    error, _ = failed(defender)
    assert isinstance(error, BadResponse)
    assert "16 MiB" in str(error)


def test_a_bad_organization_keeps_its_score(fake: FakeTenant, defender: Defender) -> None:
    """A score with an unreadable time is kept, with the moment of the answer, and the poll is not ok."""
    fake.answers(as_json({"score": 41, "time": "soon"}))
    error, [point] = failed(defender)
    assert isinstance(error, BadResponse)
    assert point.fields == {"score": 41.0, "api_time": ARRIVED}


def test_pages_are_asked_one_a_step(fake: FakeTenant, defender: Defender) -> None:
    """A list of several pages is one exchange a step, and its points are those of all pages."""

    def page(request: Request) -> Reply:
        number = int(request.target.partition("$skip=")[2] or 0)
        more = {"@odata.nextLink": f"{fake.url}/api/exposureScore/ByMachineGroups?$skip={number + 1}"}
        return rows(group(f"G{number}", number), **(more if number < 4 else {}))

    fake.api = page
    defender.sign_in(10)
    asking = defender.ask("device_groups", SLOT)
    assert [asking.step(10) for _ in range(5)] == [Step.MORE] * 4 + [Step.DONE]
    assert [(tags(point)[0], point.fields["score"]) for point in asking.points] == [
        (f"G{n}", float(n)) for n in range(5)
    ]


def test_a_next_page_on_another_host_of_the_cloud_is_asked_at_home(fake: FakeTenant, defender: Defender) -> None:
    """A link to the cloud's own name for itself keeps its path and query, and goes where the settings say."""
    link = "https://api.securitycenter.microsoft.com/api/exposureScore/ByMachineGroups?$skiptoken=x%2Fy"
    replies = [rows(group("A"), **{"@odata.nextLink": link}), rows(group("B"))]
    fake.answers(*replies)
    assert len(poll(defender, "device_groups")) == 2
    assert fake.asked[1].target == "/api/exposureScore/ByMachineGroups?$skiptoken=x%2Fy"


@pytest.mark.parametrize("form", ["{evil}/api/x", "//{host}/api/x", "https://127.0.0.1:{home}@{host}/api/x"])
def test_no_token_ever_reaches_another_origin(
    fake: FakeTenant, defender: Defender, authority: Authority, form: str
) -> None:
    """A hostile link ends the poll; the other origin hears nothing at all, and the points of the pages before stay."""
    with Origin(lambda *_: rows(group("B")), authority.context()) as evil:
        link = form.format(evil=evil.url, host=f"127.0.0.1:{evil.port}", home=fake.origin.port)
        fake.answers(rows(group("A"), **{"@odata.nextLink": link}))
        error, points = failed(defender, "device_groups")
        assert isinstance(error, BadResponse)
        assert "leads elsewhere" in str(error)
        assert [tags(point)[0] for point in points] == ["A"]
        assert (evil.requests, evil.connections) == ([], 0)


def test_a_page_that_was_asked_before_ends_the_poll(fake: FakeTenant, defender: Defender) -> None:
    """A list that turns in a circle is a BadResponse; what was collected stays."""
    links = ["?$skip=1", "?$skip=2", "?$skip=1"]
    fake.answers(*[rows(group("A"), **{"@odata.nextLink": link}) for link in links])
    error, points = failed(defender, "device_groups")
    assert isinstance(error, BadResponse)
    assert "asked before" in str(error)
    assert len(points) == 1
    assert len(fake.asked) == 3


def test_a_list_of_a_hundred_pages_is_whole_and_one_more_is_not(fake: FakeTenant, defender: Defender) -> None:
    """A hundred pages are asked; a list that goes on is a BadResponse, and keeps the points of those hundred."""
    for last in (MAX_PAGES, MAX_PAGES + 1):
        number = 0

        def page(_: Request, last: int = last) -> Reply:
            nonlocal number
            number += 1
            return rows(group(f"G{number}"), **({"@odata.nextLink": f"?$skip={number}"} if number < last else {}))

        fake.api = page
        if last == MAX_PAGES:
            assert len(poll(defender, "device_groups")) == MAX_PAGES
        else:
            error, points = failed(defender, "device_groups")
            assert isinstance(error, BadResponse)
            assert "over 100 pages" in str(error)
            assert (len(points), number) == (MAX_PAGES, MAX_PAGES)


def test_bad_rows_are_said_once_when_the_last_page_is_in(fake: FakeTenant, defender: Defender) -> None:
    """Bad rows end no poll: the last page is asked, the good points stay, the first bad rows are named, all counted."""
    pages = [
        rows(group("A"), group("B", None), group("C", "41.3"), **{"@odata.nextLink": "?$skip=3"}),
        rows(*[group(f"D{number}", True) for number in range(9)], group("E")),
    ]
    fake.answers(*pages)
    error, points = failed(defender, "device_groups")
    assert isinstance(error, BadResponse)
    assert [tags(point)[0] for point in points] == ["A", "E"]
    assert "row 2 ('B'): score is null" in str(error)
    assert "row 3 ('C'): score is text" in str(error)
    assert "page 2, row 1 ('D0'): score is a boolean" in str(error)
    assert "and 6 more" in str(error)
    assert len(fake.asked) == 2


def test_bad_rows_are_said_too_when_a_later_page_is_unusable(fake: FakeTenant, defender: Defender) -> None:
    """Where the second page is no JSON, the error speaks of it and of the bad rows of the first."""
    pages = [rows(group("A"), group("B", None), **{"@odata.nextLink": "?$skip=2"}), Reply(b"<html>")]
    fake.answers(*pages)
    error, points = failed(defender, "device_groups")
    assert "not JSON" in str(error)
    assert "row 2 ('B')" in str(error)
    assert len(points) == 1


def test_a_page_that_fails_keeps_the_points_before_it(fake: FakeTenant, defender: Defender) -> None:
    """When the second page is unavailable, the poll has to start anew, and the first page's points are still there."""
    pages = [rows(group("A"), **{"@odata.nextLink": "?$skip=1"}), said("InternalServerError", 500)]
    fake.answers(*pages)
    error, points = failed(defender, "device_groups")
    assert type(error) is Unavailable
    assert len(points) == 1


def test_of_a_group_that_comes_twice_the_last_stands_and_it_is_said_once(fake: FakeTenant, defender: Defender) -> None:
    """A repeated group is one point, the last; the log says so once a group, not once a poll."""
    fake.answers(rows(group("A", 1), group("B", 2), group("A", 3), group("A", 4)))
    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            points = poll(defender, "device_groups")
    assert {tags(point)[0]: point.fields["score"] for point in points} == {"A": 4.0, "B": 2.0}
    [line] = [line for line in logs if line["event"] == "group.repeated"]
    assert (line["log_level"], line["tenant"], line["groups"], line["count"]) == ("warning", "contoso", ["A"], 1)


def test_two_groups_of_one_name_and_two_ids_are_two(fake: FakeTenant, defender: Defender) -> None:
    """A name may be borne by two groups: their ids tell them apart."""
    fake.answers(rows(group("A", 1, rbacGroupId=1), group("A", 2, rbacGroupId="2")))
    assert [tags(point) for point in poll(defender, "device_groups")] == [("A", "1"), ("A", "2")]


def test_a_group_without_an_id_keeps_the_last_one_seen(fake: FakeTenant, make: Callable[..., Defender]) -> None:
    """The id that an answer omits is the journal's, and from then on the last one seen; else it is `none`."""
    journal = Mock(return_value={"A": "17", "B": "18"})
    defender = make(journal)
    fake.answers(rows(group("A"), group("B"), group("C")))
    assert [tags(point)[1] for point in poll(defender, "device_groups")] == ["17", "18", "none"]
    fake.answers(rows(group("A", rbacGroupId=99), group("C", rbacGroupId="x"), group("D", rbacGroupId="none")))
    poll(defender, "device_groups")
    fake.answers(rows(group("A"), group("B", rbacGroupId=None), group("C", rbacGroupId=""), group("D")))
    ids = [tags(point)[1] for point in poll(defender, "device_groups")]
    assert ids[:3] == ["99", "18", "x"]
    assert ids[3].startswith("none~")
    journal.assert_called_once_with()


def test_a_journal_that_cannot_be_read_costs_no_score(fake: FakeTenant, make: Callable[..., Defender]) -> None:
    """While the journal's ids can't be read the score is kept without one; the next poll asks for them again."""
    answers: list[Mapping[str, str] | None] = [None, {"A": "17"}]

    def known_ids() -> Mapping[str, str]:
        if (ids := answers.pop(0)) is None:
            raise JournalError("unreadable")
        return ids

    defender = make(known_ids)
    fake.answers(rows(group("A")))
    assert [tags(point) for _ in range(3) for point in poll(defender, "device_groups")] == [
        ("A", "none"),
        ("A", "17"),
        ("A", "17"),
    ]


def test_a_steady_tenant_makes_no_new_series(fake: FakeTenant, defender: Defender) -> None:
    """The same groups have the same series from poll to poll, and those that are gone are forgotten."""
    fake.answers(rows(*[group(f"G{number}", rbacGroupId=number) for number in range(20)]))
    first, second = (poll(defender, "device_groups", SLOT + number) for number in range(2))
    assert [point.series for point in first] == [point.series for point in second]
    fake.answers(rows(group("G0", rbacGroupId=0)))
    poll(defender, "device_groups")
    assert len(defender._groups._last) == 1


def test_an_answer_as_large_as_the_cap_is_read(fake: FakeTenant, defender: Defender) -> None:
    """As many groups as 16 MiB hold become as many points."""
    count = 120_000
    row = {"time": "2026-07-01T12:00:03.2143001Z", "score": 33.491554051195706, "rbacGroupId": 1 << 40}
    body = json.dumps({"value": [{**row, "rbacGroupName": f"group {number:06}"} for number in range(count)]}).encode()
    assert 15 << 20 < len(body) < 16 << 20
    fake.answers(Reply(body))
    defender.sign_in(10)
    asking = defender.ask("device_groups", SLOT)
    assert asking.step(60) is Step.DONE
    assert len(asking.points) == count


def test_a_tenant_shares_nothing_but_connections_with_another(fake: FakeTenant, http: Http) -> None:
    """Two tenants on one Http sign in each for itself, and each asks with its own token."""
    one, two = (Defender(name, fake.settings(), http, dict) for name in ("one", "two"))
    for defender in (one, two):
        [point] = poll(defender, "organization")
        assert point.series.tag("tenant") == defender.tenant
    tokens = [jwt(number=number, roles=["Score.Read.All"]) for number in (0, 1)]
    assert [request.headers["authorization"] for request in fake.asked] == [f"Bearer {token}" for token in tokens]
