"""For any section: the workflow gives what a plain reading of the YAML gives, and goes on after any interruption."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core import Question, WorkflowError
from agent_factory.core.blueprints.schema.workflows import WorkflowSection
from agent_factory.core.blueprints.workflows import check_workflow, create_workflow
from agent_factory.core.workflows import LocalEngine
from tests.core.blueprints.workflow_sections import AGENTS, TOOLS, digest
from tests.core.workflow_engine import InterruptedRun, RecordingEngine

REFERENCE = re.compile(r"\{\{([\w.]+)\}\}")


class Person:
    async def ask(self, question: Question) -> str:
        await asyncio.sleep(0)
        return digest(question.text + "?")


class FailedError(Exception):
    """A step of the plain reading failed."""


class Maker:
    """Draws steps whose references all lead somewhere."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.made = 0
        self.caught = 0

    def steps(self, known: list[str], depth: int) -> list[dict[str, Any]]:
        made = []
        known = list(known)
        for _ in range(self.draw(st.integers(1, 2))):
            made.append(self.step(known, depth))
            known.append(f"steps.{made[-1]['name']}")
        return made

    def text(self, known: list[str]) -> str:
        one, other = (self.draw(st.sampled_from(known)) for _ in range(2))
        return str(
            self.draw(st.sampled_from([f"{{{{{one}}}}}", f"x {{{{{one}}}}} {{{{{other}}}}}"]))
        )

    def step(self, known: list[str], depth: int) -> dict[str, Any]:
        self.made += 1
        name = f"n{self.made}"
        simple = ["agent", "tool", "ask", "value"]
        if self.caught and self.draw(st.booleans()):
            simple = ["fail"]
        kinds = (
            simple if depth == 0 else [*simple, "for_each", "parallel", "switch", "repeat", "try"]
        )
        kind = self.draw(st.sampled_from(kinds))
        if kind == "agent":
            return {"name": name, "agent": "digest", "input": self.text(known)}
        if kind == "ask":
            return {"name": name, "ask": "Is it " + self.text(known)}
        if kind == "value":
            text = self.text(known)
            shapes: list[Any] = [text, {"it": text, "n": 1}, [text, None], None]
            return {"name": name, "value": self.draw(st.sampled_from(shapes))}
        if kind in ("tool", "fail"):
            called = "sort_out" if kind == "tool" else "fail"
            return {"name": name, "tool": called, "arguments": {"text": "t" + self.text(known)}}
        if kind == "for_each":
            items = [self.text(known) for _ in range(self.draw(st.integers(0, 3)))]
            steps = self.steps([*known, "item", "index"], depth - 1)
            return {"name": name, "for_each": items, "limit": 2, "steps": steps}
        if kind == "parallel":
            return {"name": name, "parallel": [self.step(known, depth - 1) for _ in range(2)]}
        if kind == "try":
            self.caught += 1
            steps = self.steps(known, depth - 1)
            self.caught -= 1
            handler = self.steps([*known, "error.type"], depth - 1)
            return {"name": name, "try": steps, "on_error": handler}
        self.made += 1
        bins: dict[str, Any] = {"name": f"n{self.made}", "tool": "sort_out"}
        if kind == "switch":
            inner = [*known, f"steps.{name}"]
            bins = {"name": name, "tool": "sort_out", "arguments": {"text": "s" + self.text(known)}}
            self.made += 1
            made: dict[str, Any] = {
                "name": f"n{self.made}",
                "switch": "{{steps." + name + ".bin}}",
                "cases": {"0": self.steps(inner, depth - 1), "1": self.steps(inner, depth - 1)},
            }
            if self.draw(st.booleans()):
                made["otherwise"] = self.steps(inner, depth - 1)
            self.made += 1
            # Both in one step, so that it can stand where one is needed.
            handler = [{"name": f"n{self.made}", "agent": "digest", "input": "{{error.type}}"}]
            self.made += 1
            return {"name": f"n{self.made}", "try": [bins, made], "on_error": handler}
        steps = self.steps([*known, "turn", "previous"], depth - 1)
        last = "{{steps." + steps[-1]["name"] + "}}"
        bins["arguments"] = {"text": "r" + last}
        return {
            "name": name,
            "repeat": [*steps, bins],
            "start": self.text(known),
            "until": {"value": "{{steps." + bins["name"] + ".bin}}", "equals": 0},
            "max_turns": 4,
        }


class Reader:
    """Does what the YAML says, in plain Python."""

    def steps(self, steps: list[dict[str, Any]], scope: dict[str, Any]) -> Any:
        result = None
        for step in steps:
            result = self.step(step, scope)
            scope["steps"] = {**scope["steps"], step["name"]: result}
        return result

    def find(self, name: str, scope: dict[str, Any]) -> Any:
        value: Any = scope
        for part in name.split("."):
            value = value[part]
        return value

    def render(self, text: str, scope: dict[str, Any]) -> Any:
        whole = REFERENCE.fullmatch(text)
        if whole:
            return self.find(whole[1], scope)

        def write(match: re.Match[str]) -> str:
            value = self.find(match[1], scope)
            return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))

        return REFERENCE.sub(write, text)

    def shape(self, value: Any, scope: dict[str, Any]) -> Any:
        if isinstance(value, dict):
            return {key: self.shape(item, scope) for key, item in value.items()}
        if isinstance(value, list):
            return [self.shape(item, scope) for item in value]
        return self.render(value, scope) if isinstance(value, str) else value

    def step(self, step: dict[str, Any], scope: dict[str, Any]) -> Any:
        if "value" in step:
            return self.shape(step["value"], scope)
        if "agent" in step:
            asked = self.render(step["input"], scope)
            shown = asked if isinstance(asked, str) else json.dumps(asked, separators=(",", ":"))
            return digest(shown)
        if "ask" in step:
            return digest(self.render(step["ask"], scope) + "?")
        if "tool" in step:
            text = self.render(step["arguments"]["text"], scope)
            if step["tool"] == "fail":
                raise FailedError("ToolExecutionError")
            return {"bin": int(digest(text), 16) % 3, "text": digest(text)}
        if "for_each" in step:
            items = [self.render(item, scope) for item in step["for_each"]]
            return [
                self.steps(step["steps"], {**scope, "item": item, "index": index})
                for index, item in enumerate(items)
            ]
        if "parallel" in step:
            return {item["name"]: self.step(item, dict(scope)) for item in step["parallel"]}
        if "switch" in step:
            case = str(self.render(step["switch"], scope))
            steps = step["cases"].get(case) or step.get("otherwise")
            if steps is None:
                raise FailedError("WorkflowError")
            return self.steps(steps, dict(scope))
        if "try" in step:
            try:
                return self.steps(step["try"], dict(scope))
            except FailedError as error:
                told = {**scope, "error": {"type": str(error)}}
                return self.steps(step["on_error"], told)
        previous = self.render(step["start"], scope)
        for turn in range(step["max_turns"]):
            inner = {**scope, "turn": turn, "previous": previous}
            previous = self.steps(step["repeat"], inner)
            if previous["bin"] == 0:
                return previous
        raise FailedError("WorkflowError")


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), topic=st.sampled_from(["a", "b", "c"]))
def test_workflow_does_what_its_yaml_says_and_goes_on_where_it_was_interrupted(
    data: st.DataObject, topic: str
) -> None:
    steps = Maker(data.draw).steps(["input.topic"], 2)
    section = WorkflowSection.model_validate({"steps": steps})
    assert check_workflow(section, agents=AGENTS, tools=TOOLS, inputs=["topic"]) == []
    workflow = create_workflow("w", section, agents=AGENTS, get_tool=TOOLS.__getitem__)
    value = {"topic": topic}

    def run(engine: Any) -> Any:
        return asyncio.run(workflow.run(value, engine=engine, run_id="r"))

    try:
        expected = Reader().steps(steps, {"input": value, "steps": {}})
    except FailedError:
        with pytest.raises(WorkflowError):
            run(LocalEngine(person=Person()))
        return
    assert run(LocalEngine(person=Person())) == expected
    whole = RecordingEngine(person=Person())
    assert run(whole) == expected
    for count in range(len(whole.ran)):
        first = RecordingEngine(person=Person(), stop_after=count)
        with pytest.raises(InterruptedRun):
            run(first)
        second = RecordingEngine(first.records, first.handled, Person())
        assert run(second) == expected
        done = [path for path in first.ran if path in first.records]
        assert not set(done) & set(second.ran)
        assert second.records == whole.records
