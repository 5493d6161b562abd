"""Making blueprints from templates."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent_factory.cli.exceptions import UsageError
from agent_factory.cli.files import write_atomically
from agent_factory.cli.locks import collect_locked_parts, find_lock_file
from agent_factory.cli.templates.catalogue import TEMPLATES
from agent_factory.cli.templates.template import NAME
from agent_factory.core.blueprints import check_blueprint, load_blueprint
from agent_factory.core.locks import create_lock, write_lock
from agent_factory.core.suggestions import describe_choices

if TYPE_CHECKING:
    from pathlib import Path

    from agent_factory.cli.templates.template import Template
    from agent_factory.core.blueprints import Adapters

__all__ = ["CreatedBlueprint", "create_from_template", "list_templates"]

_NAME = re.compile(r"[a-z][a-z0-9-]{0,63}")


@dataclass(frozen=True, slots=True)
class CreatedBlueprint:
    """A blueprint that was made.

    Attributes:
        files: The files.
        next_steps: Commands to go on with, one a line.
    """

    files: tuple[Path, ...]
    next_steps: str


def list_templates() -> tuple[Template, ...]:
    """Return the templates."""
    return TEMPLATES


def create_from_template(folder: Path, template: str, adapters: Adapters) -> CreatedBlueprint:
    """Make a blueprint.

    Args:
        folder: The folder to make, or an empty one; its name becomes the name of the blueprint.
        template: Name of the template.
        adapters: What the blueprint is locked with.

    Returns:
        What was made.

    Raises:
        UsageError: There is no such template, the folder has a name that no blueprint can have, has something in it already,
            or cannot be written to.
    """
    known = {item.name: item for item in TEMPLATES}
    if template not in known:
        raise UsageError(f"no template is named {template!r}: {describe_choices(template, known)}")
    chosen = known[template]
    name = _choose_name(folder)
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError(f"{folder} is there already, and not empty: choose another folder")
        made = []
        for path, text in chosen.read_files().items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(file, text.replace(NAME, name))
            made.append(file)
        blueprint = folder / "blueprint.yaml"
        loaded = load_blueprint(blueprint)
        check_blueprint(loaded, adapters)
        lock = create_lock(collect_locked_parts(loaded, adapters, installed=True))
        write_atomically(find_lock_file(blueprint), write_lock(lock))
    except OSError as error:
        raise UsageError(
            f"{error.filename or folder} cannot be written: {error.strerror}"
        ) from error
    shown = shlex.quote(str(blueprint))
    return CreatedBlueprint(
        (*made, find_lock_file(blueprint)),
        f"  agent-factory validate --locked {shown}\n"
        f"  agent-factory eval {shown}\n"
        f"  agent-factory {_write_trial(chosen, shown)}",
    )


def _write_trial(template: Template, blueprint: str) -> str:
    if template.command == "chat":
        return f"chat {blueprint}"
    return f'{template.command} {blueprint} "{template.question}"'


def _choose_name(folder: Path) -> str:
    name = re.sub(r"[^a-z0-9-]+", "-", folder.absolute().name.lower()).strip("-")
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{folder.name!r} cannot be the name of a blueprint: name the folder with lower-case letters, digits and '-', a "
            "letter first"
        )
    return name
