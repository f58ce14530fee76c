"""The certificate of one start of a node: made in memory, never stored.  See `wire/handshake/tls.py`.

`cryptography` costs 45 ms to import: only a node that accepts TCP connections imports this file.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pyx.wire.handshake.tls import accepting_context

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

# The dates are not checked (the hash alone counts), so a wrong clock does no harm.  The second date means "no
# end" in RFC 5280 (4.1.2.5).
_FROM: Final = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_UNTIL: Final = dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=dt.UTC)

_NAME: Final = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "pyx")])
"""The same for all nodes: the certificate is sent before the proof, so it must not name the node."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A self-signed certificate and its key.

    Attributes:
        pem: key and certificate, as `ssl` reads them.
        sha256: hash of the certificate's DER form.
    """

    pem: bytes = field(repr=False)
    sha256: bytes


def make_certificate() -> Certificate:
    """Returns a new P-256 key with a self-signed certificate; takes about 5 ms."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_NAME)
        .issuer_name(_NAME)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_FROM)
        .not_valid_after(_UNTIL)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Certificate(
        pem=secret + certificate.public_bytes(serialization.Encoding.PEM),
        sha256=certificate.fingerprint(hashes.SHA256()),
    )


def listening_context(certificate: Certificate) -> ssl.SSLContext:
    """Returns the TLS context of accepted connections, with the certificate loaded."""
    context = accepting_context()
    with _path_to(certificate.pem) as path:
        context.load_cert_chain(path)
    return context


@contextlib.contextmanager
def _path_to(secret: bytes) -> Iterator[str]:
    """Yields a path of *secret* for OpenSSL, which reads keys from files only.

    The path of a file in memory where the system has them, else of a temporary file of mode 0600.
    """
    if hasattr(os, "memfd_create") and Path("/proc/self/fd").is_dir():
        descriptor = os.memfd_create("pyx")  # close-on-exec
        path, is_on_disk = f"/proc/self/fd/{descriptor}", False
    else:
        descriptor, path = tempfile.mkstemp(prefix="pyx-")  # mode 0600
        is_on_disk = True
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secret)
            file.flush()
            yield path
    finally:
        if is_on_disk:
            Path(path).unlink()
