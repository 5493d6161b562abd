"""Making the tools and toolsets of a blueprint."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from agent_factory.core.blueprints.guarding import guard_tool, guard_toolset
from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.models import ToolSpec
from agent_factory.core.permissions import Need
from agent_factory.core.suggestions import describe_choices
from agent_factory.core.toolsets import create_tools_per_run, rename_tool

if TYPE_CHECKING:
    from agent_factory.core.blueprints.assembling.context import AssemblyContext
    from agent_factory.core.blueprints.document import Path as Place
    from agent_factory.core.blueprints.schema.tools import ToolsetSection
    from agent_factory.core.permissions import Grant
    from agent_factory.core.tools import Tool
    from agent_factory.core.toolsets import Toolset

__all__ = ["ToolMaker", "shape_tool"]


class ToolMaker:
    """Makes the tools and toolsets of a blueprint, under its permissions.

    Args:
        context: What makers share.

    Attributes:
        tools: The tools of the registry that the blueprint or its workflows use, by the name that models call them by.
        toolsets: The toolsets by name.
    """

    def __init__(self, context: AssemblyContext) -> None:
        self.tools: dict[str, Tool[object]] = {}
        self.toolsets: dict[str, Toolset[object]] = {}
        self._context = context

    def make_all(self) -> None:
        """Make what stands under ``tools`` and ``toolsets``, and what workflows call without a description there."""
        context = self._context
        for name, section in context.blueprint.tools.items():
            made = self.create(section.use, section.options, ("tools", name))
            if made is None:
                continue
            shaped = context.attempt(
                ("tools", name),
                shape_tool,
                made,
                name,
                section.description,
                section.approval,
                section.timeout,
            )
            if shaped is not None:
                self.tools[name] = shaped
        for name, toolset in context.blueprint.toolsets.items():
            context.attempt(("toolsets", name), self._create_toolset, name, toolset)
        self._make_step_tools()

    def create(self, use: str, options: dict[str, Any], place: Place) -> Tool[object] | None:
        """Make a tool of the registry; None where it cannot be made, which becomes a problem.

        Args:
            use: Its name in the registry.
            options: Its options.
            place: What the blueprint says of it.
        """
        context = self._context
        made = self._create_tool(use, options, place)
        if made is None:
            return None
        made = guard_tool(made, context.grant)
        return made if context.wrap_tool is None else context.wrap_tool(use, made)

    def _create_tool(self, use: str, options: dict[str, Any], place: Place) -> Tool[object] | None:
        from pydantic import ValidationError

        from agent_factory.core.blueprints.problems import create_problems

        context = self._context
        entry = context.attempt((*place, "use"), context.adapters.tools.get, use)
        if entry is None:
            return None
        try:
            given = entry.options.model_validate(options)
        except ValidationError as error:
            document = context.file.document
            context.problems += create_problems(document, error, entry.options, (*place, "with"))
            return None
        # Those of a package are not known before it is imported, which no check does.
        for need in entry.needs(given):
            # Whether the address of a name is a private one shows only when it is called.
            private = need.kind == "hosts" and context.grant.allows(
                Need("private_hosts", need.target)
            )
            if not private and not context.attempt(
                (*place, "with", *need.path), _check_need, context.grant, need
            ):
                return None
        return context.attempt((*place, "with"), entry.create_tool, options, context.environment)

    def _create_toolset(self, name: str, section: ToolsetSection) -> None:
        context = self._context
        made = context.adapters.get_toolsets().create(
            name, section, context.file, context.environment
        )
        context.closing.add(made)
        grant = context.grant
        # Whatever makes toolsets: what is not permitted is not offered.
        shown = made.filter(lambda tool: grant.allows(Need("tools", f"{name}/{tool.name}")))
        if section.approval:
            shown = shown.require_approval()
        elif section.approval_for:
            shown = _ask_for(shown, frozenset(section.approval_for), name)
        if section.prefix:
            shown = shown.prefix(section.prefix)
        self.toolsets[name] = guard_toolset(shown, context.grant, name, context.wrap_tool)

    def _make_step_tools(self) -> None:
        workflows = self._context.blueprint.workflows
        if not workflows:
            return
        from agent_factory.core.blueprints.workflow_tools import find_tools

        for name, section in workflows.items():
            for place, use in find_tools(section):
                if use not in self.tools and use not in self._context.blueprint.tools:
                    made = self.create(use, {}, ("workflows", name, *place))
                    if made is not None:
                        self.tools[use] = made


def shape_tool(
    tool: Tool[object],
    name: str | None,
    description: str | None,
    approval: bool,
    timeout: float | None = None,
) -> Tool[object]:
    """Return a tool as a blueprint wants it to be.

    Args:
        tool: The tool.
        name: Name for the model; as before if None.
        description: Text for the model; as before if None.
        approval: Whether a person has to approve each call; where one has to already, that stays.
        timeout: Seconds that one call may take; as before if None.

    Raises:
        ConfigurationError: The name or the timeout is refused.
    """
    if name is not None:
        tool = rename_tool(tool, name)
    if description is not None:
        tool = replace(tool, spec=ToolSpec(tool.spec.name, description, tool.spec.parameters))
    if approval:
        tool = replace(tool, needs_approval=True)
    return tool if timeout is None else replace(tool, timeout=timeout)


def _check_need(grant: Grant, need: Need) -> bool:
    grant.check(need)
    return True


def _ask_for(toolset: Toolset[Any], names: frozenset[str], toolset_name: str) -> Toolset[Any]:
    """Return a toolset some of whose tools need an approval. One that is not there is refused: it may be misspelt."""

    async def create(context: Any) -> list[Tool[Any]]:
        tools = await toolset.list_tools(context)
        known = {item.name for item in tools}
        for name in sorted(names - known):
            raise ConfigurationError(
                f"toolset {toolset_name!r} has no tool {name!r}, which its 'approval_for' names, or permissions.tools does "
                f"not permit it: {describe_choices(name, known)}"
            )
        return [
            replace(item, needs_approval=True) if item.name in names else item for item in tools
        ]

    return create_tools_per_run(create)
