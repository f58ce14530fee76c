"""Questions of peers about processes here: answered by a few threads, each peer in its turn.

A peer that asks faster than it is answered has some thousands waiting, and is refused the others; one that
does not take its answers waits until it does.  See `lifecycle.py` for the answers.
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
"""Questions of one peer."""

MOST_WAITING_BYTES: Final = 4 * 1024 * 1024
"""What these hold, together."""

TOO_MANY: Final = "it has too many questions to answer"
NO_THREAD: Final = "it has no thread left to answer"


class _PeerQueue:
    """What one peer has asked, oldest first."""

    def __init__(self) -> None:
        self.questions: deque[Inquire] = deque()
        self.size = 0


class InquiryWorkers:
    """See the file.

    Args:
        run: runs a job on a thread of its own; raises RuntimeError where the system has none left.
        answer: answers a question, on such a thread.
        refuse: answers it with a sentence, at once.
        queue_for: what waits for a node; None where that is not connected.
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
        self._lock = threading.Lock()  # under it nothing is called but what looks at a queue
        self._lines: dict[str, _PeerQueue] = {}
        """By node, whose turn is next first."""
        self._threads = 0

    def ask(self, question: Inquire) -> None:
        """A peer asks; never waits."""
        with self._lock:
            line = self._lines.setdefault(question.node, _PeerQueue())
            size = len(question.payload.data)
            has_room = len(line.questions) < MOST_WAITING and line.size + size <= MOST_WAITING_BYTES
            if has_room:
                line.questions.append(question)
                line.size += size
        if has_room:
            self.wake()
        else:
            self._refuse(question, TOO_MANY)

    def wake(self) -> None:
        """Starts a thread that answers, if one is needed; called too when a peer has taken what waited."""
        with self._lock:
            if not self._lines or self._threads >= MOST_THREADS:
                return
            self._threads += 1
        try:
            self._run(self._work)
        except RuntimeError:
            with self._lock:
                self._threads -= 1
                unanswered = [] if self._threads else list(self._lines.values())
                if unanswered:
                    self._lines = {}
            for line in unanswered:
                for question in line.questions:
                    self._refuse(question, NO_THREAD)

    def _work(self) -> None:
        while (question := self._next()) is not None:
            self._answer(question)

    def _next(self) -> Inquire | None:
        """The question to answer now; None when there is none, and the thread has gone."""
        with self._lock:
            for node, line in list(self._lines.items()):
                if not self._takes_more(node):
                    continue
                del self._lines[node]
                question = line.questions.popleft()
                line.size -= len(question.payload.data)
                if line.questions:
                    self._lines[node] = line  # behind all others
                return question
            self._threads -= 1
            return None

    def _takes_more(self, node: str) -> bool:
        queue = self._queue_for(node)
        if queue is None:
            return True  # it is gone, and its questions with it
        queue.waiters.add(self)  # before the look, so that no wake-up is missed
        if queue.is_busy:
            return False
        queue.waiters.discard(self)
        return True
