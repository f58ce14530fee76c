"""The threads that answer peers' inquiries about processes of this node, the peers in turn.

A peer may have some thousands of inquiries waiting, and further ones are refused; while the queue to a peer
is busy, its inquiries wait.  See `process_info.py` for the answers.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.core.effects import Inquire
    from pyx.core.outbox import Outbox

MOST_THREADS: Final = 2

MOST_WAITING: Final = 10_000
"""Inquiries of one peer."""

MOST_WAITING_BYTES: Final = 4 * 1024 * 1024
"""The payloads of these together."""

TOO_MANY: Final = "too many inquiries wait for an answer"
NO_THREAD: Final = "no thread is left to answer"


class _PeerQueue:
    """The inquiries of one peer, oldest first."""

    def __init__(self) -> None:
        self.inquiries: deque[Inquire] = deque()
        self.size = 0


class InquiryWorkers:
    """The inquiries that wait, and the threads that answer.

    Args:
        run: runs a job on a thread of its own; raises RuntimeError if the system has none left.
        answer: answers an inquiry, on such a thread.
        refuse: answers an inquiry with a sentence, at once.
        queue_for: returns the queue to a node; None if it is not connected.
    """

    def __init__(
        self,
        run: Callable[[Callable[[], None]], None],
        answer: Callable[[Inquire], None],
        refuse: Callable[[Inquire, str], None],
        queue_for: Callable[[str], Outbox | None],
    ) -> None:
        self._run = run
        self._answer = answer
        self._refuse = refuse
        self._queue_for = queue_for
        self._lock = threading.Lock()  # while it is held nothing is called but `queue_for`
        self._queues: dict[str, _PeerQueue] = {}
        """By node, in the order of their turns."""
        self._threads = 0

    def ask(self, inquiry: Inquire) -> None:
        """Takes an inquiry, and never waits."""
        with self._lock:
            queue = self._queues.setdefault(inquiry.node, _PeerQueue())
            size = len(inquiry.payload.data)
            fits = len(queue.inquiries) < MOST_WAITING and queue.size + size <= MOST_WAITING_BYTES
            if fits:
                queue.inquiries.append(inquiry)
                queue.size += size
        if fits:
            self.wake()
        else:
            self._refuse(inquiry, TOO_MANY)

    def wake(self) -> None:
        """Starts a thread that answers, if one is needed; a queue that is no longer busy calls it too."""
        with self._lock:
            if not self._queues or self._threads >= MOST_THREADS:
                return
            self._threads += 1
        try:
            self._run(self._work)
        except RuntimeError:
            with self._lock:
                self._threads -= 1
                unanswered = [] if self._threads else list(self._queues.values())
                if unanswered:
                    self._queues = {}
            for queue in unanswered:
                for inquiry in queue.inquiries:
                    self._refuse(inquiry, NO_THREAD)

    def _work(self) -> None:
        while (inquiry := self._next()) is not None:
            self._answer(inquiry)

    def _next(self) -> Inquire | None:
        """Returns the next inquiry to answer; None if there is none, and then the thread ends."""
        with self._lock:
            for node, queue in self._queues.copy().items():
                if not self._accepts_more(node):
                    continue
                del self._queues[node]
                inquiry = queue.inquiries.popleft()
                queue.size -= len(inquiry.payload.data)
                if queue.inquiries:
                    self._queues[node] = queue  # behind all others
                return inquiry
            self._threads -= 1
            return None

    def _accepts_more(self, node: str) -> bool:
        queue = self._queue_for(node)
        if queue is None:
            return True  # its requests have ended with the connection
        queue.waiters.add(self)  # before the check, so that no wake-up is missed
        if queue.is_busy:
            return False
        queue.waiters.discard(self)
        return True
