"""The certificate of one node start: made in memory, shown to whoever dials, forgotten at the end.  Not here:
what it is good for (`wire/handshake/tls.py`).

`cryptography` costs 30 ms to import: only a node that listens on TCP imports this file.
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

# Nobody checks the dates (the hash alone counts), so a node with a wrong clock is no special case.  The
# second is RFC 5280's word for "no end" (4.1.2.5).
_FROM: Final = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_UNTIL: Final = dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=dt.UTC)

_NAME: Final = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "pyx")])
"""The same for all: the certificate is shown before the proof, so it must not tell the node's name."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A self-signed certificate and its key.

    Attributes: `pem` (key and certificate as `ssl` wants them), `sha256` (of the certificate's DER form).
    """

    pem: bytes = field(repr=False)
    sha256: bytes


def make_certificate() -> Certificate:
    """A new P-256 key and a certificate signed by itself; about 5 ms."""
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
    """How this node speaks TLS where it is dialled, with its certificate loaded."""
    context = accepting_context()
    with _path_to(certificate.pem) as path:
        context.load_cert_chain(path)
    return context


@contextlib.contextmanager
def _path_to(secret: bytes) -> Iterator[str]:
    """A path for OpenSSL, which reads keys from nothing else: to memory where the system has such files,
    else to a file of mine alone that is gone the next moment.
    """
    if hasattr(os, "memfd_create") and Path("/proc/self/fd").is_dir():
        descriptor = os.memfd_create("pyx")  # closed in programs that are started meanwhile
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
