"""The forms of secrets: tokens with known beginnings, keys, and values that are called a password or the like.

Every pattern takes time in proportion to the text: repeats are bounded or possessive, and begin where a run of their
characters begins.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

from agent_factory.core.guardrails._findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "assignment_pattern",
    "find_assignments",
    "find_keys",
    "find_named_value",
    "find_tokens",
    "key_pattern",
    "name_pattern",
    "scan_secrets",
    "token_pattern",
    "value_pattern",
]

MIN_SECRET = 3
MIN_RANDOM = 20
MIN_ENTROPY = 3.5

_KINDS = r"""
    (?:password|passwd|passphrase|pwd|secret|token|credentials?|connection[_-]?string|authorization
    |(?:api|access|account|auth|private|secret|signing|encryption)[\x20_-]?key|client[\x20_-]?secret)
"""
# What stands in documentation and code where a secret would stand, or marks one that was removed.
_NO_SECRETS = frozenset(
    (
        "none",
        "null",
        "nil",
        "true",
        "false",
        "undefined",
        "required",
        "optional",
        "string",
        "integer",
        "secret",
        "password",
        "token",
        "redacted",
        "removed",
        "hidden",
        "empty",
        "changeme",
        "example",
        "missing",
        "invalid",
        "incorrect",
        "expired",
        "unknown",
    )
)


@cache
def token_pattern() -> re.Pattern[str]:
    """Return the pattern of tokens that their issuers give a form of their own."""
    return re.compile(
        r"""
        (?:(?<![A-Za-z0-9_-])|(?<=\\[nrt]))(?:               # an escape may stand before it
            sk-(?=[A-Za-z_-]{0,80}[0-9])[A-Za-z0-9_-]{20,}+             # OpenAI, Anthropic and others
          | gh[pousr]_[A-Za-z0-9]{30,}+ | github_pat_[A-Za-z0-9_]{22,}+ # GitHub
          | gl(?:pat|ptt|dt|rt|soat|cbt)-[A-Za-z0-9_.-]{20,}+           # GitLab
          | xox[a-z]-[A-Za-z0-9-]{10,}+ | xapp-[A-Za-z0-9-]{10,}+       # Slack
          | AIza[A-Za-z0-9_-]{35,}+ | GOCSPX-[A-Za-z0-9_-]{20,}+ | ya29\.[A-Za-z0-9_-]{20,}+   # Google
          | [rs]k_(?:live|test)_[A-Za-z0-9]{10,}+ | whsec_[A-Za-z0-9+/=]{20,}+                 # Stripe
          | npm_[A-Za-z0-9]{30,}+ | pypi-[A-Za-z0-9_-]{32,}+            # package registries
          | hf_[A-Za-z0-9]{30,}+ | SG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,}+
          | (?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])          # AWS
          | eyJ[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]{8,}+(?:\.[A-Za-z0-9_-]{0,8192}+){1,3}         # JSON web tokens
        )
        | (?<=hooks\.slack\.com/services/)[A-Za-z0-9/]{20,}+
        | (?i:(?<=\bbearer\ )|(?<=\bbasic\ )|(?<=\btoken\ ))(?=[A-Za-z._~+/-]{0,80}[0-9])[A-Za-z0-9._~+/-]{16,}+=*+
        | (?<=://)(?P<user>[^\s:/?\#@\[\]"'<>]{0,256}+):(?P<password>[^\s/?\#@"'<>\[\]]{1,1024}+)(?=@)
        """,
        re.VERBOSE | re.ASCII,
    )


def find_tokens(text: str) -> Iterator[Finding]:
    """Yield the tokens of known form in a text, and the passwords in its URLs.

    Args:
        text: Any text.
    """
    for match in token_pattern().finditer(text):
        start = match.start() if match["password"] is None else match.start("password")
        yield Finding("secret", start, match.end())


@cache
def key_pattern() -> re.Pattern[str]:
    """Return the pattern of the line that a private key begins with (RFC 7468)."""
    return re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")


def find_keys(text: str) -> Iterator[Finding]:
    """Yield the private keys of a text; one whose end is missing reaches to the end of the text.

    Args:
        text: Any text.
    """
    place = 0
    while match := key_pattern().search(text, place):
        end = text.find("-----END", match.end())
        line = text.find("-----", end + 8) if end >= 0 else -1
        place = line + 5 if 0 <= line <= end + 80 else (end + 8 if end >= 0 else len(text))
        yield Finding("secret", match.start(), place)


@cache
def assignment_pattern() -> re.Pattern[str]:
    """Return the pattern of a name with the sign behind it that a value follows."""
    return re.compile(
        r"""
        (?<![A-Za-z0-9])(?:(?P<option>--?)(?=[A-Za-z]))?
        (?P<name>(?:(?i:api|access|auth|private|secret|signing|encryption|client|account)[ ])?
            [A-Za-z0-9]{1,40}(?:[_.-][A-Za-z0-9]{1,40}){0,6})               # DB_PASSWORD, apiKey, API key
        (?:\\?["'`*]){0,3}\]?
        (?:
            \s{0,8}(?P<sign>:=|=>|=(?!=)|:)[*]{0,2}\s{0,8}
          | \s{1,4}(?:is|was)(?::\s{0,4}|\s{1,4})
          | (?(option)\s{1,4}|(?!))
        )
        """,
        re.VERBOSE | re.ASCII,
    )


@cache
def value_pattern() -> re.Pattern[str]:
    """Return the pattern of a value in quotes of some kind, or without."""
    return re.compile(
        r"""
            \\["'](?P<escaped>[^"'\\\n]{4,}+)
          | "(?P<double>(?:[^"\\\n]|\\.){4,}+)
          | '(?P<single>(?:[^'\\\n]|\\.){4,}+)
          | `?(?P<bare>(?![{%$*(<])[^\s"'`,;<>()\[\]{}\\]{4,}+)(?![(\[])
        """,
        re.VERBOSE | re.ASCII,
    )


@cache
def name_pattern() -> re.Pattern[str]:
    """Return the pattern of a name that a secret stands under."""
    return re.compile(rf"(?i){''.join(_KINDS.split())}s?\d{{0,3}}\Z", re.ASCII)


def _is_name(name: str) -> bool:
    found = name_pattern().search(name[-64:])
    if not found:
        return False
    lowered = name.lower()
    # The place in a list, and numbers of tokens, are no secrets.
    return not (
        lowered.endswith("tokens")
        or (
            "token" in found[0].lower()
            and re.search("page|next|cursor|continu|max|sync|eos|bos|pad", lowered)
        )
    )


def find_assignments(text: str) -> Iterator[Finding]:
    """Yield the values in a text that are called a password, a key, a token or the like.

    Args:
        text: Any text.
    """
    place = 0
    while match := assignment_pattern().search(text, place):
        place = match.end("name")
        value = value_pattern().match(text, match.end()) if _is_name(match["name"]) else None
        if value is None or value.lastgroup is None:
            continue
        group = value.lastgroup
        sign = "=" if match["option"] else match["sign"] or ":"
        if value[group] != match["name"] and _is_value(
            value[group], quoted=group != "bare", sign=sign
        ):
            place = value.end()
            yield Finding("secret", *value.span(group))


def find_named_value(name: str, value: str) -> Iterator[Finding]:
    """Yield a whole value, if the key that it stands under says that it is a secret.

    Args:
        name: The key.
        value: What stands under it.
    """
    if _is_name(name) and _is_value(value, quoted=True, sign=":"):
        yield Finding("secret", 0, len(value))


def _is_value(value: str, *, quoted: bool, sign: str) -> bool:
    """Return whether a value is more likely a secret than a word about one."""
    plain = value.replace("[secret]", "").strip(" .:!?*_-")
    if len(plain) < MIN_SECRET or plain.lower() in _NO_SECRETS:
        return False
    if re.match(r"\$\{|\$\(|\{\{|<|%\(|\$[A-Z_]+\Z", value):
        return False
    if quoted:
        return True
    if re.fullmatch(r"[A-Za-z_]\w*[._]\w[\w.]*", value) and _is_name(value):
        # The name of a variable, as in password=self.password.
        return False
    if sign != ":":
        return True
    # Prose has words after a colon; passwords have digits or signs among their letters.
    return bool(re.search(r"[0-9]|[^\w.,!?'-]", plain)) or _is_random(plain)


def _is_random(value: str) -> bool:
    """Return whether the characters of a value look drawn, by their entropy."""
    if len(value) < MIN_RANDOM:
        return False
    counts = Counter(value).values()
    entropy = -sum(count / len(value) * math.log2(count / len(value)) for count in counts)
    return entropy >= MIN_ENTROPY


def scan_secrets(text: str, key: str) -> Iterator[Finding]:
    """Yield the secrets of a text.

    Args:
        text: Any text.
        key: The JSON key that it stands under, or an empty text.
    """
    if key:
        yield from find_named_value(key, text)
    yield from find_tokens(text)
    yield from find_keys(text)
    yield from find_assignments(text)
