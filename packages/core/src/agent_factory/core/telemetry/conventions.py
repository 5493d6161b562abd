"""The names that the OpenTelemetry semantic conventions for generative AI give to things, and our own.

See https://opentelemetry.io/docs/specs/semconv/gen-ai/, as of version 1.41. What the conventions have no name for begins
with ``agent_factory``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent_factory.core.telemetry.ports import AttributeValue
    from agent_factory.core.usage import Usage

__all__ = [
    "AGENT_DURATION",
    "METRICS",
    "OPERATION_DURATION",
    "PROVIDERS",
    "TOKEN_USAGE",
    "TOOL_DURATION",
    "Metric",
    "describe_model",
    "describe_tool",
    "describe_usage",
    "to_nanoseconds",
]

_TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

PROVIDERS: Mapping[str, str] = MappingProxyType(
    {
        "azure": "azure.ai.openai",
        "bedrock": "aws.bedrock",
        "gemini": "gcp.gemini",
        "google": "gcp.gen_ai",
        "mistral": "mistral_ai",
        "moonshot": "moonshot_ai",
        "vertex": "gcp.vertex_ai",
        "watsonx": "ibm.watsonx.ai",
        "xai": "x_ai",
    }
)
"""What the conventions call providers, by what the names of our models begin with, where the two differ."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric of the conventions.

    Attributes:
        name: Its name.
        unit: Its unit, as UCUM writes it.
        description: What it measures.
        boundaries: Upper bounds of its buckets, in its unit.
    """

    name: str
    unit: str
    description: str
    boundaries: tuple[float, ...]


_SECONDS = tuple(round(0.01 * 2**power, 2) for power in range(14))

TOKEN_USAGE = Metric(
    "gen_ai.client.token.usage",
    "{token}",
    "Number of input and output tokens used.",
    tuple(4**power for power in range(14)),
)
OPERATION_DURATION = Metric(
    "gen_ai.client.operation.duration", "s", "Duration of a model call.", _SECONDS
)
AGENT_DURATION = Metric(
    "gen_ai.invoke_agent.duration",
    "s",
    "Duration of a run of an agent.",
    tuple(round(0.1 * 2**power, 1) for power in range(13)),
)
TOOL_DURATION = Metric("gen_ai.execute_tool.duration", "s", "Duration of a tool call.", _SECONDS)


METRICS = (TOKEN_USAGE, OPERATION_DURATION, AGENT_DURATION, TOOL_DURATION)


def describe_model(name: str, providers: Mapping[str, str]) -> dict[str, str]:
    """Return a model, and what the conventions call its provider, as attributes.

    Args:
        name: Name of the model, such as ``openai:gpt-5-mini``.
        providers: Names of providers by what the names of models begin with; one that is missing is named so itself.
    """
    prefix, _, model = name.partition(":")
    return {
        "gen_ai.provider.name": providers.get(prefix, prefix),
        "gen_ai.request.model": model or name,
    }


def describe_tool(name: str) -> str:
    """Return the name of a tool, or ``_OTHER`` where it cannot be one: a model may write anything in its place.

    Args:
        name: What a model wants called.
    """
    return name if _TOOL_NAME.fullmatch(name) else "_OTHER"


def describe_usage(usage: Usage) -> dict[str, AttributeValue]:
    """Return what was used as attributes.

    Args:
        usage: What a model call or a run used.
    """
    attributes: dict[str, AttributeValue] = {
        "gen_ai.usage.input_tokens": usage.input_tokens,
        "gen_ai.usage.output_tokens": usage.output_tokens,
    }
    if usage.cached_input_tokens:
        attributes["gen_ai.usage.cache_read.input_tokens"] = usage.cached_input_tokens
    if usage.reasoning_tokens:
        attributes["gen_ai.usage.reasoning.output_tokens"] = usage.reasoning_tokens
    if usage.cost is not None:
        attributes["agent_factory.usage.cost"] = usage.cost
    return attributes


def to_nanoseconds(time: datetime) -> int:
    """Return a time as nanoseconds since 1970 in UTC, exact to the microsecond.

    Args:
        time: The time, with its time zone.
    """
    return (time - _EPOCH) // _MICROSECOND * 1000
