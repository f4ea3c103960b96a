"""What the user asked for, checked before Azure is asked for anything."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sdt_dask_core.errors import OptionError
from sdt_dask_core.secret import Secret, is_reference

__all__ = ["LATEST_UBUNTU", "Settings"]

#: The image of the operating system by default: Ubuntu with the longest support.
LATEST_UBUNTU = {"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest"}

_FOR_A_CLUSTER = ("location", "vnet", "security_group", "image")
_DISK_SIZES = range(30, 1024)  # [GB]; Ubuntu's image needs 30
_MOST_TAGS = 46  # Azure keeps 50 for each resource, and four are ours
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SECRET_NAME = re.compile(r"(password|passwd|secret|token|api_?key|access_?key|credential)", re.IGNORECASE)
# A private key, a password in an address, a key of Azure's storage, a shared access signature.
_SECRET_VALUE = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY|://[^/\s:@]*:[^/\s@]+@|AccountKey=|SharedAccessSignature|[?&]sig=", re.IGNORECASE
)
_NOT_IN_TAGS = set("<>%&\\?/")


@dataclass(frozen=True, slots=True)
class Settings:
    """The options of `AzureClient`, by the same names.

    Raises
    ------
    OptionError
        A value that its option cannot take, or options that contradict each other.
    """

    location: str
    resource_group: str
    vnet: str
    security_group: str
    image: str
    subnet: str | None
    subscription_id: str | None
    resource_manager: str | None
    n_workers: int
    threads_per_worker: int | None
    memory_limit: str | None
    minimum: int | None
    maximum: int | None
    vm_size: str
    scheduler_vm_size: str
    vm_image: Mapping[str, str]
    disk_size: int
    spot: bool
    identity: str | None
    public_ingress: bool
    bootstrap: bool
    extra_bootstrap: Sequence[str]
    environment: Mapping[str, str]
    secrets_in_environment: bool
    tags: Mapping[str, str]
    timeout: float
    idle_timeout: float
    auto_shutdown: bool

    def __post_init__(self) -> None:
        self._check_numbers()
        self._check_environment()
        for name in self.tags:
            if set(name) & _NOT_IN_TAGS or name.startswith("sdt-dask"):
                raise _refused("tags", name, "a name of a tag has none of <>%&\\?/ and does not begin with sdt-dask")
        if len(self.tags) > _MOST_TAGS:
            raise _refused("tags", f"{len(self.tags)} tags", f"Azure keeps {_MOST_TAGS} besides those of the cluster")

    def _check_numbers(self) -> None:
        for name in ("n_workers", "threads_per_worker", "minimum", "maximum"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise _refused(name, value, "it is 1 or more")
        for name in ("timeout", "idle_timeout"):
            if getattr(self, name) <= 0:
                raise _refused(name, getattr(self, name), "it is more than 0 seconds")
        if self.disk_size not in _DISK_SIZES:
            raise _refused("disk_size", self.disk_size, "it is 30 to 1023 GB")
        if self.minimum and self.maximum is None:
            raise _refused("minimum", self.minimum, "it goes with maximum, which turns adaptive scaling on")
        if self.maximum is not None and (self.minimum or 1) > self.maximum:
            raise _refused("maximum", self.maximum, f"it is not below minimum, which is {self.minimum or 1}")

    def _check_environment(self) -> None:
        for name, value in self.environment.items():
            if not _VARIABLE.fullmatch(name):
                raise _refused("environment", name, "an environment variable has letters, digits and _ in its name")
            if _is_secret(name, value) and not self.secrets_in_environment:
                raise _refused(
                    "environment",
                    name,
                    "it looks like a secret, and whoever may log in to the machines could read it; give them an "
                    "identity that may read what they need (identity); secrets_in_environment=true insists, and a "
                    "reference (env:NAME, file:/path) keeps the value out of the run's records",
                )

    def missing_for_a_cluster(self) -> str:
        """Tell which options a new cluster needs that were not given, as listing and removing do not; else nothing."""
        missing = [name for name in _FOR_A_CLUSTER if not getattr(self, name)]
        if not missing:
            return ""
        given = " ".join(f"-c {name}=…" for name in missing)
        return f"client 'azure': a cluster needs the options {', '.join(missing)}, which were not given: {given}"

    @property
    def first_workers(self) -> int:
        """How many workers the cluster starts with."""
        if self.maximum is None:
            return self.n_workers
        return min(max(self.n_workers, self.minimum or 1), self.maximum)

    def revealed_environment(self) -> dict[str, str]:
        """Return the variables with the values of those that are references."""
        return {name: _revealed(value) for name, value in self.environment.items()}


def _is_secret(name: str, value: str) -> bool:
    return bool(_SECRET_NAME.search(name) or _SECRET_VALUE.search(value)) or is_reference(value)


def _revealed(value: str) -> str:
    return Secret(value).reveal() if is_reference(value) else value


def _refused(option: str, value: object, why: str) -> OptionError:
    return OptionError(f"client 'azure': the option {option!r} cannot be {value!r}: {why}", option=option)
