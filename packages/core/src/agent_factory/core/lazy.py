"""Names of a package that are imported when they are first asked for (PEP 562), so that an import stays cheap."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["create_getattr"]


def create_getattr(package: str, names: Mapping[str, Sequence[str]]) -> Callable[[str], Any]:
    """Return a package's ``__getattr__``, and give the package a ``__dir__`` that lists the names.

    Type checkers see neither: they get ordinary imports beside it.

    Args:
        package: Name of the package, its ``__name__``.
        names: Public names by the module of the package that has them, such as ``{"store": ["InMemoryStore"]}``.

    Returns:
        A function of a name that imports its module and returns the attribute.
    """
    modules = {name: f"{package}.{module}" for module, several in names.items() for name in several}

    def get(name: str) -> Any:
        module = modules.get(name)
        if module is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(module), name)
        setattr(sys.modules[package], name, value)
        return value

    def list_names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *modules})

    vars(sys.modules[package])["__dir__"] = list_names
    return get
