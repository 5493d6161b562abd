"""Workflows: typed steps, branches, loops, maps and error handlers, run by an engine."""

from agent_factory.core.workflows.choices import Branch, Loop, branch, loop
from agent_factory.core.workflows.engine import LocalEngine, WorkflowEngine
from agent_factory.core.workflows.fanout import Map, Parallel, map_each, parallel
from agent_factory.core.workflows.nodes import Node, StepRunner
from agent_factory.core.workflows.policies import Failure, Retry
from agent_factory.core.workflows.recovery import Recover, recover
from agent_factory.core.workflows.steps import Step, agent_step, step
from agent_factory.core.workflows.workflow import Workflow

__all__ = [
    "Branch",
    "Failure",
    "LocalEngine",
    "Loop",
    "Map",
    "Node",
    "Parallel",
    "Recover",
    "Retry",
    "Step",
    "StepRunner",
    "Workflow",
    "WorkflowEngine",
    "agent_step",
    "branch",
    "loop",
    "map_each",
    "parallel",
    "recover",
    "step",
]
