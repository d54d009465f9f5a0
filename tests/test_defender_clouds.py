"""collector.defender.clouds and pages: who is asked, and where the next page is asked."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tenants import settings

from collector.defender.clouds import endpoints
from collector.defender.pages import MAX_LINK, following
from collector.errors import BadResponse

API = "https://api.security.microsoft.com"
PAGE = f"{API}/api/exposureScore/ByMachineGroups"
GLOBAL = endpoints(settings()).hosts


@pytest.mark.parametrize(
    ("named", "api", "login", "scope"),
    [
        ({}, API, "https://login.microsoftonline.com", "https://api.securitycenter.microsoft.com/.default"),
        (
            {"region": "eu"},
            "https://eu.api.security.microsoft.com",
            "https://login.microsoftonline.com",
            "https://api.securitycenter.microsoft.com/.default",
        ),
        (
            {"cloud": "gcc"},
            "https://api-gcc.securitycenter.microsoft.us",
            "https://login.microsoftonline.com",
            "https://api-gcc.securitycenter.microsoft.us/.default",
        ),
        (
            {"cloud": "gcc-high"},
            "https://api-gov.securitycenter.microsoft.us",
            "https://login.microsoftonline.us",
            "https://api-gov.securitycenter.microsoft.us/.default",
        ),
        (
            {"cloud": "dod"},
            "https://api-gov.securitycenter.microsoft.us",
            "https://login.microsoftonline.us",
            "https://api-gov.securitycenter.microsoft.us/.default",
        ),
        (
            {
                "region": "uk",
                "api_url": "https://api.test:8443/",
                "login_url": "https://login.test/",
                "scope": "s/.default",
            },
            "https://api.test:8443",
            "https://login.test",
            "s/.default",
        ),
    ],
)
def test_a_cloud_decides_host_login_and_scope_unless_the_settings_do(
    named: dict[str, Any], api: str, login: str, scope: str
) -> None:
    """Each cloud has its API, its sign-in and its scope; what the settings name wins."""
    found = endpoints(settings(**named))
    assert (found.api, found.login, found.scope) == (api, login, scope)


def test_the_hosts_of_a_cloud_are_its_own_wherever_it_is_asked() -> None:
    """A cloud's hosts are the same with and without an override, and no host is of two clouds but the government's."""
    assert {
        "api.security.microsoft.com",
        "api.securitycenter.microsoft.com",
        "aea.api.security.microsoft.com",
    } <= GLOBAL
    assert len(GLOBAL) == 9
    assert endpoints(settings(api_url="https://api.test")).hosts == GLOBAL
    gcc, high = endpoints(settings(cloud="gcc")).hosts, endpoints(settings(cloud="gcc-high")).hosts
    assert not gcc & high
    assert not GLOBAL & (gcc | high)
    assert high == endpoints(settings(cloud="dod")).hosts


@pytest.mark.parametrize("answer", [{}, {"@odata.nextLink": None}, {"@odata.nextLink": ""}])
def test_without_a_next_link_it_was_the_last_page(answer: dict[str, Any]) -> None:
    """An absent, null or empty link ends the list."""
    assert following(answer, PAGE, GLOBAL) is None


@pytest.mark.parametrize(
    ("link", "asked"),
    [
        (f"{PAGE}?$skip=50", f"{PAGE}?$skip=50"),
        ("HTTPS://API.Security.Microsoft.com:443/api/x?$skip=50#top", f"{API}/api/x?$skip=50"),
        ("https://api.securitycenter.microsoft.com/api/x?$skiptoken=a%20b", f"{API}/api/x?$skiptoken=a%20b"),
        ("https://eu.api.security.microsoft.com/api/x", f"{API}/api/x"),
        ("https://swa.api.security.microsoft.com", f"{API}/"),
        ("?$skip=50", f"{PAGE}?$skip=50"),
        ("ByMachineGroups?$skip=50", f"{PAGE}?$skip=50"),
        ("/api/x?$skip=50", f"{API}/api/x?$skip=50"),
        ("//api.security.microsoft.com/api/x", f"{API}/api/x"),
    ],
)
def test_a_link_within_the_cloud_is_asked_at_the_configured_origin(link: str, asked: str) -> None:
    """A link to the same origin, to another host of the same cloud, or to none, keeps its path and query."""
    assert following({"@odata.nextLink": link}, PAGE, GLOBAL) == asked


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/api/x",
        "https://api.security.microsoft.com.evil.example/api/x",
        "https://evil-api.security.microsoft.com/api/x",
        "https://api.security.microsoft.com./api/x",
        "http://api.security.microsoft.com/api/x",
        "http://api.security.microsoft.com:443/api/x",
        "http://api.securitycenter.microsoft.com/api/x",
        "https://api.security.microsoft.com:8443/api/x",
        "https://api.securitycenter.microsoft.com:8443/api/x",
        "https://api.security.microsoft.com@evil.example/api/x",
        "https://api.security.microsoft.com:443@evil.example/api/x",
        "https://user:pass@api.security.microsoft.com/api/x",
        "https://@api.security.microsoft.com/api/x",
        "https://evil.example\\@api.security.microsoft.com/api/x",
        "https://evil.example%2f@api.security.microsoft.com/api/x",
        "https://evil.example#@api.security.microsoft.com/api/x",
        "https://evil.example?@api.security.microsoft.com/api/x",
        "//evil.example/api/x",
        "https://api-gov.securitycenter.microsoft.us/api/x",
        "https:///api/x",
        "https:api/x",
        "https:",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "ftp://api.security.microsoft.com/api/x",
        "https://[::1/api/x",
        "https://api.security.microsoft.com:port/api/x",
        "https://api.security.microsoft.com:99999/api/x",
        "https://api.security.microsoft.com/api/\r\nHost: evil.example",
        "https://api.security.microsoft.com\t/api/x",
        " https://evil.example/",
        "/api/\ud800",
        "/api/ü",
        "/api/x\\y",
        "/" + "x" * MAX_LINK,
        7,
        True,
        ["/api/x"],
        {"href": "/api/x"},
    ],
    ids=lambda link: repr(link)[:60],
)
def test_a_link_that_leads_elsewhere_is_a_bad_response(link: object) -> None:
    """A link to any other origin, by whatever trick, is refused, and so is what is no link."""
    with pytest.raises(BadResponse, match=r"@odata\.nextLink"):
        following({"@odata.nextLink": link}, PAGE, GLOBAL)


def test_a_plain_origin_on_loopback_pages_at_itself_alone() -> None:
    """Where http:// was configured, a link to https:// on the same host and port is another origin."""
    asked = "http://127.0.0.1:8443/api/x"
    assert following({"@odata.nextLink": "http://127.0.0.1:8443/api/y"}, asked, GLOBAL) == "http://127.0.0.1:8443/api/y"
    with pytest.raises(BadResponse):
        following({"@odata.nextLink": "https://127.0.0.1:8443/api/y"}, asked, GLOBAL)


@given(st.text() | st.text("/\\:@?#.apihtscurymof[]%", max_size=60).map(lambda text: f"https:{text}"))
def test_no_link_ever_leaves_the_configured_origin(link: str) -> None:
    """Whatever the link, what comes out begins with the configured origin and a path."""
    try:
        url = following({"@odata.nextLink": link}, PAGE, GLOBAL)
    except BadResponse:
        return
    assert url is None or url.startswith(f"{API}/")
