import time

from pyx import Atom, Exit, GenServer, Process, handle, receive, self, send


class Stock(GenServer):
    def init(self):
        self.items = {}

    @handle.call
    def add(self, name, qty):
        self.items[name] = self.items.get(name, 0) + qty
        return self.items[name]

    @handle.call
    def status(self):
        return Atom("open")

    @handle.call
    def slow(self):
        time.sleep(0.3)

    @handle.cast
    def clear(self):
        self.items.clear()


def by_hand(name):
    Process.register(self(), name)
    while True:
        match receive():
            case ("$gen_call", frm, request):
                GenServer.reply(frm, (Atom("ok"), request))
            case ("$gen_cast", request):
                print("cast:", request)
            case ("leave", reason):
                raise Exit(reason)


def total(prices):
    return sum(prices) / len(prices)


def end_with_next():
    raise Exit(receive())


def count_and_leave(to, most):
    Process.link(to)
    for number in range(1, most + 1):
        send(to, number)
    raise Exit(Atom("done"))
