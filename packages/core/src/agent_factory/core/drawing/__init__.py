"""Pictures of workflows and agents: Mermaid text, and SVG that needs no other program."""

from agent_factory.core.drawing.agents import agents_to_mermaid, create_agents_graph
from agent_factory.core.drawing.svg import to_svg, write_svg

__all__ = ["agents_to_mermaid", "create_agents_graph", "to_svg", "write_svg"]
