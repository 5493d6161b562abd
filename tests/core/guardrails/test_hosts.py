from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.guardrails.guardrail import GuardrailStage
from agent_factory.core.guardrails.hosts import allow_hosts
from tests.core.guardrails.looking import look

HOSTS = ["good.com", "*.sub.org", "[::1]", "10.0.0.1", "m\u00fcnchen.de"]


def passes(text: str, stage: GuardrailStage = "output") -> bool:
    return look(allow_hosts(HOSTS), text, stage).decision == "allow"


@pytest.mark.parametrize(
    "text",
    [
        "https://good.com",
        "HTTP://GOOD.COM./x",
        "http://good.com:8080/a?b=c#d",
        "https://user@good.com/",
        "see https://good.com, or (https://good.com/x). It is **https://good.com**!",
        "[a](https://good.com), ![b](//good.com/x), <https://good.com>, `https://good.com`",
        '<a href="https://good.com">good</a>',
        "https://a.sub.org and https://a.b.sub.org",
        "http://[::1]:80/ http://[0:0:0::1]/ http://10.0.0.1/",
        "https://m\u00fcnchen.de/ https://M\u00dcNCHEN.de https://xn--mnchen-3ya.de",
        "https:\\/\\/good.com\\/x",
        "https%3A%2F%2Fgood.com",
        "https://good.com//double/x and https://good.com/?m=a@b.com",
    ],
)
def test_listed_hosts_pass(text: str) -> None:
    assert passes(text)


@pytest.mark.parametrize(
    "text",
    [
        "no link, and/or a//b, 7 // 2",
        "// comment\n//TODO write it",
        "C:\\Users\\x, 'C:\\\\Users', r'\\\\d+', std::vector",
        "https: the scheme; http:",
        "mail a@evil.com about example.py",
    ],
)
def test_text_without_a_url_passes(text: str) -> None:
    assert passes(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://evil.com",
        "HTTPS://EVIL.COM:443",
        "http:evil.com",
        "https:/evil.com",
        "https:///evil.com",
        "https:\\\\evil.com",
        "//evil.com",
        "\\\\evil.com\\share",
        "www.evil.com",
        "ftp://evil.com sftp://evil.com wss://evil.com foo://evil.com",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://[::2]/",
        "https://[::1",
        "https://goodcom",
        "https://sub.org",
        "https://xsub.org",
    ],
)
def test_other_hosts_do_not_pass(text: str) -> None:
    assert not passes(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://good.com@evil.com",
        "https://good.com:80@evil.com",
        "https://good.com\\@evil.com",
        "https://evil.com\\@good.com",
        "https://a@evil.com@good.com",
        "https://good.com\uff20evil.com",
        "https://good.com%40evil.com",
    ],
)
def test_user_name_that_looks_like_a_host_does_not_pass(text: str) -> None:
    assert not passes(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://good.com.evil.com",
        "https://sub.org.evil.com",
        "https://good.com%2eevil.com",
        "https://good.com%2Fevil.com",
        "https://good.com\u3002evil.com",
        "https://good.com\u200b.evil.com",
        "https://good.com\uff0fevil.com",
        "https://good.com).evil.com/",
        "https://good.com,x.evil.com/",
        "https://good.com'.evil.com",
        "https://good.com\\.evil.com",
        "https://good.com:80.evil.com",
        "https://good.com&#10;.evil.com",
        "https://good.com&Tab;.evil.com",
        "https://[::1]evil.com",
        f"https://good.com{',' * 50_000}.evil.com",
        f"https://{'a.' * 50_000}good.com",
    ],
)
def test_listed_host_that_is_only_the_beginning_of_another_does_not_pass(text: str) -> None:
    assert not passes(text)


@pytest.mark.parametrize("text", ["https://g\u043eod.com", "https://xn--god-fed.com"])
def test_letters_that_only_look_the_same_do_not_pass(text: str) -> None:
    assert not passes(text)


def test_letters_that_readers_take_for_different_hosts_do_not_pass() -> None:
    guardrail = allow_hosts(["mass.de"])

    assert look(guardrail, "https://mass.de", "output").decision == "allow"
    assert look(guardrail, "https://ma\u00df.de", "output").decision == "block"


@pytest.mark.parametrize(
    "text",
    [
        "[a](//evil.com)",
        "![](https://evil.com/?d=secret)",
        "[x]: https://evil.com",
        "<img src=//evil.com>",
        "<a href='&#104;ttps:&#47;&#47;evil.com'>",
        "https%3A%2F%2Fevil.com",
        "https%253A%252F%252Fevil.com",
        "https%25252525252525253A//x https%252525252525253A%252525252525252F",
        "https:\\/\\/evil.com",
        "\\u0068ttps://evil.com",
        "https://good.com/?next=//evil.com",
        "https://good.com/?next=https%3A%2F%2Fevil.com",
        "https://good.com;https://evil.com",
    ],
)
def test_url_inside_something_else_does_not_pass(text: str) -> None:
    assert not passes(text)


@pytest.mark.parametrize(
    "arguments",
    [
        {"url": "https://evil.com"},
        {"a": [{"b": {"c": ["//evil"]}}]},
        {"https://evil.com": 1},
        {"body": json.dumps({"url": json.dumps({"url": "https://evil.com"})})},
        {"url": "https://go\nod.com.evil.com"},
        {"url": "https://good.com\n.evil.com"},
        {"url": "ht\ttps://evil.com"},
        {"url": "/\t/evil.com"},
        {"url": " \\/evil.com"},
        {"url": 'https://good.com".evil.com'},
    ],
)
def test_url_in_arguments_does_not_pass_however_it_is_written(arguments: dict[str, Any]) -> None:
    text = json.dumps(arguments)

    assert not passes(text, "tool_call")
    assert not passes(text.replace("/", "\\/"), "tool_call")
    assert not passes(text.replace("e", "\\u0065"), "tool_call")


@pytest.mark.parametrize(
    "arguments",
    [
        {"url": "https://good.com/x"},
        {"urls": "https://good.com\nhttps://good.com/x"},
        {"body": "See https://good.com\nThanks. Bye."},
        {"html": '<a href="https://good.com">good.com</a>'},
        {"path": "a//b", "n": 1},
    ],
)
def test_arguments_with_listed_hosts_pass(arguments: dict[str, Any]) -> None:
    assert passes(json.dumps(arguments), "tool_call")


labels = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    host=st.lists(labels, min_size=1, max_size=3).map(
        lambda parts: ".".join(["a", *parts, "example"])
    ),
    scheme=st.sampled_from(["https://", "http:", "//", "https:\\\\", "ftp://u:p@"]),
    before=st.sampled_from(["", " ", "[a](", '"', "x\n", "=", "<"]),
    after=st.sampled_from(["", "/", " ", ":80/x", "?q", "#f", ")", ".", '"', ">"]),
    escape=st.sampled_from([str, quote, lambda text: text.replace("/", "&sol;")]),
)
def test_only_a_listed_host_passes_in_any_surroundings(
    host: str, scheme: str, before: str, after: str, escape: Any
) -> None:
    text = before + escape(scheme + host) + after

    assert look(allow_hosts([]), text, "output").decision == "block"
    assert look(allow_hosts([f"x{host}", f"*.{host}"]), text, "output").decision == "block"
    assert look(allow_hosts([host]), text, "output").decision == "allow"
    assert look(allow_hosts(["*." + host.partition(".")[2]]), text, "output").decision == "allow"


def test_reason_has_the_allowed_hosts_and_not_the_one_found() -> None:
    reason = look(allow_hosts(["b.org", "*.a.org"], action="retry"), "https://evil.com").reason

    assert reason == "the text has a URL whose host is not allowed; allowed hosts: *.a.org, b.org"
    assert look(allow_hosts([]), "https://evil.com").reason.endswith("allowed hosts: none")


@pytest.mark.parametrize(
    "host",
    [
        "",
        "https://a.org",
        "a.org:80",
        "a.org/x",
        "*",
        "*.",
        "a.*.org",
        "*.[::1]",
        "*.0.0.1",
        "[::x]",
        "ma\u00df.de",
        "a b",
    ],
)
def test_what_is_no_host_is_refused(host: str) -> None:
    with pytest.raises(ConfigurationError, match="is no host: write a name such as"):
        allow_hosts([host])


def test_single_text_in_place_of_hosts_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="must be several"):
        allow_hosts("good.com")
