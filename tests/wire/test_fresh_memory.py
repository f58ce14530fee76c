"""fresh_memory.py: Buffers of large payloads take no fresh memory each time, where glibc allocates them."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

PROGRAM = r"""
import gc, resource
from pyx.signals import Payload
from pyx.wire.codec import decode, encode

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

gc.disable()
message = ("store", [b"x" * (1 << 20), *({tags}1,)])
for _ in range(5):
    decode(Payload(encode(message)), None)
before = faults()
for _ in range(20):
    assert decode(Payload(encode(message)), None) == message
print((faults() - before) // 20)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another allocator decides by itself")
@pytest.mark.parametrize("needs_tags", [False, True])
def test_large_messages_cause_few_page_faults(needs_tags: bool) -> None:
    """Also without the cycle collector: no buffer is left to it."""
    program = PROGRAM.replace("{tags}", "{5}, " if needs_tags else "")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 256  # the pages of one buffer; there are at least four
