"""A chat at the prompt: rooms are topics, and who is in one is a presence.

In a terminal each, `pyx -S scenarios/chat --sname ann` and `pyx -S scenarios/chat --sname bob`; then, in both:

    from chat import *
    join("lobby")
    say("hello")
    who()
    leave()
"""

from pyx import Node, Presence, Process, PubSub, receive, self, send, spawn_link

__all__ = ["join", "leave", "say", "who"]


def join(room="lobby", name=None):
    """Enters a room, under the name of this node or another one; what is said there is shown as it comes."""
    who(room)  # what is no room is refused here
    leave()
    name = str(name or Node.self().partition("@")[0])
    seat = spawn_link(listen, room, name, self())
    receive(("listening", seat))
    Process.put("chat", (room, name, seat))
    return who(room)


def say(text):
    """Says something to all others in the room."""
    room, name, seat = here()
    PubSub.broadcast_from(seat, room, ("said", name, text))


def who(room=None):
    """The names in a room, on all nodes."""
    return sorted(Presence.list(here()[0] if room is None else room))


def leave():
    """Leaves the room."""
    if Process.get("chat"):
        _, _, seat = Process.put("chat", None)
        send(seat, "leave")


def here():
    """The room of this shell, its name there, and the process that listens."""
    if not Process.get("chat"):
        raise LookupError('you are in no room: join("lobby") enters one')
    return Process.get("chat")


def listen(room, name, shell):
    """The process that is present in the room for a shell, and prints what it hears."""
    PubSub.subscribe(room)
    Presence.track(room, name)
    send(shell, ("listening", self()))
    while (message := receive()) != "leave":
        match message:
            case ("said", who, text):
                print(f"{who}: {text}")
            case ("presence_diff", _, {"joins": joins, "leaves": leaves}):
                for who in joins.keys() - leaves - {name}:
                    print(f"* {who} is here")
                for who in leaves.keys() - joins - {name}:
                    print(f"* {who} has left")
