"""A bucket of values: a server with a handler for each way to answer."""

from __future__ import annotations

import time

from pyx import GenServer, NoReply, Process, Stop, handle, send, spawn


class Bucket(GenServer):
    def init(self, items=None, boss=None):
        if items == "no":
            return Stop("bad_thing")
        self.items, self.boss = dict(items or {}), boss
        if boss is not None:
            Process.flag("trap_exit", True)
            send(boss, ("start", items))

    @handle.call
    def put(self, key: str, value: object) -> str:
        self.items[key] = value
        return "ok"

    @handle.call(raises=(KeyError,))
    def take(self, key: str) -> object:
        return self.items.pop(key)

    @handle.call
    def crash(self) -> None:
        raise ValueError("boom")

    @handle.call
    def slow(self, seconds: float) -> str:
        time.sleep(seconds)
        return "slept"

    @handle.call
    def later(self) -> str:
        spawn(answer, self.frm)
        return NoReply

    @handle.call
    def bye(self) -> str:
        return Stop("normal", reply="bye")

    @handle.cast
    def clear(self) -> None:
        self.items.clear()

    def handle_info(self, message):
        self.items["info"] = message

    def terminate(self, reason):
        if self.boss is not None:
            send(self.boss, ("stop", reason))


def answer(frm):
    time.sleep(0.05)
    GenServer.reply(frm, "from elsewhere")
