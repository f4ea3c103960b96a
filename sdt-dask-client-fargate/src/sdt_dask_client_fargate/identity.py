"""TLS for one cluster: a certificate authority of its own, and a certificate for each part.

The authority's key signs three certificates and is forgotten. Keys are on the curve P-256, because a task takes at most
8,192 characters of overrides, which RSA keys exceed.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import distributed
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

__all__ = ["Identity"]

_VALID = datetime.timedelta(days=30)
_CLOCKS_DIFFER = datetime.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Identity:
    """Certificates and keys of one cluster, each as PEM text.

    Attributes
    ----------
    authority : str
        Certificate of the authority.
    parts : dict
        Certificate and key of "scheduler", "worker" and "client".
    """

    authority: str
    parts: dict[str, tuple[str, str]]

    @classmethod
    def make(cls, name: str) -> Identity:
        """Make those of a new cluster.

        Parameters
        ----------
        name : str
            Name of the cluster.
        """
        key = _new_key()
        authority = _certificate(name, key, issuer=None, issuer_key=key)
        parts = {}
        for part in ("scheduler", "worker", "client"):
            part_key = _new_key()
            certificate = _certificate(f"{name} {part}", part_key, issuer=authority, issuer_key=key)
            parts[part] = (_pem(certificate), _pem_of_key(part_key))
        return cls(_pem(authority), parts)

    def security(self) -> distributed.Security:
        """Return what the client's side needs."""
        import distributed

        certificate, key = self.parts["client"]
        return distributed.Security(
            require_encryption=True, tls_ca_file=self.authority, tls_client_cert=certificate, tls_client_key=key
        )

    def config(self, part: str) -> dict[str, Any]:
        """Return Dask's configuration of a part: its own key, and nobody else's."""
        certificate, key = self.parts[part]
        # A task that asks its own cluster for something does so as a client.
        names = ("worker", "client") if part == "worker" else (part,)
        tls = {"ca-file": self.authority, **{name: {"cert": certificate, "key": key} for name in names}}
        return {"default-scheme": "tls", "require-encryption": True, "tls": tls}


def _new_key() -> EllipticCurvePrivateKey:
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def _certificate(
    name: str, key: EllipticCurvePrivateKey, *, issuer: x509.Certificate | None, issuer_key: EllipticCurvePrivateKey
) -> x509.Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import NameOID

    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    is_authority = issuer is None
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS_DIFFER)
        .not_valid_after(now + _VALID)
        # Python 3.13 accepts no certificate that lacks one of these.
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=0 if is_authority else None), critical=True)
        .add_extension(_usage(is_authority=is_authority), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    return builder.sign(issuer_key, hashes.SHA256())


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not is_authority,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM).decode()


def _pem_of_key(key: EllipticCurvePrivateKey) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
