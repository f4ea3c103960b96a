"""The Dockerfile, and the small files that it copies."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sdt_dask_core.resolution.target import Target

__all__ = ["DOCKERIGNORE", "SCRIPTS", "dockerfile"]

# What stands beside them is the Python of the image. Current releases of distributed bring neither of the two, and
# dask-cloudprovider starts just these.
_SCRIPT = """\
#!/bin/sh
exec "$(dirname "$0")/python" -m distributed.cli.{module} "$@"
"""

#: The scripts that start a scheduler and a worker, by name.
SCRIPTS = {
    "dask-scheduler": _SCRIPT.format(module="dask_scheduler"),
    "dask-worker": _SCRIPT.format(module="dask_worker"),
}

#: Nothing else that may come to stand in the folder gets into the image.
DOCKERIGNORE = """\
*
!requirements.lock
!wheels
!bin
!folder
"""

_HEAD = """\
# syntax=docker/dockerfile:1
# The workers of SDT Dask. Made by `sdt-dask image`: make it again instead of changing it.
# The same base from another registry, or at a digest: docker build --build-arg BASE=...
ARG BASE=python:{python}-slim
FROM ${{BASE}}

ENV PYTHONUNBUFFERED=1
RUN useradd --create-home --uid 1000 worker

# One resolution, one layer: nothing is chosen here, and nothing can push out what another needs.
# For an index that asks for a password: docker build --secret id=pip.conf,src=pip.conf; it does not stay in the image.
COPY requirements.lock /opt/sdt-dask/requirements.lock
RUN --mount=type=bind,target=/context --mount=type=secret,id=pip.conf,target=/etc/pip.conf \\
    pip install --no-cache-dir --root-user-action=ignore --no-deps --require-hashes --only-binary :all: \\
        --find-links /context/wheels --requirement /opt/sdt-dask/requirements.lock \\
    && pip check

# dask-scheduler and dask-worker, which the cluster is started with.
COPY --chmod=755 bin/ /usr/local/bin/
"""

# After all that is installed, as on the driver.
_FOLDER = """
COPY --chmod=755 folder/ /opt/sdt-dask/folder/
RUN echo /opt/sdt-dask/folder \\
    > "$(python -c "import sysconfig; print(sysconfig.get_path('purelib'))")/sdt_dask_folder.pth"
"""

_TAIL = """
USER worker
WORKDIR /home/worker

# Every plug is imported once, so that what is missing shows here and not in a run.
RUN python -m sdt_dask_core.image.inside{folder}

{labels}
CMD ["dask-worker", "--help"]
"""


def dockerfile(target: Target, *, has_folder: bool, labels: Mapping[str, str]) -> str:
    """Return the text of the Dockerfile.

    Parameters
    ----------
    target : Target
        The machine that it is for.
    has_folder : bool
        Whether a user's folder stands in the context.
    labels : mapping of str to str
        What the image says of itself.
    """
    # JSON quotes a text as Docker reads it, but for the dollar.
    said = " \\\n    ".join(f"{name}={json.dumps(text)}" for name, text in labels.items()).replace("$", "\\$")
    return (
        _HEAD.format(python=target.python)
        + (_FOLDER if has_folder else "")
        + _TAIL.format(folder=" /opt/sdt-dask/folder" if has_folder else "", labels=f"LABEL {said}")
    )
