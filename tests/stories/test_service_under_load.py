"""remote_names.py, evaluation_interrupt.py: a busy service is looked into, and no request fails."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from tests.stories.host import PATIENCE_SECONDS, PYX

if TYPE_CHECKING:
    from tests.stories.host import Host

SERVICE = """\
import asyncio
from pyx import Node, aio

served = 0

def price(name):
    return len(name) * 10

def audited(name):
    total = price(name)
    breakpoint()
    return total

async def answer(reader, writer):
    global served
    while line := await reader.readline():
        served += 1
        writer.write(b"%d\\n" % price(line.decode().strip()))
        await writer.drain()
    writer.close()

async def main():
    await aio.Node.start("shop@vm")
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print("port", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

if __name__ == "__main__":
    asyncio.run(main())
"""
PAUSE_SECONDS = 1 / 200


class Load:
    """Two hundred requests a second, at most, until it is stopped."""

    def __init__(self, port: int) -> None:
        self.failures: list[str] = []
        self.answered = 0
        self._port = port
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _ask(self) -> None:
        with socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE_SECONDS) as connection:
            lines = connection.makefile("rb")
            while not self._over.wait(PAUSE_SECONDS):
                try:
                    connection.sendall(b"nike\n")
                    answer = lines.readline()
                except OSError as error:
                    answer = repr(error).encode()
                if answer == b"40\n":
                    self.answered += 1
                else:
                    self.failures.append(answer.decode())


def test_no_request_fails_while_a_shell_is_attached(lone_host: Host) -> None:
    file = lone_host.home / "shop.py"
    file.write_text(SERVICE)
    service = lone_host.starts_command([str(Path(PYX).with_name("python")), str(file)])
    load = Load(int(service.sees("port").split()[1]))
    try:
        ops = lone_host.starts("--remsh", "shop@vm")
        ops.prompt_returns()
        first = int(ops.type("shop.served"))
        assert ops.type('shop.price("adidas")') == "60"
        assert "remote_session.serve" in ops.type("ps()")
        ops.enter("print('run' 'ning'); sum(0 for _ in iter(int, 1))")
        ops.sees("running")
        ops.blocks()
        ops.interrupt()
        ops.enter('shop.audited("nike")')
        ops.sees("stopped at shop.py:11, enter? [y/N]")
        ops.press("y\r")
        ops.wait(lambda: ops.prompt == "(Pdb) ", "the debugger's prompt")
        ops.press("p total * 1000\r")
        ops.sees("40000")
        ops.wait(lambda: ops.prompt == "(Pdb) ", "the debugger's prompt")
        ops.press("c\r")
        ops.sees("40")
        assert int(ops.type("shop.served")) > first
        ops.enter("exit()")
        assert ops.leaves() == 0
    finally:
        load.stop()
    assert load.failures == []
    assert load.answered > first  # requests were answered all the while
    assert service.screen.splitlines() == [f"port {load._port}"]
