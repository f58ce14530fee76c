"""resolver.py: The addresses of a name are asked on a thread that nothing waits for."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from pyx.net.resolver import MOST_THREADS, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def silence(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A name server that answers nothing until the event is set."""
    answers = threading.Event()

    def getaddrinfo(*_: Any, flags: int = 0) -> Any:
        if not flags:
            answers.wait()
        raise OSError(2, "silence")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    yield answers
    answers.set()


@pytest.mark.parametrize(("host", "family"), [("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)])
def test_address_is_its_own_and_needs_no_thread(
    host: str, family: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "Thread", None)
    [(found, *_, address)] = asyncio.run(resolve(host, 7))
    assert (found, address[:2]) == (family, (host, 7))


def test_name_is_asked_for() -> None:
    [(*_, address)] = asyncio.run(resolve("localhost", 7, socket.AF_INET))
    assert address == ("127.0.0.1", 7)


@pytest.mark.parametrize("host", ["no-such-name.invalid", "a..b", "b\u00fcro", "x" * 300])
def test_name_without_an_address_is_an_error(host: str) -> None:
    with pytest.raises((OSError, UnicodeError)):
        asyncio.run(resolve(host, None))


def test_silent_name_server_has_a_bounded_number_of_threads(silence: threading.Event) -> None:
    async def ask_often() -> list[BaseException | Any]:
        waiting = [asyncio.ensure_future(resolve("pyx.example", None)) for _ in range(MOST_THREADS)]
        await asyncio.sleep(0)
        with pytest.raises(OSError, match="16 names are being asked for, and the name server is silent"):
            await resolve("pyx.example", None)
        silence.set()
        return await asyncio.gather(*waiting, return_exceptions=True)

    assert [str(error) for error in asyncio.run(ask_often())] == ["[Errno 2] silence"] * MOST_THREADS
    with pytest.raises(OSError, match="silence"):
        asyncio.run(resolve("pyx.example", None))


def test_end_of_the_process_does_not_wait_for_an_answer() -> None:
    code = """
import asyncio, socket, threading
from pyx.net.resolver import resolve
def silent(*args, flags=0):
    if flags:
        raise OSError
    threading.Event().wait()
socket.getaddrinfo = silent
async def main():
    try:
        await asyncio.wait_for(resolve("pyx.example", None), 0.01)
    except TimeoutError:
        print("it took too long")
asyncio.run(main())
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "it took too long\n"
