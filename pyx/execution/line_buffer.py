"""The output buffer of one process: text that was printed and is not queued for a terminal yet.

Text is added without a lock (appending to a list is atomic under the GIL) and taken out in the kernel
call that queues it for its terminal, with the kernel's lock held: two threads of one process that print at
once lose nothing, double nothing, and each keeps its order.  A long line is not copied again for each
print.  See `runtime/sending.py` for where the pieces go.
"""

from __future__ import annotations

from typing import Final

from pyx.signals import LONGEST_TEXT

LONGEST_PRINT: Final = LONGEST_TEXT
"""Characters of one piece of output: the most that one signal carries."""

_MOST_PARTS: Final = 1024
"""Number of prints without a newline after which the buffer is emptied, as after one long print."""

_LONG_PART: Final = 8 * 1024


class LineBuffer:
    """The printed text of one process, in order."""

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts: list[str] = []

    def __bool__(self) -> bool:
        """True while the buffer holds text."""
        return bool(self._parts)

    def write(self, text: str) -> bool:
        """Adds *text*; returns True when `take` has to be called until it returns that no more follows."""
        if not text:  # `print(line, end="")`: nothing that would have to be ended
            return False
        if len(text) <= LONGEST_PRINT:
            self._parts.append(text)
        else:
            self._parts += [text[at : at + LONGEST_PRINT] for at in range(0, len(text), LONGEST_PRINT)]
        return "\n" in text or len(text) >= _LONG_PART or len(self._parts) >= _MOST_PARTS

    def take(self, *, everything: bool) -> tuple[str, bool]:
        """Takes out the next piece; called with the kernel's lock held.

        Args:
            everything: takes the unfinished line too.  Else it stays while it is shorter than a piece.

        Returns:
            At most `LONGEST_PRINT` characters, whole lines where possible, and whether another piece follows.
        """
        parts = self._parts
        count = size = 0
        while size < LONGEST_PRINT and count < len(parts):
            size += len(parts[count])
            count += 1
        text = "".join(parts[:count])
        end = text.rfind("\n", 0, LONGEST_PRINT) + 1
        if size >= LONGEST_PRINT:
            end = end or LONGEST_PRINT
        elif everything:
            end = size
        rest = text[end:]
        # Another thread may append meanwhile; the rest goes back to the front, before that.
        del parts[:count]
        if rest:
            parts.insert(0, rest)
        unfinished = bool(rest) and not everything and "\n" not in rest and len(rest) < LONGEST_PRINT
        return text[:end], bool(end) and len(parts) > unfinished
