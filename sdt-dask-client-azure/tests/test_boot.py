"""What a machine does when it boots, by a real shell."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdt_dask_client_azure.boot import container_command, custom_data

from .booting import Booted, cloud_init, container_of

TEXT = st.text(st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)), max_size=60)


def booted(
    command: list[str], *, bootstrap: bool = True, extra: tuple[str, ...] = (), auto_shutdown: bool = True
) -> Booted:
    return cloud_init(custom_data(command, bootstrap=bootstrap, extra=extra, auto_shutdown=auto_shutdown))


@given(TEXT, TEXT)
@settings(max_examples=25, deadline=None)
def test_whatever_a_variable_holds_reaches_the_container_unchanged(first: str, second: str):
    argv = booted(container_command("image", ["python", first], {"A": first, "B": second})).docker
    assert argv is not None
    assert container_of(argv) == ({"A": first, "B": second}, "image", ["python", first])


def test_the_machine_shuts_down_when_its_container_has_ended():
    assert booted(["docker", "run", "image"]).shuts_down


def test_the_machine_stays_where_asked():
    assert not booted(["docker", "run", "image"], auto_shutdown=False).shuts_down


def test_docker_is_installed_only_where_asked():
    assert booted(["docker", "run", "image"], bootstrap=False).docker is None


def test_the_users_commands_run_before_the_container_in_a_shell():
    found = booted(["docker", "run", "image"], extra=("echo logged in to $((1 + 1)) registries",))
    assert found.log == ["logged in to 2 registries"]
    assert found.docker == ["run", "image"]


def test_more_than_azure_takes_is_refused():
    with pytest.raises(ValueError, match="65535 at most"):
        booted(container_command("image", ["python"], {"LONG": "x" * 65_536}))


def test_what_azure_gets_is_base64_of_a_cloud_config():
    text = base64.b64decode(custom_data(["docker"], bootstrap=True, extra=(), auto_shutdown=True)).decode()
    assert text.startswith("#cloud-config\n")
