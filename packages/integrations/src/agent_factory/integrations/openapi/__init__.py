"""Tools from OpenAPI documents: each operation that is listed becomes one."""

from typing import TYPE_CHECKING

from agent_factory.core.lazy import create_getattr
from agent_factory.integrations.openapi.authentication import OpenApiAuthentication
from agent_factory.integrations.openapi.document import OpenApiOperation, list_operations
from agent_factory.integrations.openapi.operations import CompiledOperation, compile_operations

if TYPE_CHECKING:
    from agent_factory.integrations.openapi.toolset import create_openapi_toolset
else:
    # It imports the HTTP library.
    __getattr__ = create_getattr(__name__, {"toolset": ["create_openapi_toolset"]})

__all__ = [
    "CompiledOperation",
    "OpenApiAuthentication",
    "OpenApiOperation",
    "compile_operations",
    "create_openapi_toolset",
    "list_operations",
]
