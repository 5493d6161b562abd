"""Bills of materials."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from release.image import image_bom, system_components
from release.sbom import describe, pins, write_boms
from release.wheels import ReleaseError, read_wheels
from tests.release.builders import write_wheel
from tests.workflows.scanners import Programs


def _bom(*names: str) -> dict[str, Any]:
    components = [
        {"type": "library", "name": n, "version": "1", "bom-ref": f"{n}==1"} for n in names
    ]
    return {"bomFormat": "CycloneDX", "metadata": {"tools": {}}, "components": components}


def test_pins_lose_their_hashes_and_keep_their_markers() -> None:
    lock = (
        "# a comment\n"
        "pydantic==2.12.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n"
        'colorama==0.4.6 ; sys_platform == "win32" \\\n    --hash=sha256:cc\n'
    )

    assert pins(lock) == 'pydantic==2.12.0\ncolorama==0.4.6 ; sys_platform == "win32"\n'


def test_the_distribution_is_the_subject_of_its_bill(tmp_path: Path) -> None:
    write_wheel(tmp_path, "core", "1.0.0")
    wheel = read_wheels(tmp_path)["afactory-core"]

    bom = describe(_bom("pydantic", "Afactory_Core"), wheel)

    assert bom["metadata"]["component"]["purl"] == "pkg:pypi/afactory-core@1.0.0"
    assert bom["metadata"]["component"]["bom-ref"] == "Afactory_Core==1"
    assert [component["name"] for component in bom["components"]] == ["pydantic"]


def test_a_bill_names_no_file_of_the_building_machine(tmp_path: Path) -> None:
    write_wheel(tmp_path, "cli", "1.0.0")
    bom = _bom("afactory-cli", "afactory-core")
    references = [
        {"type": "distribution", "url": "file:///home/runner/core.whl"},
        {"type": "website", "url": "https://example.org"},
    ]
    for component in bom["components"]:
        component["externalReferences"] = references

    described = describe(bom, read_wheels(tmp_path)["afactory-cli"])

    assert "file:" not in json.dumps(described)
    assert described["components"][0]["externalReferences"] == references[1:]


def test_a_bill_without_its_subject_is_refused(tmp_path: Path) -> None:
    write_wheel(tmp_path, "core", "1.0.0")

    with pytest.raises(ReleaseError, match="missing from its own bill"):
        describe(_bom("pydantic"), read_wheels(tmp_path)["afactory-core"])


def test_no_staged_distribution_is_refused(tmp_path: Path) -> None:
    write_wheel(tmp_path, "core", "1.0.0")

    with pytest.raises(ReleaseError, match="holds no distribution"):
        write_boms(read_wheels(tmp_path), tmp_path / "staged", tmp_path / "lock")


def test_debian_packages_get_their_purl() -> None:
    (component,) = system_components("libc6\t2.36-9+deb12u9\tamd64\n")

    assert component["purl"] == "pkg:deb/debian/libc6@2.36-9%2Bdeb12u9?arch=amd64"
    assert component["version"] == "2.36-9+deb12u9"


def test_an_unreadable_package_list_is_refused() -> None:
    with pytest.raises(ReleaseError, match="is the base image Debian"):
        system_components("musl 1.2\n")


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    return Programs.install(tmp_path / "bin", monkeypatch)


def test_the_bill_of_an_image_has_the_application_and_the_system(
    tmp_path: Path, docker: Programs
) -> None:
    docker.add("docker", "libc6\t2.36\tamd64\n")
    application = {**_bom("pydantic"), "metadata": {"component": _bom("cli")["components"][0]}}
    (tmp_path / "cli.json").write_text(json.dumps(application), encoding="utf-8")

    count = image_bom("agent-factory:1.0.0", tmp_path / "cli.json", tmp_path / "image.json")

    bom = json.loads((tmp_path / "image.json").read_text("utf-8"))
    assert count == len(bom["components"]) == 4
    assert [c["name"] for c in bom["components"]] == ["cli", "pydantic", "python", "libc6"]
    assert bom["metadata"]["component"]["type"] == "container"
    assert bom["metadata"]["component"]["name"] == "agent-factory"
    assert bom["dependencies"][-1]["dependsOn"][0] == "cli==1"


def test_an_image_without_a_package_list_is_refused(tmp_path: Path, docker: Programs) -> None:
    docker.add("docker", "")

    with pytest.raises(ReleaseError, match="lists no Debian package"):
        image_bom("agent-factory:1.0.0", tmp_path / "cli.json", tmp_path / "image.json")


def test_an_image_that_does_not_run_is_refused(tmp_path: Path, docker: Programs) -> None:
    docker.add("docker", "", stderr="no such image", code=125)

    with pytest.raises(ReleaseError, match="no such image"):
        image_bom("agent-factory:1.0.0", tmp_path / "cli.json", tmp_path / "image.json")
