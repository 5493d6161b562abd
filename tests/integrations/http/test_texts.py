from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.integrations.http.texts import decode_body, is_text_type

quick = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize(
    "charset",
    ["rot13", "zlib_codec", "idna", "punycode", "unicode_escape", "utf-7", "mbcs", "../x", "\0"],
)
def test_codecs_that_are_no_encodings_of_the_web_are_not_used(charset: str) -> None:
    assert decode_body("gr\u00fcn +AGE- \\u0061".encode(), charset) == "gr\u00fcn +AGE- \\u0061"


@pytest.mark.parametrize(
    "charset", ["utf-8", "iso-8859-15", "windows-1251", "koi8-r", "gbk", "shift_jis", "utf-16"]
)
def test_encodings_of_the_web_are_used(charset: str) -> None:
    text = {"windows-1251": "\u0434\u0430", "koi8-r": "\u0434\u0430"}.get(charset, "abc")
    assert decode_body(text.encode(charset), charset) == text


def test_what_has_zeros_in_it_is_no_text() -> None:
    assert decode_body(b"a\0b", None) is None
    assert decode_body(b"a\0b\0", "utf-16-le") == "ab"


@quick
@given(st.binary(max_size=50), st.none() | st.text(max_size=12), st.booleans())
def test_any_bytes_are_a_text_or_none(body: bytes, charset: str | None, html: bool) -> None:
    text = decode_body(body, charset, html=html)
    assert text is None or len(text) <= len(body)


@pytest.mark.parametrize(
    ("media_type", "expected"),
    [
        ("text/html", True),
        ("application/json", True),
        ("application/vnd.api+json", True),
        ("image/svg+xml", True),
        ("image/png", False),
        ("application/octet-stream", False),
        ("application/zip", False),
        ("", False),
    ],
)
def test_types_of_texts_are_known(media_type: str, expected: bool) -> None:
    assert is_text_type(media_type) is expected
