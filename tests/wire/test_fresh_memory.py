"""fresh_memory.py: Buffers of large payloads take no fresh memory each time, where glibc allocates them."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

PROGRAM = r"""
import resource
from pyx.signals import Payload
from pyx.wire.codec import decode, encode

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

message = ("store", [b"x" * (1 << 20)])
for _ in range(5):
    decode(Payload(encode(message)), None)
before = faults()
for _ in range(20):
    assert decode(Payload(encode(message)), None) == message
print((faults() - before) // 20)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another allocator decides by itself")
def test_large_messages_cause_few_page_faults() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 256  # the pages of one buffer; there are at least four
