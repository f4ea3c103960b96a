"""``image``: the folder that Docker builds the image of the workers from."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sdt_dask_core.cli.answers import resolver_options, say_answer
from sdt_dask_core.cli.tables import say_json, say_table
from sdt_dask_core.cli.text import clean, count, line, quoted_command

if TYPE_CHECKING:
    from sdt_dask_core.image import Image
    from sdt_dask_core.resolution.target import Target

__all__ = ["image_command"]

_PLATFORM = "x86_64-manylinux_2_28"
_REPOSITORY = "sdt-dask"
# What Docker and Fargate call the processors.
_DOCKER = {"x86_64": "linux/amd64", "aarch64": "linux/arm64"}


@click.command("image")
@click.argument("plugs", metavar="[PLUG]...", nargs=-1)
@click.option(
    "--folder",
    metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder of your own, with a dataplug.py and perhaps a requirements.txt.",
)
@click.option(
    "--requirement", "requirements", metavar="REQ", multiple=True, help="What else the image shall hold; repeat it."
)
@click.option(
    "--output",
    "-o",
    metavar="DIR",
    required=True,
    type=click.Path(path_type=Path),
    help="The folder to write; one that this command made before is replaced.",
)
@click.option("--python", metavar="VERSION", help="Its Python.  [default: the minor version of this one]")
@click.option(
    "--platform",
    default=_PLATFORM,
    show_default=True,
    metavar="PLATFORM",
    help="Its processor and oldest C library; for ARM: aarch64-manylinux_2_28.",
)
@resolver_options
def image_command(*, python: str | None, platform: str, timeout: float, as_json: bool, **asked: Any) -> int:
    """Write what an image of the workers is built from, with the versions and the code of this environment.

    PLUG is a plug that `sdt-dask plugs` lists, or a requirement such as 'acme-plug>=2' or ./my-plug. All is resolved
    together and locked with hashes; the image's tag is the hash of that. Nothing is built, and no Docker is needed.

    Exit codes: 0 it is written, 1 there is a conflict and nothing was written, 2 there is no answer.
    """
    from sdt_dask_core.image import make_image
    from sdt_dask_core.resolution.target import Target, this_python

    target = Target(python or this_python(), platform)
    image = make_image(target=target, seconds=timeout, **asked)
    if as_json:
        say_json(_as_json(image))
    elif image.answer.installs:
        _say(image)
    else:
        say_answer(image.answer)
    return 0 if image.answer.installs else 1


def _say(image: Image) -> None:
    target = image.target
    click.echo(clean(f"wrote {image.output}, for the image {image.tag}:"))
    holds = f"{count(len(image.locked), 'distribution')}, for Python {target.python} on {target.platform}"
    click.echo(f"  {holds}; plugs: {line(', '.join(image.plugs) or 'none')}")
    if image.wheels:
        click.echo(f"  wheels made from what is installed here: {line(', '.join(image.wheels))}")
    if image.changed:
        click.echo("other versions than here:")
        say_table(("name", "here", "in the image"), image.changed)
    for note in image.notes:
        click.echo(f"note: {line(note)}")
    click.echo(f"(asked of {image.answer.tool})\n\nnext, with the address of your registry:")
    for command in _commands(image):
        click.echo(f"  {clean(command)}")


def _commands(image: Image) -> list[str]:
    """Return what to do next, for a shell; REGISTRY stands for the user's."""
    name = f"$REGISTRY/{_REPOSITORY}:{image.tag}"
    docker = _DOCKER[image.target.processor]
    return [
        "REGISTRY=ACCOUNT.dkr.ecr.REGION.amazonaws.com",
        f'docker build --platform {docker} -t "{name}" {shlex.quote(str(image.output))}',
        'aws ecr get-login-password | docker login --username AWS --password-stdin "$REGISTRY"',
        f'docker push "{name}"',
        f'{_run(image, image.target)} -c image="{name}"',
    ]


def _run(image: Image, target: Target) -> str:
    if image.folder is not None:
        what = [str(image.folder)]
    else:
        what = ["--plug", image.plugs[0]] if image.plugs else ["FOLDER"]
    arm = ["-c", "cpu_architecture=ARM64"] if target.processor == "aarch64" else []
    return quoted_command("run", *what, "--client", "fargate", *arm)


def _as_json(image: Image) -> dict[str, Any]:
    """Return all of it in plain lists and mappings, under names that stay; of a conflict, what `plugs check` says."""
    if not image.answer.installs:
        return image.answer.as_json()
    return {
        "installs": True,
        "tag": image.tag,
        "output": str(image.output),
        "python": image.target.python,
        "platform": image.target.platform,
        "tool": image.answer.tool,
        "plugs": image.plugs,
        "distributions": [{"name": one.name, "version": one.version, "sha256": one.sha256} for one in image.locked],
        "wheels": image.wheels,
        "changed": [{"name": name, "here": here, "image": there} for name, here, there in image.changed],
        "notes": image.notes,
        "commands": _commands(image),
    }
