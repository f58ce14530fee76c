"""A process that keeps the stock of a shop: three versions of it in one loop.

    pid = spawn(product_stock.handle_stock, [])
    Process.register(pid, "product_stock")
    send("product_stock", ("add", {"name": "nike", "qty": 30}))
    send("product_stock", "status")

First version: `("add", product)` and `"status"`, which prints.  Second: `("add", frm, product)` and
`("status", frm)` send the stock to the process *frm*.  Third: it logs who asked.  `("status", frm, ref)` answers
`(ref, stock)`, so that the asker knows which answer this is.
"""

from pyx import receive, send


def handle_stock(stock):
    while True:
        match receive():
            case ("add", product):
                stock = [product, *stock]
            case "status":
                print(stock)
            case ("add", frm, product):
                print(f"{frm} added a new item on stock")
                stock = [product, *stock]
                send(frm, stock)
            case ("status", frm):
                print(f"{frm} checked the stock")
                send(frm, stock)
            case ("status", frm, ref):
                print(f"{frm} checked the stock")
                send(frm, (ref, stock))
            case other:
                print(f"the stock does not understand {other!r}")
