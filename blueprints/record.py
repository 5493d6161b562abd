"""Records the cassettes of the blueprints and templates again, from answers that people wrote, and locks the blueprints.

A server on this machine with OpenAI's protocol answers in place of a model. Everything else is as in `agent-factory record`: the
same client, the same tools, the same cassettes. Run it after a change of a prompt, a tool or sample data:

    python blueprints/record.py [NAME ...]
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from agent_factory.cli.container import create_container
from agent_factory.cli.evals import choose_suites, run_blueprint_suite
from agent_factory.cli.locks import collect_locked_parts, find_lock_file
from agent_factory.cli.settings import read_settings
from agent_factory.cli.templates import create_from_template, list_templates
from agent_factory.core.blueprints import load_blueprint
from agent_factory.core.locks import create_lock, write_lock
from agent_factory.core.messages import AssistantMessage, ToolCall, UserMessage
from agent_factory.core.serialization import to_plain
from agent_factory.integrations.testing import OpenAIServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent_factory.cli.container import Container
    from agent_factory.integrations.testing.received import ReceivedRequest

__all__ = ["Answers", "record_cassettes", "record_template"]

HERE = Path(__file__).resolve().parent
TEMPLATES = HERE.parent / "packages/cli/src/agent_factory/cli/templates/files"
MODEL = "gpt-5.4-mini"


class Answers:
    """What a model says, chosen by what it was asked last.

    Args:
        file: YAML with a list of conversations. Each has ``asked``, a text in the question, and ``answers``: in their order,
            each a text, data that is written as JSON, or ``calls`` with the ``name`` and ``arguments`` of tools.

    Raises:
        ValueError: The file has something else.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._conversations: list[dict[str, Any]] = yaml.safe_load(file.read_text("utf-8"))
        for conversation in self._conversations:
            if set(conversation) != {"asked", "answers"}:
                raise ValueError(
                    f"{file}: a conversation has 'asked' and 'answers', not {sorted(conversation)}"
                )

    def answer(self, request: ReceivedRequest) -> AssistantMessage:
        """Return the answer to a request.

        Args:
            request: The request.

        Raises:
            LookupError: Nobody wrote one.
        """
        asked = [
            index
            for index, message in enumerate(request.messages)
            if isinstance(message, UserMessage)
        ]
        question = to_plain(request.messages[asked[-1]])["text"]
        said = sum(isinstance(item, AssistantMessage) for item in request.messages[asked[-1] :])
        for number, conversation in enumerate(self._conversations, 1):
            if conversation["asked"] in question:
                answers = conversation["answers"]
                if said < len(answers):
                    return _create_message(answers[said], f"call_{number}_{said + 1}")
        raise LookupError(f"{self._file} has no answer number {said + 1} to: {question[:300]}")


def _create_message(answer: Any, name: str) -> AssistantMessage:
    if isinstance(answer, str):
        return AssistantMessage(answer.rstrip("\n"))
    if not isinstance(answer, dict) or set(answer) - {"calls"}:
        return AssistantMessage(_write_json(answer))
    return AssistantMessage(
        "",
        tuple(
            ToolCall(f"{name}_{index}", call["name"], _write_json(call["arguments"]))
            for index, call in enumerate(answer["calls"], 1)
        ),
    )


def _write_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


@contextmanager
def serve(answers: Answers) -> Iterator[None]:
    """Answer requests to OpenAI's protocol on this machine, and let the environment name that server, within the block.

    Args:
        answers: What it says.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    # In pieces as large as an answer: one recording for each token would hide what was said.
    server = OpenAIServer(answers.answer, models=[MODEL], chunk_tokens=100_000)
    asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result(30)
    names = {
        "OPENAI_BASE_URL": server.base_url,
        "OPENAI_API_KEY": server.api_key,
        "AGENT_FACTORY_MODEL": f"openai:{MODEL}",
    }
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(names)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        asyncio.run_coroutine_threadsafe(server.__aexit__(None, None, None), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()


def record_cassettes(file: Path, answers: Answers) -> list[str]:
    """Record the cassettes of a blueprint.

    Args:
        file: The blueprint.
        answers: What its models say.

    Returns:
        What did not go well, one line for each expectation that was not met.
    """
    problems: list[str] = []
    with serve(answers):
        container = create_container(read_settings())
        loaded, names = choose_suites(file, [])
        for name in names:
            if loaded.suites[name].section.cassette is None:
                continue
            outcome = run_blueprint_suite(file, loaded, name, container, mode="record")
            problems += [
                f"{loaded.blueprint.name}, {name}, {case.name}: {reason}"
                for case in outcome.report.cases
                for attempt in case.attempts
                for reason in attempt.reasons
            ]
            if outcome.problem is not None:
                problems.append(outcome.problem.message)
    return problems


def lock(file: Path, container: Container) -> None:
    """Write the lock of a blueprint.

    Args:
        file: The blueprint.
        container: Makes what it needs.
    """
    parts = collect_locked_parts(load_blueprint(file), container.create_adapters(), installed=True)
    find_lock_file(file).write_text(write_lock(create_lock(parts)), "utf-8")


def record_template(name: str, answers: Answers) -> list[str]:
    """Record the cassettes of a template of `agent-factory init`.

    Args:
        name: Name of the template.
        answers: What its models say.

    Returns:
        What did not go well.
    """
    with tempfile.TemporaryDirectory() as folder:
        container = create_container(read_settings())
        made = Path(folder) / "shop"
        create_from_template(made, name, container.create_adapters())
        problems = record_cassettes(made / "blueprint.yaml", answers)
        for cassette in (made / "cassettes").glob("*.json"):
            (TEMPLATES / name / "cassettes" / cassette.name).write_bytes(cassette.read_bytes())
    return problems


def main(names: list[str]) -> int:
    """Record what is named; everything if nothing is.

    Args:
        names: Names of blueprints and templates.
    """
    problems: list[str] = []
    for file in sorted([*HERE.glob("*.yaml"), *HERE.glob("*/blueprint.yaml")]):
        name = file.stem if file.parent == HERE else file.parent.name
        if names and name not in names:
            continue
        written = file.parent / "cassettes" / "answers.yaml"
        if written.is_file():
            problems += record_cassettes(file, Answers(written))
        lock(file, create_container(read_settings()))
        print(f"recorded {name}")
    for template in list_templates():
        written = HERE / "templates" / f"{template.name}.yaml"
        if written.is_file() and (not names or template.name in names):
            problems += record_template(template.name, Answers(written))
            print(f"recorded template {template.name}")
    for problem in problems:
        print(re.sub(r"\s+", " ", problem), file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
