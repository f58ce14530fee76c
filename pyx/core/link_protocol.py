"""The links of one process, by OTP's link protocol.  What an exit does to the process: `process_signals.py`.

Both ends of a link keep a state of their own, and signals on their way cross.  Without a protocol an `unlink`
that crosses a `link` or an `EXIT` leaves one end linked, or ends a process by a link that it had given up.
OTP's cure (ERTS User's Guide, "Distribution Protocol", section "Link Protocol") is an *active* flag and the
number of the unlink that is outstanding:

    what happens here        state before            state after       goes out
    link(other)              none                    active            LINK
                             active                  active            nothing (links do not stack)
                             unlink n outstanding    active            LINK
    unlink(other)            active                  unlink n          UNLINK n
    LINK comes               none                    active
                             active, or unlink n     as it was         (a LINK that crosses UNLINK n is void)
    UNLINK m comes           active                  none              UNLINK_ACK m
                             none, or unlink n       as it was         UNLINK_ACK m
    UNLINK_ACK n comes       unlink n                none
                             anything else           as it was         (of an unlink that link() overruled)
    EXIT comes               active                  none              and the exit counts
                             none, or unlink n       as it was         and the exit does not

The class does not know whether the other process is on this node or another: there is one rule for both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyx.terms import Pid

ACTIVE: Final = 0
"""The state of a link that is active; any other number is that of the outstanding unlink."""


class Links:
    """The state table above, for one process and all others that it is, or lately was, linked to.

    Args:
        states: the table, by the other process; None: a new one.
    """

    __slots__ = ("states",)

    def __init__(self, states: dict[Pid, int] | None = None) -> None:
        self.states: dict[Pid, int] = {} if states is None else states
        """By the other process; empty if there never was one."""

    def __iter__(self) -> Iterator[Pid]:
        """The linked processes, in the order in which they were linked; a copy, so the table may change."""
        return iter([other for other, state in self.states.items() if state == ACTIVE])

    def __contains__(self, other: object) -> bool:
        return self.states.get(other) == ACTIVE  # type: ignore[call-overload, no-any-return]

    def link(self, other: Pid) -> bool:
        """Sets up a link; True when LINK must be sent."""
        if self.states.get(other) == ACTIVE:
            return False
        self.states[other] = ACTIVE
        return True

    def unlink(self, other: Pid, number: int) -> bool:
        """Gives a link up; True when UNLINK with that *number* (never 0) must be sent."""
        if self.states.get(other) != ACTIVE:
            return False
        self.states[other] = number
        return True

    def link_received(self, other: Pid) -> None:
        """Applies a LINK that came."""
        self.states.setdefault(other, ACTIVE)

    def unlink_received(self, other: Pid) -> None:
        """Applies an UNLINK that came; the acknowledgement is sent in any case."""
        if self.states.get(other) == ACTIVE:
            del self.states[other]

    def ack_received(self, other: Pid, number: int) -> None:
        """Applies an UNLINK_ACK that came."""
        if self.states.get(other) == number:
            del self.states[other]

    def exit_received(self, other: Pid) -> bool:
        """Applies an EXIT that came; True when it counts."""
        if self.states.get(other) != ACTIVE:
            return False
        del self.states[other]
        return True

    def node_lost(self, node: str) -> list[Pid]:
        """Returns the linked processes of a lost node; the caller delivers an EXIT from each.

        Forgets the unlinks that were not acknowledged.
        """
        there = [other for other in self.states if other.node == node]
        for other in there:
            if self.states[other] != ACTIVE:
                del self.states[other]
        return [other for other in there if other in self.states]
