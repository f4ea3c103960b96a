"""Reaching agreement: what is refused before a cluster is made, what when it is there, and what afterwards."""

from __future__ import annotations

import logging
import shlex
from typing import TYPE_CHECKING

from sdt_dask_core.agreement.asking import ask
from sdt_dask_core.agreement.needs import Needs, needs_of
from sdt_dask_core.agreement.newcomers import Newcomers
from sdt_dask_core.agreement.table import mismatch, table
from sdt_dask_core.agreement.terms import Terms, terms_of
from sdt_dask_core.errors import LocalityError
from sdt_dask_core.registry import YOURS
from sdt_dask_core.settings import RunSettings

if TYPE_CHECKING:
    import distributed

__all__ = ["Agreement"]

logger = logging.getLogger(__name__)

_NAMED = 3


class Agreement:
    """What a run needs of every process of its cluster.

    Parameters
    ----------
    settings : RunSettings
        Of the run.

    Raises
    ------
    LocalityError
        The plug reads files of this machine, and the client knows that no worker can see them.
    RequirementError
        A requirement that the plug names cannot be read.
    """

    def __init__(self, settings: RunSettings) -> None:
        self.settings = settings
        self._shares_files: bool | None = getattr(settings.client.build(), "shares_files", None)
        self._needs = needs_of(settings.job)
        if self._shares_files is False and self._needs.paths and not settings.allow_mismatch:
            raise self._locality_error(self._needs)

    @property
    def terms(self) -> Terms:
        """What each process must have."""
        return terms_of(self.settings.job, self._needs, shares_files=self._shares_files is True)

    def reach(self, client: distributed.Client) -> Newcomers:
        """Hold the scheduler and every worker against the terms; return what does so with workers that come later.

        Raises
        ------
        EnvironmentMismatchError
            Something is not as the terms want it; the message holds the table, and the commands that mend it.
        ClientError
            The processes cannot be asked.
        """
        terms = self.terms
        found = ask(client, terms)
        if found and not self.settings.allow_mismatch:
            raise mismatch(found, terms, self._image)
        if found:
            logger.warning("the run goes on, though the cluster is not as this environment:\n%s", table(found))
        return Newcomers(client, terms, takes_any=self.settings.allow_mismatch, image=self._image)

    @property
    def _image(self) -> str:
        """The command that writes a new image, where the workers have nothing of this machine; else nothing."""
        if self._shares_files is not False:
            return ""
        plug = self.settings.job.plug
        what = ["--folder", "FOLDER"] if plug.distribution == YOURS else [plug.name]
        return shlex.join(["sdt-dask", "image", *what, "--output", "image"])

    def _locality_error(self, needs: Needs) -> LocalityError:
        told = ", ".join(f"'{path}'" for path in needs.paths[:_NAMED])
        more = " and more" if len(needs.paths) > _NAMED else ""
        return LocalityError(
            f"plug {self.settings.job.plug.name!r} reads {told}{more} of this machine, which the workers of client "
            f"{self.settings.client.name!r} cannot see; put the files into S3 and read them with the plug 's3' "
            "(pip install sdt-dask-plug-s3), or compute here with --client local; where the workers have a file system "
            "with the same paths, go on with --allow-mismatch",
            paths=list(needs.paths),
        )
