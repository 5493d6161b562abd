from __future__ import annotations

import hashlib
import json
import uuid
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core.guardrails.redaction import redact_secrets
from agent_factory.core.guardrails.secrets import detect_secrets
from tests.core.guardrails.looking import look

BODY = "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dE3fG5h"
# Put together here, so that no scanner of repositories takes a test for a leak.
TOKENS = [
    "sk-" + BODY,
    "sk-proj-" + BODY + "_" + BODY,
    "sk-ant-api03-" + BODY,
    "AKIA" + "IOSFODNN7EXAMPLE",
    "ghp_" + BODY,
    "github_pat_" + BODY + "_" + BODY,
    "glpat-" + BODY,
    "xoxb-" + "123456789012-" + BODY,
    "AIza" + BODY[:35],
    "sk_live_" + BODY,
    "rk_test_" + BODY,
    "npm_" + BODY[:36],
    "pypi-" + BODY,
    "hf_" + BODY,
    "SG." + BODY[:22] + "." + BODY,
    "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0." + BODY,
    "-----BEGIN RSA PRIVATE KEY-----\n" + BODY + "\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\n" + BODY + "\n" + BODY + "\n-----END PRIVATE KEY-----",
    "-----BEGIN PGP PRIVATE KEY BLOCK-----\n" + BODY + "\n-----END PGP PRIVATE KEY BLOCK-----",
]


@pytest.mark.parametrize("token", TOKENS, ids=lambda token: token[:24].splitlines()[0])
@pytest.mark.parametrize(
    "frame", ["{}", "Use {}, please.", "({})", "\n{}\n", "<{}>", '"{}"', "a={}"]
)
def test_token_of_a_known_form_is_found(token: str, frame: str) -> None:
    assert redact_secrets(frame.format(token)) == frame.format("[secret]")


def test_private_key_without_an_end_reaches_to_the_end_of_the_text() -> None:
    assert redact_secrets("a -----BEGIN PRIVATE KEY-----\nabc\ndef") == "a [secret]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DB_PASSWORD=hunter", "DB_PASSWORD=[secret]"),
        ("password: hunter2", "password: [secret]"),
        ("The password is hunter2.", "The password is [secret]"),
        ("**Password:** hunter2", "**Password:** [secret]"),
        ("api_key: 'abcdef'", "api_key: '[secret]'"),
        ('config["password"] = "a \\" b"', 'config["password"] = "[secret]"'),
        ("{'apiKey': 'abcdef'}", "{'apiKey': '[secret]'}"),
        ('{\\"password\\": \\"abcdef\\"}', '{\\"password\\": \\"[secret]\\"}'),
        ("mysql --password hunter2 -u x", "mysql --password [secret] -u x"),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG", "aws_secret_access_key = [secret]"),
        ("your API key is Zk3fQ9xLm2Pq8Rt5Vw7Y ok", "your API key is [secret] ok"),
        ("token: qwertzuiopasdfghjklyxcvbnm", "token: [secret]"),
        ("postgres://ann:p%40ss@db:5432/x", "postgres://ann:[secret]@db:5432/x"),
        (f"Authorization: Bearer {BODY}", "Authorization: Bearer [secret]"),
        (f"a\\\\nsk-{BODY}", "a\\\\n[secret]"),
        ("AccountKey=abc+/==;Suffix=x", "AccountKey=[secret];Suffix=x"),
    ],
)
def test_value_that_is_called_a_secret_is_found(text: str, expected: str) -> None:
    assert redact_secrets(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "token = os.environ['API_TOKEN']",
        "password = get_password()",
        "if password == expected and token != other: connect(password=self.db_password)",
        "password=${DB_PASSWORD} token: {{ token }} secret=<your-secret>",
        "password: str | None = None",
        "the api_key is empty: use(secrets=secrets)",
        "Password: please enter it. The secret is simple. A token is a unit of text.",
        "password: required; secret=None; api_key: null",
        "max_tokens=4096, completion_tokens: 12345, next_page_token=abc123def",
        "class sk-toggleable__label-arrow-fitted, risk-based, task-1234567890123456789012",
        "https://example.org:8080/a@b and https://ann@example.org",
        "The bearer of this letter; basic arithmetic for beginners.",
        "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----\nabc\n-----END PUBLIC KEY-----",
        "commit 2fd4e1c67a2d28fced849ee1bb76e7391b93eb12 of 2024-11-24, version 1.2.3",
        "The quick brown fox jumps over the lazy dog.",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact_secrets(text) == text


fast = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@fast
@given(seed=st.binary())
def test_identifiers_and_hashes_stay(seed: bytes) -> None:
    digest = hashlib.sha512(seed)
    text = f"{uuid.UUID(bytes=digest.digest()[:16])} {digest.hexdigest()} run {digest.hexdigest()[:12]}"

    assert redact_secrets(text) == text


@fast
@given(
    token=st.sampled_from(TOKENS),
    before=st.text(st.characters(categories=["L", "Zs", "Po", "Sm"]), max_size=20),
    after=st.text(st.characters(categories=["L", "Zs", "Po", "Sm"]), max_size=20),
)
def test_token_is_found_in_any_prose(token: str, before: str, after: str) -> None:
    assert token not in redact_secrets(f"{before} {token} {after}")


def test_values_under_secret_keys_of_json_are_found_at_any_depth() -> None:
    text = '{"a": [{"password": "abc", "n": 1.50}], "Authorization": "Basic x", "x-api-key": 1234, "max_tokens": 4096}'

    verdict = look(detect_secrets(), text, "tool_call")

    assert verdict.decision == "replace"
    assert verdict.replacement == (
        '{"a": [{"password": "[secret]", "n": 1.50}], "Authorization": "[secret]", '
        '"x-api-key": "[secret]", "max_tokens": 4096}'
    )


def test_key_says_nothing_about_what_follows_its_object() -> None:
    text = '[{"password": "abc"}, "plain", {"token": {"kind": "plain"}}]'

    assert json.loads(redact_secrets(text)) == [
        {"password": "[secret]"},
        "plain",
        {"token": {"kind": "plain"}},
    ]


def test_escapes_of_json_hide_nothing() -> None:
    text = json.dumps({"text": "use sk-" + BODY}).replace("sk-", "\\u0073k-")

    assert redact_secrets(text) == '{"text": "use [secret]"}'


def test_secret_in_a_key_is_found() -> None:
    assert redact_secrets(json.dumps({"ghp_" + BODY: 1})) == '{"[secret]": 1}'


def test_json_that_is_nested_too_deep_to_be_read_is_searched_as_text() -> None:
    text = "[" * 100_000 + f'"sk-{BODY}"'

    assert redact_secrets(text) == "[" * 100_000 + '"[secret]"'


def test_reason_counts_and_does_not_repeat() -> None:
    verdict = look(detect_secrets(action="retry"), f"ghp_{BODY} and password=hunter2", "output")

    assert verdict.decision == "retry"
    assert verdict.reason == "the text has secrets: 2 secret; leave them out"


@pytest.mark.parametrize("action", ["redact", "block", "retry"])
def test_text_without_secrets_passes(action: Any) -> None:
    assert look(detect_secrets(action=action), "Good morning.").decision == "allow"
