"""What one node answers to `pyx doctor NODE`, step by step; a step that was not reached is None."""

from __future__ import annotations

from typing import NamedTuple


class WayStep(NamedTuple):
    """One step on the way to a node: it was made, or failed for a reason."""

    is_made: bool
    text: str
    """What came of it, or why it failed, as a sentence without its subject."""
    hint: str = ""


class Answers(NamedTuple):
    """What the node says once it is connected."""

    milliseconds: float
    """The fastest of a few pings and their answers."""
    pyx: str = ""
    """Its version of pyx; "" where it runs no code for peers."""
    python: str = ""
    clock_offset: float = 0.0
    """Seconds by which its clock of the day is ahead of this host's."""
    refused: str = ""
    """Why it did not say its versions."""


class NodeFacts(NamedTuple):
    """The steps, in their order."""

    name: str
    """The full name."""
    found: WayStep
    """The name leads to a socket: by the directory of this host, or by resolver and EPMD."""
    reached: WayStep | None = None
    """The socket accepts a connection."""
    proven: WayStep | None = None
    """Both nodes have proven the cookie."""
    answers: Answers | None = None
    lost: str = ""
    """Why it does not answer, though it is connected."""
