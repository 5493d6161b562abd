"""`docker/engine` helps machines without Docker and leaves all others alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.docker.conftest import Machine


def test_a_working_engine_is_used_as_it_is(machine: Machine) -> None:
    machine.install("docker", "exit 0")

    result = machine.run("engine", "bash", "-c", 'echo "$PATH"')

    assert result.returncode == 0
    assert result.stdout == f"{machine.bin}\n"


def test_a_working_engine_leads_to_no_set_up(machine: Machine) -> None:
    machine.install("docker", "exit 0")
    machine.install("apt-get", "exit 0")

    machine.run("engine")

    assert machine.called() == ["docker info"]
    assert not machine.cache.exists()


def test_the_exit_code_of_the_command_is_passed_on(machine: Machine) -> None:
    machine.install("docker", "exit 0")

    assert machine.run("engine", "bash", "-c", "exit 42").returncode == 42


def test_the_arguments_of_the_command_arrive_unchanged(machine: Machine) -> None:
    machine.install("docker", "exit 0")

    result = machine.run("engine", "bash", "-c", 'printf "<%s>" "$@"', "_", "two words", "", "$x")

    assert result.stdout == "<two words><><$x>"


def test_without_docker_and_without_apt_it_says_what_to_start(machine: Machine) -> None:
    result = machine.run("engine", "bash", "-c", "echo ran")

    assert result.returncode == 3
    assert "no Docker engine answers" in result.stderr
    assert "Start one" in result.stderr
    assert result.stdout == ""


def test_a_client_without_its_daemon_is_no_engine(machine: Machine) -> None:
    machine.install("docker", "exit 1")

    assert machine.run("engine", "bash", "-c", "echo ran").returncode == 3


def test_nothing_is_installed_for_anybody_but_root(machine: Machine) -> None:
    machine.install("apt-get", "exit 0")
    machine.install("id", "echo 1000")

    result = machine.run("engine")

    assert result.returncode == 3
    assert "as root" in result.stderr
    assert machine.called() == ["id -u"]
