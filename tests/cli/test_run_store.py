"""Recorded runs: written while they happen, found, read, removed."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.cli.exceptions import StoreError, UsageError
from agent_factory.cli.runs.reading import read_record, summarize
from agent_factory.cli.runs.records import RecordedDenial, RecordHeader
from agent_factory.cli.runs.store import MAX_PRUNED, RunStore, shorten_ids
from agent_factory.core import Agent, ModelConnectionError, RunOptions
from agent_factory.core.events import TextReceived
from agent_factory.core.identifiers import create_run_id
from agent_factory.core.permissions import Denial
from agent_factory.core.testing import ScriptedModel, create_tool_call
from tests.utils import create_test_agent, create_test_tool

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agent_factory.core.events import RunEvent


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "runs", number=5, days=10)


def create_header(run_id: str) -> RecordHeader:
    return RecordHeader(run_id, "ask", "1.0.0", "d" * 64, "ask.yaml")


def record(
    store: RunStore,
    agent: Agent[None, str],
    scrub: Callable[[str], str] = str,
    run_id: str = "",
) -> Path:
    run_id = run_id or create_run_id()
    with store.create_recorder(create_header(run_id), scrub) as recorder:
        options = RunOptions(observers=(recorder.observe,), run_id=run_id)
        with suppress(ModelConnectionError):
            agent.run_sync("Where?", options=options)
    assert recorder.failure is None
    return store.get_file(run_id)


def create_id(moment: datetime, tail: int = 0) -> str:
    value = f"{int(moment.timestamp() * 1000):012x}"
    return f"{value[:8]}-{value[8:]}-7000-8000-{tail:012x}"


def test_record_tells_the_whole_run(store: RunStore) -> None:
    agent = create_test_agent(
        [create_tool_call("look", {"text": "here"}), "It is here."],
        tools=[create_test_tool("look")],
    )

    file = record(store, agent)

    summary = summarize(file)
    assert (summary.outcome, summary.header.blueprint, summary.error) == ("finished", "ask", "")
    _, events = read_record(file)
    assert [event.type for event in events][-1] == "run_finished"


def test_runs_within_a_run_are_in_its_record(store: RunStore) -> None:
    helper = Agent(name="helper", model=ScriptedModel(["42"]), description="helps")
    agent = create_test_agent(
        [create_tool_call("helper", {"prompt": "six by seven"}), "It is 42."],
        tools=[helper.as_tool()],
    )

    file = record(store, agent)

    _, events = read_record(file)
    assert len({event.run_id for event in events if not isinstance(event, RecordedDenial)}) == 2
    assert summarize(file).outcome == "finished"


def test_failed_run_has_the_code_of_its_error(store: RunStore) -> None:
    file = record(store, create_test_agent([ModelConnectionError("refused", model="m")]))

    summary = summarize(file)
    assert (summary.outcome, summary.error) == ("failed", "model_connection")


def test_nobody_else_can_read_a_record(store: RunStore) -> None:
    store.folder.mkdir(mode=0o755)

    file = record(store, create_test_agent(["done"]))

    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_secrets_are_taken_out_wherever_they_are(store: RunStore) -> None:
    agent = create_test_agent(
        [create_tool_call("look", {"text": "hunter2"}), "It is hunter2."],
        tools=[create_test_tool("look", result="hunter2")],
    )

    file = record(store, agent, lambda text: text.replace("hunter2", "[secret]"))

    assert "hunter2" not in file.read_text()
    assert summarize(file).outcome == "finished"


def test_record_that_was_cut_off_anywhere_is_read_up_to_there(store: RunStore) -> None:
    file = record(store, create_test_agent(["It is done."]))
    content = file.read_bytes()
    first = content.index(b"\n", content.index(b"\n") + 1) + 1

    for end in range(first, len(content) - 1, 7):
        file.write_bytes(content[:end])
        assert summarize(file).outcome == "unfinished"
        _, events = read_record(file)
        assert len(list(events)) == content[:end].count(b"\n") - 1


@pytest.mark.parametrize(
    "content", [b"", b"{}\n", b"\x00\xff", b'{"type": "record", "format": 2}\n', b"[" * 9999]
)
def test_file_that_is_no_record_is_refused(content: bytes, store: RunStore) -> None:
    file = store.get_file(create_run_id())
    file.parent.mkdir()
    file.write_bytes(content)

    with pytest.raises(StoreError):
        summarize(file)
    with pytest.raises(StoreError):
        read_record(file)


@given(st.binary(max_size=300))
@settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_any_end_of_a_record_is_read_or_refused(store: RunStore, content: bytes) -> None:
    run_id = create_run_id()
    file = store.get_file(run_id)
    file.parent.mkdir(exist_ok=True)
    header = json.dumps(create_header(run_id).to_dict()).encode() + b"\n"
    file.write_bytes(header + content)

    with pytest.raises(StoreError):
        summarize(file)


def test_record_is_never_written_over(store: RunStore) -> None:
    file = record(store, create_test_agent(["done"]))
    before = file.read_bytes()

    with store.create_recorder(create_header(file.stem), str) as recorder:
        create_test_agent(["more"]).run_sync(
            "Where?", options=RunOptions(observers=(recorder.observe,))
        )

    assert recorder.failure == "File exists"
    assert file.read_bytes() == before


def test_run_is_found_by_a_beginning_that_only_it_has(store: RunStore) -> None:
    now = datetime(2026, 11, 25, tzinfo=UTC)
    first, second = create_id(now, 1), create_id(now, 2)
    store.folder.mkdir()
    for run_id in (first, second):
        store.get_file(run_id).touch()

    assert store.find(second) == second
    assert store.find("last") == second
    with pytest.raises(UsageError, match="2 recorded runs begin with"):
        store.find(first[:10])
    with pytest.raises(UsageError, match="no recorded run begins with 'ffff'"):
        store.find("ffff")
    with pytest.raises(UsageError, match="no recorded run begins with ''"):
        store.find("")


@given(st.lists(st.integers(1_700_000_000_000, 1_900_000_000_000), max_size=20))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_short_beginnings_are_those_of_one_run_each(moments: list[int]) -> None:
    ids = [
        create_id(datetime.fromtimestamp(item / 1000, UTC), number)
        for number, item in enumerate(moments)
    ]

    short = shorten_ids(ids)

    for run_id, beginning in short.items():
        assert [item for item in ids if item.startswith(beginning)] == [run_id]


def test_only_the_latest_runs_are_kept_and_none_that_is_too_old(store: RunStore) -> None:
    now = datetime(2026, 11, 25, tzinfo=UTC)
    store.folder.mkdir()
    ids = [create_id(now - timedelta(days=day)) for day in (0, 1, 2, 9, 11, 12)]
    newest = [create_id(now, number) for number in (1, 2)]
    for run_id in ids + newest:
        store.get_file(run_id).touch()
    (store.folder / "notes.txt").touch()

    assert store.prune(now) == 3

    assert store.list_ids() == sorted([*newest, *ids[:3]], reverse=True)
    assert store.list_foreign() == ["notes.txt"]


def test_one_call_removes_a_bounded_number_of_runs(store: RunStore) -> None:
    old = datetime(2020, 1, 1, tzinfo=UTC)
    store.folder.mkdir()
    for number in range(MAX_PRUNED + 3):
        store.get_file(create_id(old, number)).touch()

    assert store.prune() == MAX_PRUNED
    assert len(store.list_ids()) == 3


def test_link_is_no_recorded_run(store: RunStore, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("{}")
    store.folder.mkdir()
    store.get_file(create_run_id()).symlink_to(tmp_path / "secret")

    assert store.list_ids() == []


def test_refusals_stand_where_they_happened_and_events_are_read_without_them(
    store: RunStore,
) -> None:
    run_id = create_run_id()
    with store.create_recorder(create_header(run_id), lambda text: text.replace("k3y", "*")) as it:

        def observe(event: RunEvent[object]) -> None:
            if event.type == "run_started":
                it.observe_denial(Denial("hosts", "early.example", "not named"))
            it.observe(event)
            if event.type == "model_requested":
                it.observe_denial(Denial("secrets", "k3y", "not named"))

        agent = create_test_agent(["Done."])
        agent.run_sync("Where?", options=RunOptions(observers=(observe,), run_id=run_id))
        it.observe_denial(Denial("read", "/etc/passwd", "not named"))
    file = store.get_file(run_id)

    _, records = read_record(file)
    kinds = [
        item.target if isinstance(item, RecordedDenial) else item.type
        for item in records
        if not isinstance(item, TextReceived)
    ]

    assert kinds == [
        "run_started",
        "early.example",
        "model_requested",
        "*",
        "model_answered",
        "run_finished",
        "/etc/passwd",
    ]
    assert summarize(file).outcome == "finished"
    _, *lines = file.read_text("utf-8").splitlines()
    assert [json.loads(line)["type"] for line in lines].count("denied") == 3


def test_refusals_of_several_threads_are_all_written(store: RunStore) -> None:
    run_id = create_run_id()
    with store.create_recorder(create_header(run_id), str) as recorder:
        options = RunOptions(observers=(recorder.observe,), run_id=run_id)
        create_test_agent(["Done."]).run_sync("Where?", options=options)

        def deny(number: int) -> None:
            for index in range(50):
                recorder.observe_denial(Denial("hosts", f"{number}-{index}", "not named" * 50))

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(deny, range(4)))

    _, records = read_record(store.get_file(run_id))
    assert len({item.target for item in records if isinstance(item, RecordedDenial)}) == 200
