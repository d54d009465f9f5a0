"""collector.defender's logins: each describes itself once for many tenants, and whoever is refused is told the same."""

from collections.abc import Callable, Iterator, Mapping
from typing import Self

import pytest
from origins import Authority, Origin, Reply, Request
from sign_ins import refuse
from tenants import SECRET, always, as_json, settings

from collector.defender.auth import Auth
from collector.defender.clouds import endpoints
from collector.defender.sign_in import Logins
from collector.errors import CollectorError, Unauthorized
from collector.http import Http

ONE, OTHER = (f"{digit * 8}-1111-1111-1111-111111111111" for digit in "12")
PORTAL = Reply(b"<html>Welcome to the hotel</html>", 200, {"Content-Type": "text/html"})


class Login:
    """A login of many tenants. `discover` and `say` may be replaced; `asked` has what was asked, in order."""

    def __init__(self, authority: Authority) -> None:
        self.origin = Origin(lambda request, _: self._talk(request), authority.context())
        self.asked: list[tuple[str, str]] = []
        self.discover: Callable[[str], Reply | None] = self.usual
        self.say: Callable[[str], Reply | None] = always(as_json({"access_token": "t", "expires_in": 3600}))
        self._http = Http(authority.pem)

    def usual(self, tenant: str, **otherwise: str) -> Reply | None:
        """Return what Microsoft's discovery says."""
        url = f"{self.origin.url}/{tenant}"
        names = {"issuer": "", "authorization_endpoint": "/oauth2", "token_endpoint": "/oauth2"}
        ends = {"issuer": "/v2.0", "authorization_endpoint": "/v2.0/authorize", "token_endpoint": "/v2.0/token"}
        return as_json({name: f"{url}{path}{ends[name]}" for name, path in names.items()} | otherwise)

    def sign_in(self, tenant: str, logins: Logins) -> CollectorError | None:
        """Sign a tenant in; return what that failed of."""
        its = settings(self.origin.url, tenant_id=tenant)
        try:
            Auth("contoso", its, endpoints(its), self._http, logins=logins).sign_in(10)
        except CollectorError as error:
            return error
        return None

    def __enter__(self) -> Self:
        self.origin.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()
        self.origin.__exit__()

    def _talk(self, request: Request) -> Reply | None:
        _, tenant, *path = request.target.split("/")
        self.asked.append((tenant, path[-1]))
        return self.discover(tenant) if path[-1] == "openid-configuration" else self.say(tenant)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture(name="login")
def _login(authority: Authority) -> Iterator[Login]:
    with Login(authority) as login:
        yield login


def test_a_login_describes_itself_once_for_all_tenants(login: Login) -> None:
    """The first tenant asks where tokens are given; whoever comes then, and comes again, asks for the token alone."""
    logins = Logins()
    assert [login.sign_in(tenant, logins) for tenant in (ONE, OTHER, ONE)] == [None, None, None]
    assert login.asked == [(ONE, "openid-configuration"), (ONE, "token"), (OTHER, "token"), (ONE, "token")]


def test_what_is_known_of_a_login_is_known_under_one_trust(login: Login) -> None:
    """Who trusts other certificates asks for himself."""
    for logins in (Logins(), Logins()):
        assert login.sign_in(ONE, logins) is None
    assert login.asked == [(ONE, "openid-configuration"), (ONE, "token")] * 2


@pytest.mark.parametrize("name", ["issuer", "authorization_endpoint", "token_endpoint"])
def test_whom_a_login_describes_otherwise_asks_each_time(login: Login, name: str) -> None:
    """A login of another kind, or one that calls the tenant otherwise, is asked as often as somebody signs in."""
    login.discover = lambda tenant: login.usual(tenant, **{name: f"{login.origin.url}/of-another-kind/token"})
    logins = Logins()
    for _ in range(2):
        login.sign_in(ONE, logins)
    assert login.asked == [(ONE, "openid-configuration"), (login.asked[1][0], "token")] * 2


REFUSALS: Mapping[str, Reply] = {
    "not known": refuse(90002, 400),
    "a wrong secret": refuse(7000215),
    "unheard of": refuse(900439, 400),
    "a portal": PORTAL,
    "nothing there": Reply(b"", 404),
}


@pytest.mark.parametrize("token", REFUSALS.values(), ids=REFUSALS)
@pytest.mark.parametrize("discovery", ["usual", "elsewhere", "not known", "a portal", "gone"])
def test_whoever_is_refused_is_told_what_discovery_would_have_told(login: Login, discovery: str, token: Reply) -> None:
    """A refusal reads the same, whether the login was asked to describe itself before the secret was sent or after."""
    careful, quick = Logins(), Logins()
    assert login.sign_in(ONE, quick) is None
    login.say = always(token)
    says: Mapping[str, Callable[[str], Reply | None]] = {
        "usual": login.usual,
        "elsewhere": lambda tenant: login.usual(tenant, token_endpoint="https://login.example/t/oauth2/v2.0/token"),
        "not known": always(refuse(90002, 400)),
        "a portal": always(PORTAL),
        "gone": always(Reply(b"", 503)),
    }
    login.discover = says[discovery]
    login.asked.clear()
    told = login.sign_in(OTHER, quick)
    assert login.asked == [(OTHER, "token"), (OTHER, "openid-configuration")]
    assert isinstance(told, Unauthorized)
    # Where discovery has nothing to say now, the refusal that there is is told.
    login.discover = login.usual if discovery == "gone" else login.discover
    before = login.sign_in(OTHER, careful)
    assert (type(told), str(told), told.mend) == (type(before), str(before), before.mend if before else "")


def test_after_a_tenant_of_another_cloud_was_refused_nothing_secret_is_sent_for_it(login: Login) -> None:
    """Of a tenant that belongs to another login the settings' one is sent a secret once, and no other anything."""
    logins = Logins()
    assert login.sign_in(ONE, logins) is None
    login.discover = lambda tenant: login.usual(tenant, token_endpoint="https://login.example/t/oauth2/v2.0/token")
    login.say = always(refuse(900439, 400))
    for _ in range(2):
        error = login.sign_in(OTHER, logins)
        assert "names another origin, login.example" in str(error)
    assert login.asked[2:] == [(OTHER, "token"), (OTHER, "openid-configuration"), (OTHER, "openid-configuration")]


def test_a_tenant_whose_tokens_are_given_elsewhere_at_the_same_login_is_signed_in(login: Login) -> None:
    """Refused where others get theirs it is asked for, and signs in there, at once and from then on."""
    logins = Logins()
    assert login.sign_in(ONE, logins) is None
    login.discover = lambda tenant: login.usual(tenant, token_endpoint=f"{login.origin.url}/elsewhere/v2.0/token")
    login.say = lambda tenant: Reply(b"", 404) if tenant == OTHER else as_json({"access_token": "t"})
    asked, given = (OTHER, "openid-configuration"), ("elsewhere", "token")
    assert login.sign_in(OTHER, logins) is None
    assert login.asked[2:] == [(OTHER, "token"), asked, asked, given]
    assert login.sign_in(OTHER, logins) is None
    assert login.asked[6:] == [asked, given]


def test_who_is_refused_there_too_is_told_so_and_asked_for_no_more(login: Login) -> None:
    """The second refusal stands: a login that names ever other places is not followed."""
    logins = Logins()
    assert login.sign_in(ONE, logins) is None
    login.discover = lambda tenant: login.usual(tenant, token_endpoint=f"{login.origin.url}/{len(login.asked)}/token")
    login.say = always(refuse(7000215))
    assert isinstance(login.sign_in(OTHER, logins), Unauthorized)
    assert [path for _, path in login.asked[2:]] == ["token", *["openid-configuration"] * 2, "token"]


def test_a_login_that_describes_itself_by_the_secret_it_was_sent_is_not_quoted(login: Login) -> None:
    """Asked after the secret was sent it could repeat it: the words of its refusal are shown without."""
    logins = Logins()
    assert login.sign_in(ONE, logins) is None
    login.say = always(refuse(7000215))
    login.discover = always(refuse(900439, 400, f"AADSTS900439: {SECRET} is known of nobody"))
    told = str(login.sign_in(OTHER, logins))
    assert "AADSTS900439: … is known of nobody" in told
    assert SECRET not in told
