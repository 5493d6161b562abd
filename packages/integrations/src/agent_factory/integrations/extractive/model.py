"""A model without a model: it searches documents with the agent's tools and quotes what fits best."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent_factory.core.exceptions import ModelRequestError
from agent_factory.core.messages import AssistantMessage, ToolCall, ToolMessage, UserMessage
from agent_factory.core.models import ModelResponse, TextDelta
from agent_factory.core.usage import Usage
from agent_factory.integrations.extractive import answer, planning
from agent_factory.integrations.extractive.findings import SearchFindings, read_findings
from agent_factory.integrations.extractive.ranking import rank

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from agent_factory.core.messages import Message
    from agent_factory.core.models import ModelRequest, ToolSpec

__all__ = ["ExtractiveModel"]

MAX_CALLS = 3
# Of the keywords: with less, a second search with other words is worth it ...
POOR_COVERAGE = 0.75
# ... and with less than this, a passage answers something else than what was asked.
LEAST_COVERAGE = 0.34


class ExtractiveModel:
    """Answers questions about documents by quoting them; deterministic, without weights, key or network.

    It is no language model, and says so in every answer. It wants a tool with ``search`` in its name whose only required
    argument is a string ``query``, and whose result has ``passages`` with ``file``, ``line``, ``heading``, ``text`` and
    ``score``, as `create_search_documents` makes it. It asks it at most twice, then quotes up to three passages with
    ``file:line``. A question that is plain arithmetic goes to the tool ``calculate``, if there is one.
    """

    @property
    def name(self) -> str:
        """Name of the model: ``extractive``."""
        return "extractive"

    async def respond(self, request: ModelRequest) -> ModelResponse:
        """Ask the tools, or answer from what they found.

        Args:
            request: The conversation; its last user message is the question.

        Raises:
            ModelRequestError: The answer must have a structure, which takes a language model.
        """
        if request.output is not None:
            raise ModelRequestError(
                "the built-in model 'extractive' only quotes documents and cannot fill in the structured output "
                f"{request.output.name!r}: configure a language model, with OPENAI_API_KEY or OPENAI_BASE_URL",
                model=self.name,
            )
        message = _Turn.read(request).decide()
        return ModelResponse(
            message, Usage(requests=1), "tool_calls" if message.tool_calls else "stop", self.name
        )

    async def stream(self, request: ModelRequest) -> AsyncIterator[TextDelta | ModelResponse]:
        """Do as `respond` does, with the text line by line.

        Args:
            request: As for `respond`.

        Yields:
            The lines of the text, then the whole response.

        Raises:
            ModelRequestError: As for `respond`.
        """
        response = await self.respond(request)
        for line in response.message.text.splitlines(keepends=True):
            yield TextDelta(line)
        yield response


@dataclass(frozen=True, slots=True)
class _Turn:
    """What happened since the last user message."""

    question: str
    calls: tuple[ToolCall, ...]
    results: tuple[ToolMessage, ...]
    rounds: int
    tools: tuple[ToolSpec, ...]
    position: int

    @classmethod
    def read(cls, request: ModelRequest) -> _Turn:
        question, start = _find_question(request.messages)
        since = request.messages[start:]
        asked = [message for message in since if isinstance(message, AssistantMessage)]
        return cls(
            question,
            tuple(call for message in asked for call in message.tool_calls),
            tuple(message for message in since if isinstance(message, ToolMessage)),
            len(asked),
            request.tools,
            len(request.messages),
        )

    def decide(self) -> AssistantMessage:
        expression = planning.read_arithmetic(self.question)
        calculator = planning.find_calculator(self.tools)
        if expression is not None and calculator is not None:
            if self.results:
                return AssistantMessage(answer.write_calculation(expression, self.results[-1]))
            arguments = json.dumps({"expression": expression})
            return AssistantMessage("", (ToolCall(self._name_call(0), calculator.name, arguments),))
        return self._search()

    def _search(self) -> AssistantMessage:
        searches = planning.find_search_tools(self.tools)
        if not searches:
            return AssistantMessage(answer.write_no_tool([tool.name for tool in self.tools]))
        question = planning.read_question(self.question)
        if not question.keywords:
            return AssistantMessage(answer.write_no_question())
        if not self.rounds:
            return self._ask(searches, planning.plan_first_search(question))
        findings, problems = _read_results(self.results)
        if not findings:
            return AssistantMessage(answer.write_failures(problems))
        ranking = rank(question, findings)
        coverage = max((item.coverage for item in ranking.passages), default=0.0)
        if self.rounds == 1 and coverage < POOR_COVERAGE:
            queries = planning.plan_relaxed_search(question, ranking.missing)
            if queries:
                return self._ask(searches, queries)
        skipped = [gap for finding in findings for gap in finding.skipped]
        text = None
        if coverage >= LEAST_COVERAGE:
            text = answer.write_quotations(ranking, skipped, problems)
        return AssistantMessage(text or answer.write_nothing_found(question, skipped, problems))

    def _ask(self, tools: Sequence[ToolSpec], queries: Sequence[str]) -> AssistantMessage:
        wanted = [(tool, query) for query in queries for tool in tools][:MAX_CALLS]
        calls = tuple(
            ToolCall(
                self._name_call(index), tool.name, planning.write_search_arguments(tool, query)
            )
            for index, (tool, query) in enumerate(wanted)
        )
        return AssistantMessage("", calls)

    def _name_call(self, index: int) -> str:
        return f"extractive-{self.position}-{index}"


def _find_question(messages: Sequence[Message]) -> tuple[str, int]:
    for index in range(len(messages) - 1, -1, -1):
        message = messages[index]
        if isinstance(message, UserMessage):
            return message.text, index
    return "", len(messages)


def _read_results(results: Sequence[ToolMessage]) -> tuple[list[SearchFindings], list[str]]:
    findings: list[SearchFindings] = []
    problems: list[str] = []
    for result in results:
        if result.is_error:
            problems.append(f"{result.name}: {result.content}")
            continue
        try:
            findings.append(read_findings(result.content))
        except ValueError as error:
            problems.append(f"{result.name}: its result has no passages that can be read ({error})")
    return findings, problems
