"""Memory: what of a conversation a model sees, where conversations are kept, and what is remembered beyond them."""

from typing import TYPE_CHECKING

from agent_factory.core.lazy import create_getattr
from agent_factory.core.memory.ports import (
    LongTermMemory,
    MemoryContext,
    MemoryItem,
    MemoryPolicy,
    MemoryScope,
    MemoryStore,
)

if TYPE_CHECKING:
    from agent_factory.core.memory.long_term import (
        InMemoryLongTermMemory,
    )
    from agent_factory.core.memory.origins import (
        MemoryOrigin,
        find_memory_origins,
    )
    from agent_factory.core.memory.policies import (
        compose,
        keep_last,
    )
    from agent_factory.core.memory.store import (
        InMemoryStore,
    )
    from agent_factory.core.memory.summary import (
        summarise,
    )
    from agent_factory.core.memory.tokens import (
        TokenCounter,
        estimate_tokens,
    )
    from agent_factory.core.memory.tools import (
        create_memory_tools,
    )
    from agent_factory.core.memory.window import (
        keep_window,
    )
else:
    __getattr__ = create_getattr(
        __name__,
        {
            "long_term": ["InMemoryLongTermMemory"],
            "origins": ["MemoryOrigin", "find_memory_origins"],
            "policies": ["compose", "keep_last"],
            "store": ["InMemoryStore"],
            "summary": ["summarise"],
            "tokens": ["TokenCounter", "estimate_tokens"],
            "tools": ["create_memory_tools"],
            "window": ["keep_window"],
        },
    )

__all__ = [
    "InMemoryLongTermMemory",
    "InMemoryStore",
    "LongTermMemory",
    "MemoryContext",
    "MemoryItem",
    "MemoryOrigin",
    "MemoryPolicy",
    "MemoryScope",
    "MemoryStore",
    "TokenCounter",
    "compose",
    "create_memory_tools",
    "estimate_tokens",
    "find_memory_origins",
    "keep_last",
    "keep_window",
    "summarise",
]
