from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core.approvals import (
    Approval,
    ApprovalRequest,
    Approver,
    check_approval,
    create_digest,
)
from agent_factory.core.exceptions import ApprovalError

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
PARTS = {
    "agent": "clerk",
    "tool": "pay",
    "arguments": '{"sum":3}',
    "run_id": "r-1",
    "call_id": "1",
    "idempotency_key": "r-1:1",
}


def make_request(**parts: str) -> ApprovalRequest:
    """Return a request that lapses in an hour."""
    given = PARTS | parts
    return ApprovalRequest(create_digest(**given), **given, expires_at=LATER)


def refuse(request: ApprovalRequest, approval: Any, *, now: datetime = NOW) -> ApprovalError:
    """Return why an approval does not count."""
    used: set[str] = set()
    with pytest.raises(ApprovalError) as caught:
        check_approval(request, approval, now=now, used=used)
    assert used == set()
    return caught.value


@pytest.mark.parametrize("part", sorted(PARTS))
def test_digest_depends_on_every_part(part: str) -> None:
    assert create_digest(**PARTS | {part: PARTS[part] + "x"}) != create_digest(**PARTS)


def test_digest_keeps_the_parts_apart() -> None:
    assert create_digest(**PARTS | {"agent": "clerkp", "tool": "ay"}) != create_digest(**PARTS)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.fixed_dictionaries({part: st.text(max_size=4) for part in PARTS}),
    st.fixed_dictionaries({part: st.text(max_size=4) for part in PARTS}),
)
def test_digests_are_equal_for_equal_parts_alone(one: dict[str, str], two: dict[str, str]) -> None:
    assert (create_digest(**one) == create_digest(**two)) == (one == two)


def test_digest_is_the_same_in_every_version() -> None:
    assert create_digest(**PARTS) == (
        "567ea94624509d6305253e02b4fc74c073f771def9be35031977abd929b05ae9"
    )


def test_approval_of_a_request_counts_for_it() -> None:
    request = make_request()
    approval = request.approve("ada", reason="fine")
    used: set[str] = set()

    check_approval(request, approval, now=NOW, used=used)

    assert (approval.granted, approval.approver, approval.reason) == (True, "ada", "fine")
    assert used == {approval.id}


def test_denial_says_who_denied_and_why() -> None:
    approval = make_request().deny("ada", reason="too much")

    assert (approval.granted, approval.approver, approval.reason) == (False, "ada", "too much")


def test_every_decision_has_another_identifier() -> None:
    request = make_request()

    assert request.approve("ada").id != request.approve("ada").id


@pytest.mark.parametrize("approver", ["", "  "])
def test_nobody_cannot_decide(approver: str) -> None:
    with pytest.raises(ApprovalError, match="needs the name of who decided"):
        make_request().approve(approver)
    with pytest.raises(ApprovalError, match="needs the name of who decided"):
        make_request().deny(approver)


@pytest.mark.parametrize("part", sorted(PARTS))
def test_approval_of_another_call_does_not_count(part: str) -> None:
    other = make_request(**{part: PARTS[part] + "x"})

    error = refuse(make_request(), other.approve("ada"))

    assert "it was given for another call" in error.message


def test_approval_counts_once() -> None:
    request = make_request()
    approval = request.approve("ada")
    used: set[str] = set()
    check_approval(request, approval, now=NOW, used=used)

    with pytest.raises(ApprovalError, match="it was used before, and counts once"):
        check_approval(request, approval, now=NOW, used=used)


def test_approval_does_not_count_from_the_moment_on_at_which_the_request_lapses() -> None:
    request = make_request()
    approval = replace(request.approve("ada"), expires_at=LATER + timedelta(days=1))

    check_approval(request, approval, now=LATER - timedelta(microseconds=1), used=set())
    error = refuse(request, approval, now=LATER)

    assert "it was good until 2026-01-01T01:00:00+00:00" in error.message


def test_approval_may_be_good_for_less_time_than_the_request() -> None:
    request = make_request()
    approval = replace(request.approve("ada"), expires_at=NOW + timedelta(minutes=1))

    error = refuse(request, approval, now=NOW + timedelta(minutes=1))

    assert "it was good until 2026-01-01T00:01:00+00:00" in error.message


def test_refusal_carries_tool_call_and_approval() -> None:
    request = make_request()
    approval = make_request(call_id="2").approve("ada")

    error = refuse(request, approval)

    assert error.details == {"tool": "pay", "call_id": "1", "approval": approval.id}


@pytest.mark.parametrize("answer", [None, True, "yes", {"granted": True}])
def test_anything_but_an_approval_does_not_count(answer: object) -> None:
    error = refuse(make_request(), answer)

    assert f"answered with {type(answer).__name__} in place of an Approval" in error.message


def test_look_alike_of_an_approval_does_not_count() -> None:
    class Yes:
        id = "1"
        digest = make_request().digest
        approver = "mallory"
        granted = True
        expires_at = LATER
        reason = ""

    assert "Yes in place of an Approval" in refuse(make_request(), Yes()).message


def test_approver_is_whatever_decides() -> None:
    class Mine:
        async def decide(self, request: ApprovalRequest) -> Approval:
            return request.approve("ada")

    assert isinstance(Mine(), Approver)


@pytest.mark.parametrize("granted", ["false", "true", 1, 0, None, [True]])
def test_decision_that_is_neither_true_nor_false_does_not_count(granted: Any) -> None:
    request = make_request()

    error = refuse(request, replace(request.approve("ada"), granted=granted))

    assert f"whose granted is {type(granted).__name__} in place of True or False" in error.message


@pytest.mark.parametrize(
    ("field", "value", "wrong"),
    [
        ("id", 7, "id is int in place of text"),
        ("id", ["1"], "id is list in place of text"),
        ("id", "", "id is empty"),
        ("digest", b"0", "digest is bytes in place of text"),
        ("approver", None, "approver is NoneType in place of text"),
        ("approver", " ", "approver is empty"),
        ("reason", 3.0, "reason is float in place of text"),
        ("expires_at", "2026-01-02", "expires_at is str in place of a datetime"),
        ("expires_at", LATER.replace(tzinfo=None), "expires_at has no time zone"),
    ],
)
def test_approval_with_a_field_of_another_type_does_not_count(
    field: str, value: Any, wrong: str
) -> None:
    request = make_request()

    error = refuse(request, replace(request.approve("ada"), **{field: value}))

    assert error.message == (
        f"the approver answered with an Approval whose {wrong}: return request.approve(...) or request.deny(...)"
    )
    assert error.details == {"tool": "pay", "call_id": "1"}
