"""Workflows: typed steps, branches, loops, maps, questions to people and error handlers, run by an engine."""

from agent_factory.core.workflows.choices import Branch, Loop, branch, loop
from agent_factory.core.workflows.context import StepContext
from agent_factory.core.workflows.engine import LocalEngine, WorkflowEngine
from agent_factory.core.workflows.fanout import Map, Parallel, map_each, parallel
from agent_factory.core.workflows.nodes import Node, StepRunner
from agent_factory.core.workflows.people import InMemoryPerson, Person, Question
from agent_factory.core.workflows.policies import Caught, Failure, Retry, catch
from agent_factory.core.workflows.questions import AskPerson, ask_person
from agent_factory.core.workflows.recovery import Recover, recover
from agent_factory.core.workflows.steps import Step, agent_step, step
from agent_factory.core.workflows.values import Codec
from agent_factory.core.workflows.workflow import Workflow

__all__ = [
    "AskPerson",
    "Branch",
    "Caught",
    "Codec",
    "Failure",
    "InMemoryPerson",
    "LocalEngine",
    "Loop",
    "Map",
    "Node",
    "Parallel",
    "Person",
    "Question",
    "Recover",
    "Retry",
    "Step",
    "StepContext",
    "StepRunner",
    "Workflow",
    "WorkflowEngine",
    "agent_step",
    "ask_person",
    "branch",
    "catch",
    "loop",
    "map_each",
    "parallel",
    "recover",
    "step",
]
