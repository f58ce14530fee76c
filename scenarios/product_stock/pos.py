"""A point of sale between customers and the stock: three roles on three nodes.

    on the store:     Process.register(spawn(pos.ask, ("product_stock", "server")), "pos")
    on the customer:  send(("pos", "store"), ("ask", self(), "nike"))
                      pos.show_msg()

Each question to the stock carries a reference and waits for the answer that bears it, so neither a stray
message nor a late answer is taken for the stock.
"""

from pyx import ReceiveTimeout, make_ref, receive, self, send

PATIENCE = 5.0


def ask(stock):
    """Answers `("ask", customer, name)` with `("print", product or a sentence)`; *stock* is where to look."""
    while True:
        match receive():
            case ("ask", customer, name):
                print(f"{customer} wants to know if there is {name}")
                send(customer, ("print", find(stock, name)))
            case other:
                print(f"the store does not understand {other!r}")


def find(stock, name):
    ref = make_ref()
    send(stock, ("status", self(), ref))
    try:
        _, products = receive((ref, list), timeout=PATIENCE)
    except ReceiveTimeout:
        return "The stock does not answer"
    for product in products:
        if product["name"] == name:
            return product
    return f"There is no Product {name}"


def show_msg(timeout=PATIENCE):
    """Prints the next answer, or says that none came within *timeout* seconds."""
    try:
        _, answer = receive(("print", ...), timeout=timeout)
    except ReceiveTimeout:
        print("No answer yet")
    else:
        print(answer)
