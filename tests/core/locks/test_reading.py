from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core.exceptions import BlueprintError
from agent_factory.core.locks import compute_digest, create_lock, read_lock, write_lock
from tests.core.locks.sample import OTHER_DIGEST, create_parts

TEXT = write_lock(create_lock(create_parts()))


def find_problems(content: str | bytes) -> list[str]:
    """Return what is wrong with a lock, each in its first line."""
    data = content if isinstance(content, bytes) else content.encode()
    with pytest.raises(BlueprintError) as caught:
        read_lock(data, "blueprint.lock")
    return [str(problem).splitlines()[0] for problem in caught.value.problems]


def edit(**changes: Any) -> str:
    """Return a lock with some keys changed, as somebody would who knows how its digest is made."""
    data = json.loads(TEXT) | changes
    del data["digest"]
    return json.dumps({**data, "digest": compute_digest(data)}, indent=2)


def test_lock_reads_back() -> None:
    lock = create_lock(create_parts())

    assert read_lock(TEXT.encode(), "blueprint.lock") == lock
    assert write_lock(read_lock(TEXT.encode(), "blueprint.lock")) == TEXT


@pytest.mark.parametrize(
    "content",
    [
        TEXT.replace("\n", "\r\n"),
        f"\ufeff{TEXT}",
        json.dumps(json.loads(TEXT)),
        json.dumps(json.loads(TEXT), indent=4, sort_keys=False),
    ],
)
def test_other_layout_says_the_same(content: str) -> None:
    assert read_lock(content.encode(), "blueprint.lock") == create_lock(create_parts())


def test_file_of_a_merge_conflict_says_what_to_do() -> None:
    lines = TEXT.splitlines()
    lines[5:5] = ["<<<<<<< HEAD", '  "x": 1,', "=======", '  "x": 2,', ">>>>>>> theirs"]

    assert find_problems("\r\n".join(lines)) == [
        "blueprint.lock:6:1: a merge left a conflict here: merge the blueprint first, take either side of the lock, and "
        "run 'agent-factory lock' to write it again"
    ]


def test_lock_that_was_edited_by_hand_is_found_out() -> None:
    [problem] = find_problems(TEXT.replace('"max_requests": 10', '"max_requests": 99'))

    assert "changed by hand or by a merge: its content has another digest" in problem
    line = TEXT[: TEXT.index('"digest": "sha256:4119')].count("\n") + 1
    assert problem.startswith(f"blueprint.lock:{line}:13: ")


def test_manifest_that_was_edited_by_hand_is_found_out() -> None:
    problems = find_problems(TEXT.replace('"example.com"', '"example.org"'))

    assert len(problems) == 1
    assert "the manifest was changed by hand or by a merge" in problems[0]


@pytest.mark.parametrize("place", range(0, len(TEXT), 97))
def test_any_changed_letter_is_found_out(place: int) -> None:
    content = TEXT.encode()
    other = b"7" if content[place : place + 1] != b"7" else b"8"
    changed = content[:place] + other + content[place + 1 :]
    if content[place : place + 1].isspace() and _is_same(changed):
        return

    assert find_problems(changed)


def _is_same(content: bytes) -> bool:
    try:
        return bool(json.loads(content) == json.loads(TEXT))
    except ValueError:
        return False


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "blueprint.lock:1:1: the lock is empty: run 'agent-factory lock'"),
        (" \n", "blueprint.lock:1:1: the lock is empty"),
        ("[]", "blueprint.lock:1:1: a lock is an object with keys"),
        ("null", "blueprint.lock:1:1: a lock is an object with keys"),
        ("# none", "blueprint.lock:1:1: not JSON: "),
        ('schema: "agent-factory/lock@1"\n', "blueprint.lock:1:1: not JSON: "),
        ('{\n  "a": 1,\n}\n', "not JSON: "),
        ('{"a": NaN}', "not JSON: JSON has no NaN"),
        ('{"a": 1, "a": 2}', "blueprint.lock:1:10: key 'a' was given before, in line 1"),
        (b'{"a": "\xff"}', "blueprint.lock:1:8: byte 0xff is not UTF-8"),
        ("[" * 50 + "]" * 50, "nested deeper than 32 levels"),
        ("[" * 100_000, "nested deeper than 32 levels"),
        (f"""{{"a": {"9" * 5_000}}}""", "blueprint.lock:1:"),
        (" " * 1_048_577, "the lock is empty"),
        ("9" * 1_048_577, "at most 1,048,576 are read"),
        (
            '{"schema": "agent-factory/lock@2", "x": 1}',
            "schema must be 'agent-factory/lock@1', not \"agent-factory/lock@2\"",
        ),
        ("{}", "the key 'blueprint' is missing"),
    ],
)
def test_what_is_no_lock_is_refused_with_its_place(content: str | bytes, said: str) -> None:
    assert any(said in problem for problem in find_problems(content))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"promts": {}}, "unknown key 'promts': did you mean 'prompts'?"),
        ({"prompts": {"a": "b"}}, "must be 'sha256:' and 64 hexadecimal digits, not \"b\""),
        ({"prompts": {"a": OTHER_DIGEST.upper()}}, "must be 'sha256:' and 64 hexadecimal digits"),
        ({"prompts": []}, "prompts must be an object of names"),
        ({"prompts": {"": OTHER_DIGEST}}, "a name has 1 to 200 characters"),
        ({"schemas": {"input": OTHER_DIGEST}}, "unknown key 'input': did you mean 'inputs'?"),
        ({"limits": {"a": []}}, "a limit is one value"),
        ({"limits": {"a": 2**53 + 1}}, "beyond 2^53-1"),
        ({"tools": {"a": OTHER_DIGEST}}, "must be an object"),
        ({"tools": {"a": {"use": "x"}}}, "the key 'options' is missing"),
        ({"tools": {"a": {"use": "", "options": OTHER_DIGEST}}}, "must be a text"),
        ({"toolsets": {"a": {"config": OTHER_DIGEST, "tools": {"b": 1}}}}, "must be a text, not 1"),
        (
            {"dependencies": {"a": {"path": "/x", "version": "1.0.0", "digest": OTHER_DIGEST}}},
            "must be relative",
        ),
        (
            {"dependencies": {"a": {"path": "x", "version": "1", "digest": OTHER_DIGEST}}},
            "is no version",
        ),
        (
            {"models": {"a": {"use": "x", "settings": OTHER_DIGEST, "price": {}}}},
            "the key 'as_of' is missing",
        ),
        ({"permissions": {}}, "the key 'manifest' is missing"),
        ({"permissions": {"digest": OTHER_DIGEST, "manifest": []}}, "manifest must be an object"),
        ({"permissions": {"digest": OTHER_DIGEST, "manifest": {}}}, "too many or too few keys"),
        (
            {"blueprint": {"name": "A", "version": "1.0.0", "entry": "", "digest": OTHER_DIGEST}},
            "must be lower-case",
        ),
        ({"blueprint": 1}, "must be an object, not 1"),
    ],
)
def test_lock_of_another_shape_is_refused_even_with_a_right_digest(
    changes: dict[str, Any], said: str
) -> None:
    try:
        content = edit(**changes)
    except Exception:  # noqa: BLE001 - no digest can be made of it, so any will do
        content = json.dumps(json.loads(TEXT) | changes)

    assert any(said in problem for problem in find_problems(content))


@pytest.mark.parametrize(
    ("price", "said"),
    [
        ({"as_of": "24.7.2026"}, "must be a day such as '2026-11-25'"),
        ({"as_of": "20260724"}, "must be a day such as '2026-11-25'"),
        ({"input": -1}, "must be a whole number of at least 0, not -1"),
        ({"input": 1.5}, "must be a whole number of at least 0, not 1.5"),
        ({"input": True}, "must be a whole number of at least 0, not true"),
        ({"extra": 1}, "unknown key 'extra'"),
    ],
)
def test_price_in_a_lock_is_checked(price: dict[str, Any], said: str) -> None:
    models = json.loads(TEXT)["models"]
    models["default"]["price"] |= price

    assert any(said in problem for problem in find_problems(edit(models=models)))


def test_every_problem_is_told_in_the_order_of_the_file() -> None:
    problems = find_problems(edit(extra=1, prompts={"a": "b", "c": "d"}))

    assert len(problems) == 3
    lines = [int(problem.split(":")[1]) for problem in problems]
    assert lines == sorted(lines)


def test_number_of_problems_is_bounded() -> None:
    assert len(find_problems(edit(**{f"key{index}": 1 for index in range(1_000)}))) == 100


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode()))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_content_gives_anything_but_a_blueprint_error(content: bytes) -> None:
    with pytest.raises(BlueprintError):
        read_lock(content, "blueprint.lock")


@given(st.data())
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_mixed_up_lock_gives_nothing_but_a_blueprint_error(data: st.DataObject) -> None:
    content = TEXT.encode()
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, min(len(content), start + 300)))
    piece = data.draw(st.sampled_from([b"", b"{}", b"[", b"\x00", b'"', b"1e999", b'"\\ud800"']))
    changed = content[:start] + piece + content[end:]
    found = None
    with contextlib.suppress(BlueprintError):
        found = read_lock(changed, "blueprint.lock")

    assert found is None or found == create_lock(create_parts())
