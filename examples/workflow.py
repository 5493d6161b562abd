"""Two agents as steps of a workflow: the second gets what the first one returned."""

from __future__ import annotations

import asyncio

from pydantic import BaseModel

from agent_factory.core import Agent, Model, Workflow, step
from agent_factory.core.testing import ScriptedModel

__all__ = ["Complaint", "create_workflow", "main"]


class Complaint(BaseModel):
    """What a customer complains about.

    Attributes:
        article: Number of the article.
        problem: What is wrong with it, in a few words.
    """

    article: str
    problem: str


def create_workflow(reader_model: Model, writer_model: Model) -> Workflow[str, str]:
    """Return a workflow from the mail of a customer to the draft of an answer.

    Args:
        reader_model: The model that reads the mail.
        writer_model: The model that writes the answer.
    """
    reader = Agent(name="reader", model=reader_model, output_type=Complaint)
    writer = Agent(name="writer", model=writer_model, instructions="Write a short, polite reply.")

    async def read(mail: str) -> Complaint:
        return (await reader.run(mail)).output

    async def write(complaint: Complaint) -> str:
        return (await writer.run(f"{complaint.article}: {complaint.problem}")).output

    # mypy rejects the steps in any other order: what `read` returns is what `write` takes.
    return Workflow("answer-complaint", step(read)).then(step(write))


def main() -> None:
    """Answer one mail."""
    workflow = create_workflow(
        ScriptedModel(['{"article": "A-17", "problem": "arrived without its lid"}']),
        ScriptedModel(["We are sorry. A lid for your A-17 is on its way."]),
    )
    print(asyncio.run(workflow.run("My A-17 came yesterday, but where is the lid?")))


if __name__ == "__main__":
    main()
