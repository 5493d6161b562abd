from __future__ import annotations

import asyncio
import itertools
import json
from pathlib import Path

from agent_factory.core import Agent
from agent_factory.core.evals import (
    EvalCase,
    EvalReport,
    EvalSuite,
    Exact,
    Gate,
    Judge,
    create_agent_target,
    run_suite,
)
from agent_factory.core.models import Model
from agent_factory.core.testing import Cassette, FunctionModel, ScriptedModel

VERDICT = json.dumps({"verdict": "pass", "reason": "it is fine"})


def evaluate(model: Model, judge: Model) -> EvalReport:
    agent = Agent(name="clerk", model=model)
    cases = (
        EvalCase("flaky", "Toss a coin.", (Exact("heads"), Judge(judge, "It is a side."))),
        EvalCase("steady", "Say it again.", (Judge(judge, "It is a side."),)),
    )
    suite = EvalSuite("coins", cases, 4, gate=Gate(min_pass_rate=0.5), concurrency=1)
    return asyncio.run(run_suite(suite, create_agent_target(agent)))


def test_replayed_suite_comes_to_what_the_recorded_one_came_to(tmp_path: Path) -> None:
    file = tmp_path / "cassette.json"
    sides = itertools.cycle(["heads", "tails"])
    coin = FunctionModel(lambda _: next(sides), name="coin")
    judge = ScriptedModel([VERDICT] * 8, name="judge")

    with Cassette(file, "record") as cassette:
        recorded = evaluate(cassette.wrap_model(coin), cassette.wrap_model(judge))
    with Cassette(file, "replay") as cassette:
        replayed = evaluate(cassette.wrap_model(coin), cassette.wrap_model(judge))

    assert (recorded.verdict, [case.verdict for case in recorded.cases]) == (
        "pass",
        ["flaky", "pass"],
    )
    for report in (recorded, replayed):
        for case in report.cases:
            for attempt in case.attempts:
                assert attempt.observation.error is None
    assert [[item.observation.output for item in case.attempts] for case in replayed.cases] == [
        [item.observation.output for item in case.attempts] for case in recorded.cases
    ]
    assert [[item.findings for item in case.attempts] for case in replayed.cases] == [
        [item.findings for item in case.attempts] for case in recorded.cases
    ]
