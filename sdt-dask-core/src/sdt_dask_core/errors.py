"""Every error of the ecosystem, in one tree.

::

    SdtDaskError
    ├── ConfigurationError          found before a cluster exists (exit code 2)
    │   ├── UnknownProviderError    no plug, client, analysis or addon of that name
    │   ├── BrokenProviderError     it is installed but cannot be used
    │   ├── OptionError             an option is unknown, missing or has a bad value
    │   ├── InvalidKeyError         a key is not made of JSON scalars
    │   ├── ManifestError           a manifest cannot be read as one
    │   ├── RequirementError        an installed version is not the one wanted
    │   │   └── EnvironmentMismatchError  a cluster has other versions than this environment
    │   ├── LocalityError           a plug reads files that the workers cannot see
    │   └── MainGuardError          Python's spawn ran the caller's script again
    ├── PlugError                   raised by plugs, fails the one key it names
    │   ├── KeyNotFoundError        the source has no such key; not retried
    │   ├── AccessDeniedError       the source refuses us; not retried
    │   ├── SourceUnavailableError  the source did not answer; safe to retry
    │   ├── DataFormatError         what the source holds is not a power series; not retried
    │   └── AmbiguousColumnError    several power columns and none chosen; not retried
    ├── FrameError                  a frame that no analysis can use; fails its key
    ├── AnalysisError               an analysis did not come to a complete result; fails its key
    ├── ClientError                 a cluster could not be made or joined
    ├── PublishError                a target did not take the results; safe to repeat
    └── RunError
        ├── LedgerError             the ledger cannot be opened, read or written
        │   └── LedgerBusyError     another run holds it
        ├── ClusterLostError        the scheduler went away (exit code 3)
        ├── LimitReachedError       a limit of the run ended it early (exit code 4)
        └── RunInterruptedError     Ctrl-C or SIGTERM (exit code 130)

A message says what failed (with the value), why, and what to do. Every error pickles, with the attributes given as
keyword arguments.
"""

from __future__ import annotations

from typing import Any, ClassVar

__all__ = [
    "AccessDeniedError",
    "AmbiguousColumnError",
    "AnalysisError",
    "BrokenProviderError",
    "ClientError",
    "ClusterLostError",
    "ConfigurationError",
    "DataFormatError",
    "EnvironmentMismatchError",
    "FrameError",
    "InvalidKeyError",
    "KeyNotFoundError",
    "LedgerBusyError",
    "LedgerError",
    "LimitReachedError",
    "LocalityError",
    "MainGuardError",
    "ManifestError",
    "OptionError",
    "PlugError",
    "PublishError",
    "RequirementError",
    "RunError",
    "RunInterruptedError",
    "SdtDaskError",
    "SourceUnavailableError",
    "UnknownProviderError",
]


class SdtDaskError(Exception):
    """Base of every error that SDT Dask raises on purpose.

    Parameters
    ----------
    message : str
        What failed (with the value), why, and what to do.
    **context : object
        Facts a caller may want, such as ``key`` or ``plug``; each becomes an attribute.

    Attributes
    ----------
    cause : str
        Stable code of the cause, as it stands in the ledger and in `sdt-dask errors`.
    exit_code : int
        What the command line returns for it.
    """

    cause: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, **context: Any) -> None:
        super().__init__(message)
        self.message = message
        self.context = context
        for name, value in context.items():
            setattr(self, name, value)

    def __reduce__(self) -> tuple[Any, ...]:
        # Exception's own reduce would call the class with the message alone and lose the context.
        return _rebuild, (type(self), self.message, self.context)


def _rebuild(cls: type[SdtDaskError], message: str, context: dict[str, Any]) -> SdtDaskError:
    return cls(message, **context)


class ConfigurationError(SdtDaskError):
    """The run as asked for cannot work; nothing was started."""

    cause = "configuration"
    exit_code = 2


class UnknownProviderError(ConfigurationError):
    """No provider of that kind and name is installed."""

    cause = "unknown_provider"


class BrokenProviderError(ConfigurationError):
    """The provider is installed but cannot be imported or breaks the contract."""

    cause = "broken_provider"


class OptionError(ConfigurationError):
    """An option is unknown, missing or has a value it cannot take."""

    cause = "option"


class InvalidKeyError(ConfigurationError):
    """A key is not a tuple of JSON scalars or lists of them."""

    cause = "invalid_key"


class ManifestError(ConfigurationError):
    """A manifest cannot be read as one."""

    cause = "manifest"


class RequirementError(ConfigurationError):
    """A requirement is not met by what is installed."""

    cause = "requirement"


class EnvironmentMismatchError(RequirementError):
    """A cluster does not have what this environment has; ``found`` holds what, by process. No key was started."""

    cause = "environment_mismatch"


class LocalityError(ConfigurationError):
    """The plug reads files of this machine, in ``paths``, which no worker sees. No cluster was made."""

    cause = "locality"


class MainGuardError(ConfigurationError):
    """The script was run again by Python's spawn because it lacks a ``__main__`` guard."""

    cause = "main_guard"


class PlugError(SdtDaskError):
    """A plug could not give the data of one key."""

    cause = "plug"


class KeyNotFoundError(PlugError):
    """The source has no such key. Not retried."""

    cause = "key_not_found"


class AccessDeniedError(PlugError):
    """The source refuses us. Not retried."""

    cause = "access_denied"


class SourceUnavailableError(PlugError):
    """The source did not answer. Safe to retry."""

    cause = "source_unavailable"


class DataFormatError(PlugError):
    """What the source holds for the key cannot be read as a power series. Not retried."""

    cause = "data_format"


class AmbiguousColumnError(PlugError):
    """More than one power column and none chosen. Not retried."""

    cause = "ambiguous_column"


class FrameError(SdtDaskError):
    """A frame cannot be analysed; ``finding`` holds the code of what was found."""

    cause = "frame"


class AnalysisError(SdtDaskError):
    """An analysis did not come to a complete result."""

    cause = "analysis"


class ClientError(SdtDaskError):
    """A cluster could not be made or joined."""

    cause = "client"
    exit_code = 3


class PublishError(SdtDaskError):
    """A target did not take the results of a run; what it took stands, and publishing again writes the rest."""

    cause = "publish"


class RunError(SdtDaskError):
    """The run as a whole could not go on."""

    cause = "run"


class LedgerError(RunError):
    """The ledger cannot be opened, read or written."""

    cause = "ledger"
    exit_code = 2


class LedgerBusyError(LedgerError):
    """Another run holds the ledger."""

    cause = "ledger_busy"


class ClusterLostError(RunError):
    """The scheduler went away; what was finished is recorded and the run can be resumed."""

    cause = "cluster_lost"
    exit_code = 3


class LimitReachedError(RunError):
    """A limit such as ``max_cost`` ended the run early; what was finished is recorded and the run can be resumed."""

    cause = "limit_reached"
    exit_code = 4


class RunInterruptedError(RunError):
    """The run was stopped by the user; what was finished is recorded and the run can be resumed."""

    cause = "interrupted"
    exit_code = 130
