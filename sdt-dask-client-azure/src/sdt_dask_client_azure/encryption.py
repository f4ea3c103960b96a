"""TLS between all parts of a cluster, and the configuration of Dask that its machines get."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import distributed

__all__ = ["dask_environment", "new_security", "public_key"]

# Workers hold no Dask data, so pausing and spilling would only stall them; each thread has a computing process of its
# own; retries are the run's, so that each is recorded.
_DASK_CONFIG: dict[str, Any] = {
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


def new_security() -> distributed.Security:
    """Return keys and a certificate for one cluster alone; they exist in memory only."""
    from distributed import Security

    security: distributed.Security = Security.temporary()
    return security


def dask_environment(security: Any) -> dict[str, str]:
    """Return the environment variable by which the Dask of a machine gets its configuration.

    Nothing of this process' configuration goes along: it may hold what is nobody else's business.

    Parameters
    ----------
    security : distributed.Security
        Keys and certificate of the cluster.
    """
    from dask.config import serialize

    roles = {
        role: {"key": getattr(security, f"tls_{role}_key"), "cert": getattr(security, f"tls_{role}_cert")}
        for role in ("scheduler", "worker", "client")
    }
    comm = {
        "default-scheme": "tls",
        "require-encryption": True,
        "tls": {"ca-file": security.tls_ca_file, **roles},
    }
    return {"DASK_INTERNAL_INHERIT_CONFIG": serialize({"distributed": {"comm": comm, **_DASK_CONFIG}})}


def public_key() -> str:
    """Return a public SSH key whose private one is gone: Azure wants one, and nobody shall log in."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    return key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()
