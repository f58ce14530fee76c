"""forks.py: A forked child keeps none of the node's descriptors; tested in a child Python without
threads.
"""

from __future__ import annotations

from tests.net.conftest import run


def test_end_of_a_node_is_seen_by_peers_while_its_forked_child_lives_on() -> None:
    printed = run(
        """
        import asyncio, os, socket
        from pyx.core.outbox import Outbox
        from pyx.net.connection import _NO_OWNER, Connection
        from pyx.net.stream import PlainStream
        from pyx.terms import Incarnation
        from pyx.wire.frames.signal_stream import SignalStream

        ours, theirs = socket.socketpair()
        ready, readies = os.pipe()
        kept, keeps = os.pipe()
        if os.fork() == 0:                       # the node
            theirs.close()
            signal_stream = SignalStream(Incarnation("gus@vm", 1), Incarnation("bob@vm", 2))
            loop, stream = asyncio.new_event_loop(), PlainStream(ours)
            connection = Connection(loop, stream, signal_stream, Outbox(""), _NO_OWNER)
            if os.fork() == 0:                   # its child, which lives on
                os.close(keeps)
                os.write(readies, b"x")
                os.read(kept, 1)
                os._exit(0)
            os.read(ready, 1)
            theirs_alive = os.write(readies, b"y")
            os._exit(0)
        ours.close()
        os.wait()
        print(os.read(ready, 1), theirs.recv(1))
        """
    )
    assert printed == "b'y' b''\n"


def test_collected_owner_is_not_closed_in_a_forked_child() -> None:
    printed = run(
        """
        import os
        from pyx.net.forks import close_in_children

        class Owner:
            def __init__(self, name):
                self.name = name
                close_in_children(self)

            def close_in_child(self):
                print(self.name, "closed", flush=True)

        kept, dropped = Owner("kept"), Owner("dropped")
        del dropped
        if os.fork() == 0:
            if os.fork() == 0:                   # a child's child has nothing left to close
                os._exit(0)
            os.wait()
            os._exit(0)
        os.wait()
        print("parent", flush=True)
        """
    )
    assert printed == "kept closed\nparent\n"
