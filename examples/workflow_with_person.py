"""A workflow that tries a step again, waits for a person, and goes on as the person decided."""

from __future__ import annotations

import asyncio
import sys
from typing import Literal

from agent_factory.core import (
    Agent,
    InMemoryPerson,
    LocalEngine,
    Model,
    ModelServerError,
    Person,
    Question,
    Retry,
    Workflow,
    agent_step,
    ask_person,
    branch,
    parallel,
    step,
)
from agent_factory.core.testing import ScriptedModel
from agent_factory.core.threads import run_in_thread

__all__ = ["Terminal", "create_workflow", "main"]

Decision = Literal["publish", "discard"]


class Terminal:
    """Asks whoever sits at the terminal."""

    async def ask(self, question: Question) -> str:
        """Ask; an answer that is neither word fails the workflow.

        Args:
            question: What is asked.
        """
        return await run_in_thread(lambda: input(f"{question.text} (publish or discard) "))


def create_workflow(model: Model) -> Workflow[str, str]:
    """Return a workflow from a topic to what became of the text about it.

    Args:
        model: The model that writes.
    """
    write = agent_step(Agent(name="writer", model=model), retry=Retry(first_delay=0.01))

    def create_question(draft: str) -> str:
        return f"Publish {draft!r}?"

    async def keep(draft: str) -> str:
        return draft

    def read_decision(reviewed: tuple[str, Decision]) -> Decision:
        return reviewed[1]

    async def publish(reviewed: tuple[str, Decision]) -> str:
        return f"Published: {reviewed[0]}"

    async def discard(reviewed: tuple[str, Decision]) -> str:
        return f"Discarded: {reviewed[0]}"

    # The next step gets the draft and the answer. A decision without a case is refused here, before anything runs.
    review = parallel("desk", step(keep), ask_person("review", create_question, answer=Decision))
    cases = {"publish": step(publish), "discard": step(discard)}
    return Workflow("news", write).then(review).then(branch("decision", read_decision, cases))


def main() -> None:
    """Write about lids with a model whose server fails once."""
    model = ScriptedModel([ModelServerError("overloaded", model="scripted"), "Lids are back."])
    # Without a terminal, the answer is known in advance.
    known = InMemoryPerson({"desk/review": "publish"})
    person: Person = Terminal() if sys.stdin.isatty() and sys.stdout.isatty() else known
    print(asyncio.run(create_workflow(model).run("lids", engine=LocalEngine(person=person))))
    print(f"{len(model.requests)} model calls")


if __name__ == "__main__":
    main()
