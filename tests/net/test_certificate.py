"""certificate.py: A node's certificate is made in memory and never left on a disk."""

from __future__ import annotations

import hashlib
import os
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from pyx.net.certificate import listening_context, make_certificate


def test_certificate_hash_equals_that_of_its_der_form() -> None:
    certificate = make_certificate()
    der = x509.load_pem_x509_certificate(certificate.pem).public_bytes(serialization.Encoding.DER)
    assert certificate.sha256 == hashlib.sha256(der).digest()


def test_certificate_is_new_at_each_start_and_does_not_contain_the_node_name() -> None:
    one, two = make_certificate(), make_certificate()
    assert one.sha256 != two.sha256
    seen = x509.load_pem_x509_certificate(one.pem)
    assert seen.subject.rfc4514_string() == "CN=pyx"


def test_certificate_repr_hides_the_private_key() -> None:
    assert "PRIVATE" not in repr(make_certificate())


def test_certificate_is_loaded_from_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if not hasattr(os, "memfd_create"):
        pytest.skip("this system has no files in memory")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    descriptors = Path("/proc/self/fd")
    before = len(list(descriptors.iterdir()))
    assert isinstance(listening_context(make_certificate()), ssl.SSLContext)
    assert len(list(descriptors.iterdir())) == before


def test_certificate_without_memfd_is_loaded_from_a_private_file_that_is_removed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delattr(os, "memfd_create", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    modes: list[int] = []
    load = ssl.SSLContext.load_cert_chain

    def watched(context: ssl.SSLContext, path: str) -> None:
        modes.append(Path(path).stat().st_mode & 0o777)
        load(context, path)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", watched)
    listening_context(make_certificate())
    assert modes == [0o600]
    assert list(tmp_path.iterdir()) == []


def test_certificate_that_cannot_be_loaded_leaves_no_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delattr(os, "memfd_create", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    certificate = make_certificate()
    broken = type(certificate)(pem=b"no pem", sha256=certificate.sha256)
    with pytest.raises(ssl.SSLError):
        listening_context(broken)
    assert list(tmp_path.iterdir()) == []


def test_node_on_unix_sockets_does_not_import_cryptography() -> None:
    # ssl itself may be there already: asyncio tries it.
    code = (
        "import sys, pyx.nodes, pyx.net.endpoint\n"
        "assert not {'cryptography', 'pyx.wire.handshake.tls'} & {*sys.modules}"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
