"""What tasks find in their environment: the user's variables, and Dask's configuration with the part's certificate."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from sdt_dask_client_fargate.identity import Identity
from sdt_dask_core.errors import ClientError, OptionError

__all__ = ["check_environment", "check_overrides", "variables"]

_MOST_OVERRIDES = 8192  # characters; of RunTask
_SECRET_NAME = re.compile(r"passw|secret|token|api_?key|access_?key|credential|private_?key", re.IGNORECASE)
# An AWS access key, a private key, a password in an address, GitHub's and GitLab's tokens.
_SECRET_VALUE = re.compile(
    r"\bA[KS]IA[0-9A-Z]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY|://[^/\s:@]*:[^/\s@]+@|\bgh[opsu]_\w{20,}|\bglpat-\w{20}"
)

# Our workers hold no Dask data, so pausing and spilling would only stall them; two tasks that share a worker would
# share the blame when it dies; retries are the core's, so that each is recorded.
_DASK = {
    # Workers never hold the interpreter, their children do: one that is silent for a minute is gone, or cut off.
    "scheduler": {
        "worker-saturation": 1.0,
        "allowed-failures": 0,
        "work-stealing": False,
        "worker-ttl": "60s",
    },
    "worker": {
        "memory": {"target": False, "spill": False, "pause": False, "terminate": 0.95},
        "profile": {"enabled": False},
    },
}


def check_environment(environment: Mapping[str, str], *, insists: bool) -> None:
    """Refuse variables that look like secrets: whoever may describe a task can read them.

    Parameters
    ----------
    environment : mapping
        The user's variables.
    insists : bool
        Whether the user wants them there all the same.

    Raises
    ------
    OptionError
        One looks like a secret; its value is not repeated.
    """
    found = [name for name, value in environment.items() if _SECRET_NAME.search(name) or _SECRET_VALUE.search(value)]
    if found and not insists:
        raise OptionError(
            f"client 'fargate': environment={', '.join(sorted(found))} looks like a secret, and whoever may describe "
            "the tasks of the account could read it; grant access by task_role_arn or task_role_policies, or put it "
            "into AWS Secrets Manager and give its ARN in environment_from; secrets_in_environment=true insists"
        )


def variables(part: str, identity: Identity, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the scheduler or of a worker.

    Parameters
    ----------
    part : {"scheduler", "worker"}
        Which of them.
    identity : Identity
        Of the cluster.
    environment : mapping
        The user's variables.
    """
    from dask.config import serialize

    config = {"distributed": {**_DASK, "comm": identity.config(part)}}
    return {**environment, "DASK_INTERNAL_INHERIT_CONFIG": serialize(config)}


def check_overrides(overrides: Mapping[str, Any]) -> None:
    """Refuse more overrides than RunTask takes.

    Raises
    ------
    ClientError
        They are too long.
    """
    length = len(json.dumps(overrides))
    if length > _MOST_OVERRIDES:
        raise ClientError(
            f"the overrides of a task are {length:,} characters long and AWS takes {_MOST_OVERRIDES:,}; shorten "
            "environment, or put what is long into the image"
        )
