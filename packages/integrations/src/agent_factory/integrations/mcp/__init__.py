"""Tools of MCP servers: the extra ``afactory-integrations[mcp]``."""

from agent_factory.integrations.mcp.creating import create_mcp_toolset
from agent_factory.integrations.mcp.servers import (
    HttpServer,
    MCPServer,
    SecretRef,
    StdioServer,
    find_needs,
)
from agent_factory.integrations.mcp.settings import ToolProgress
from agent_factory.integrations.mcp.toolset import McpToolset, describe_tools

__all__ = [
    "HttpServer",
    "MCPServer",
    "McpToolset",
    "SecretRef",
    "StdioServer",
    "ToolProgress",
    "create_mcp_toolset",
    "describe_tools",
    "find_needs",
]
