"""Checks of a blueprint as a whole: what it names exists, and its permissions name what it uses. Nothing is imported or run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_factory.core.blueprints.checks.agents import check_agents
from agent_factory.core.blueprints.checks.context import CheckContext
from agent_factory.core.blueprints.checks.evals import check_suites, check_workflows
from agent_factory.core.blueprints.checks.guardrails import check_guardrails, check_memory
from agent_factory.core.blueprints.checks.models import check_models
from agent_factory.core.blueprints.checks.names import check_entry, check_spelling
from agent_factory.core.blueprints.checks.permissions import check_limits, check_permissions
from agent_factory.core.blueprints.checks.schemas import check_schema
from agent_factory.core.blueprints.checks.tools import check_tools
from agent_factory.core.blueprints.leaks import find_hidden, find_leaks, hide_secrets
from agent_factory.core.blueprints.loading import create_blueprint_error
from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.permissions import Grant
from agent_factory.core.source import select_problems

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent_factory.core.blueprints.adapters import Adapters
    from agent_factory.core.blueprints.loading import BlueprintFile
    from agent_factory.core.source import Problem

__all__ = ["check_blueprint", "find_own_problems", "find_problems"]


def check_blueprint(file: BlueprintFile, adapters: Adapters) -> None:
    """Make sure that a blueprint can be put together, as far as that can be told without importing or running anything.

    Args:
        file: The blueprint.
        adapters: What the program brings along.

    Raises:
        BlueprintError: Something that it names does not exist, an option does not fit, or its permissions do not name what it
            uses; it has every problem.
    """
    problems = find_problems(file, adapters)
    if problems:
        raise create_blueprint_error(file.document.file, problems)


def find_problems(file: BlueprintFile, adapters: Adapters) -> list[Problem]:
    """Return what keeps a blueprint from being put together, by file and in its order. No message shows a secret.

    Args:
        file: The blueprint.
        adapters: What the program brings along.
    """
    problems = find_own_problems(file, adapters)
    from agent_factory.core.blueprints.dependencies import find_dependency_problems

    try:
        grant = Grant(file.blueprint.permissions.create_permissions(), file.folder)
    except ConfigurationError:
        grant = None  # said before
    problems += find_dependency_problems(file, adapters, grant)
    return _sort(problems, file.document.file)


def find_own_problems(file: BlueprintFile, adapters: Adapters) -> list[Problem]:
    """Return what keeps a blueprint from being put together, leaving out the blueprints that it uses.

    Args:
        file: The blueprint.
        adapters: What the program brings along.
    """
    context = CheckContext(file, adapters)
    check_permissions(context)
    check_limits(context)
    check_entry(context)
    check_spelling(context)
    for key in ("inputs", "outputs"):
        check_schema(context, getattr(file.blueprint, key), (key,))
    check_models(context)
    check_tools(context)
    check_guardrails(context)
    check_memory(context)
    check_agents(context)
    check_workflows(context)
    check_suites(context)
    leaks = find_leaks(file.document)
    # What else is wrong in such a place does not matter.
    places = {item.location for item in leaks}
    problems = leaks + [item for item in context.problems if item.location not in places]
    return hide_secrets(problems, find_hidden(file.document.value))


def _sort(problems: Iterable[Problem], first: str) -> list[Problem]:
    by_file: dict[str, list[Problem]] = {}
    for item in problems:
        by_file.setdefault(item.location.file, []).append(item)
    names = sorted(by_file, key=lambda name: (name != first, name))
    return [item for name in names for item in select_problems(by_file[name])]
