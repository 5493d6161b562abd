from __future__ import annotations

import pytest

from agent_factory.core.exceptions import ToolError
from agent_factory.integrations.http import parse_url
from agent_factory.integrations.http.redirects import Redirect, follow
from agent_factory.integrations.http.resolving import Route

SECURE = Redirect(parse_url("https://example.com/a"), "GET", {"Accept": "text/html", "cookie": "a"})


def test_plain_http_after_https_is_refused() -> None:
    with pytest.raises(ToolError, match="from https to http://example"):
        follow(SECURE, 302, "http://example.com/a")
    plain = Redirect(parse_url("http://example.com/a"), "GET")
    followed = follow(plain, 302, "https://example.com/a")
    assert followed is not None
    assert followed.target.scheme == "https"


@pytest.mark.parametrize(
    ("status", "location"), [(200, "/b"), (304, "/b"), (300, "/b"), (302, None)]
)
def test_other_answers_are_no_redirects(status: int, location: str | None) -> None:
    assert follow(SECURE, status, location) is None


@pytest.mark.parametrize(
    "location", ["https://other.example/", "https://example.com:8443/", "//sub.example.com/"]
)
def test_another_origin_gets_no_headers_about_who_asks(location: str) -> None:
    followed = follow(SECURE, 307, location)
    assert followed is not None
    assert followed.headers == {"Accept": "text/html"}


def test_the_same_origin_gets_the_same_headers() -> None:
    followed = follow(SECURE, 307, "https://EXAMPLE.com:443/b#c")
    assert followed is not None
    assert (str(followed.target.url), followed.headers) == ("https://example.com/b", SECURE.headers)


@pytest.mark.parametrize(
    "location", ["http://[", "https://user@example.com/", "https://0x7f.1/", "x:y", "/\x00"]
)
def test_a_place_that_is_no_url_is_refused(location: str) -> None:
    with pytest.raises(ToolError, match="redirects to a URL that cannot be called"):
        follow(SECURE, 302, location)


def test_a_route_knows_its_addresses_in_every_form() -> None:
    route = Route(("::ffff:7f00:1", "10.0.0.1"))
    assert route.allows("::ffff:127.0.0.1")
    assert route.allows("10.0.0.1")
    assert not route.allows("127.0.0.1")
    assert not route.allows("10.0.0.2")
    assert not route.allows("")
