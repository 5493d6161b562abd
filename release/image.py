"""The bill of materials of a container image: the application and the operating system below it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from release.sbom import run
from release.wheels import ReleaseError

__all__ = ["image_bom", "system_components"]

_FORMAT = "${Package}\\t${Version}\\t${Architecture}\\n"


def system_components(listing: str) -> list[dict[str, Any]]:
    """Describe Debian packages in CycloneDX terms.

    Args:
        listing: Lines of package, version and architecture, separated by tabs.

    Returns:
        One component per line.

    Raises:
        ReleaseError: If a line is something else.
    """
    components = []
    for line in filter(None, listing.splitlines()):
        try:
            name, version, architecture = line.split("\t")
        except ValueError as error:
            raise ReleaseError(
                f"{line!r:.80} does not describe a Debian package; is the base image Debian?"
            ) from error
        purl = f"pkg:deb/debian/{name}@{quote(version, safe='')}?arch={architecture}"
        components.append(
            {"type": "library", "name": name, "version": version, "purl": purl, "bom-ref": purl}
        )
    return components


def image_bom(image: str, application: Path, target: Path) -> int:
    """Write the bill of an image.

    Args:
        image: The name of an image that `docker` can run.
        application: The bill of the distribution that the image contains.
        target: The file to write.

    Returns:
        The number of its components.

    Raises:
        ReleaseError: If the image cannot be inspected.
    """
    inside = ["docker", "run", "--rm", "--network", "none", "--entrypoint"]
    packages = system_components(
        run([*inside, "dpkg-query", image, "--show", f"--showformat={_FORMAT}"])
    )
    if not packages:
        raise ReleaseError(f"{image}: lists no Debian package, so its bill would be incomplete")
    interpreter = run(
        [*inside, "python3", image, "-c", "import platform; print(platform.python_version())"]
    ).strip()
    bom: dict[str, Any] = json.loads(application.read_text(encoding="utf-8"))
    contained = bom["metadata"]["component"]
    python = {
        "type": "platform",
        "name": "python",
        "version": interpreter,
        "purl": f"pkg:generic/python@{interpreter}",
        "bom-ref": f"pkg:generic/python@{interpreter}",
    }
    bom["components"] = [contained, *bom["components"], python, *packages]
    bom["metadata"]["component"] = {
        "type": "container",
        "name": image.rsplit(":", 1)[0],
        "version": contained["version"],
        "bom-ref": "image",
    }
    dependencies = [d for d in bom.get("dependencies", []) if d.get("ref") != "image"]
    references = [component["bom-ref"] for component in (contained, python, *packages)]
    bom["dependencies"] = [*dependencies, {"ref": "image", "dependsOn": references}]
    target.write_text(json.dumps(bom, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return len(bom["components"])
