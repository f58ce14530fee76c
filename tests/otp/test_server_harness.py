"""server_harness.py: a server's object without a process, for tests of its methods."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pyx import GenServer, NoReply, StartFailed, handle
from pyx.otp.handler_results import Ignore, Stop
from tests.otp.servers import AsyncStock, Stock


def test_harness_runs_init_and_gives_the_object() -> None:
    stock = GenServer.harness(Stock, {"nike": 1})
    assert stock.add("nike") == 2
    assert stock.items == {"nike": 2}
    with pytest.raises(KeyError):
        stock.take("nope")


def test_harness_awaits_an_async_init() -> None:
    class Slow(GenServer):
        async def init(self, value: int) -> None:
            await asyncio.sleep(0)
            self.value = value

        @handle.call
        async def get(self) -> int:
            return self.value

    slow = GenServer.harness(Slow, 7)
    assert asyncio.run(slow.get()) == 7
    assert asyncio.run(GenServer.harness(AsyncStock).nap()) == "rested"


@pytest.mark.parametrize(("result", "reason"), [(Stop("no"), "no"), (Ignore, "ignore")])
def test_server_that_does_not_start_has_no_harness(result: Any, reason: str) -> None:
    class Refusing(GenServer):
        def init(self) -> Any:
            return result

    with pytest.raises(StartFailed) as failed:
        GenServer.harness(Refusing)
    assert failed.value.reason == reason


def test_result_that_lets_the_server_start_is_no_matter() -> None:
    class Patient(GenServer):
        def init(self) -> Any:
            self.ready = True
            return NoReply

    assert vars(GenServer.harness(Patient)) == {"ready": True}
