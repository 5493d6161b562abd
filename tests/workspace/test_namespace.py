"""No distribution may own the namespace that all of them share."""

from __future__ import annotations

from pathlib import Path


def test_no_distribution_has_an_init_at_the_root_of_the_namespace() -> None:
    roots = sorted(Path("packages").glob("*/src/agent_factory"))
    owned = [str(root / "__init__.py") for root in roots if (root / "__init__.py").exists()]

    assert roots, "the sources are not here: the BUILD file must name them"
    assert not owned, (
        f"remove {', '.join(owned)}: agent_factory is a namespace of many distributions (PEP 420), and one "
        "that ships its __init__.py hides all others"
    )
