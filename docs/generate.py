"""Writes what is made of the schema of blueprints: the reference page, and the JSON Schema for editors.

Run it in the root of the repository, in an environment that has the packages::

    python docs/generate.py

It writes ``docs/blueprint-reference.md`` and ``schemas/blueprint-v1.schema.json``, below the folder that its argument names if there is one.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from agent_factory.core.blueprints.editor import create_json_schema, write_reference
from agent_factory.integrations.tools import create_builtin_entries

__all__ = ["create_files", "main"]


def create_files() -> dict[str, str]:
    """Return the texts of the files by their paths in the repository."""
    names = [entry.name for entry in create_builtin_entries()]
    schema = json.dumps(create_json_schema(names), indent=2, ensure_ascii=False)
    return {
        "docs/blueprint-reference.md": write_reference(create_json_schema()),
        "schemas/blueprint-v1.schema.json": schema + "\n",
    }


def main() -> None:
    """Write the files anew."""
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    for path, text in create_files().items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        print(f"{file} is written")


if __name__ == "__main__":
    main()
