"""What one process has printed and not handed over yet: text goes in on any of its threads, pieces come out.

Text goes in without a lock (appending to a list is one step under the GIL), and is taken out in the step that
queues it for its terminal, with the kernel's lock held: so two threads of one process that print at once lose
nothing, double nothing, and each keeps its order.  Nothing is copied twice for each print, however long the
line.  See `sending.py` for where the pieces go.
"""

from __future__ import annotations

from typing import Final

from pyx.signals import LONGEST_TEXT

LONGEST_PRINT: Final = LONGEST_TEXT
"""Characters of one piece of output: what one signal carries."""

_MOST_PARTS: Final = 1024
"""After so many prints without a newline the buffer is looked at, as after each that is long itself."""

_LONG_PART: Final = 8 * 1024


class LineBuffer:
    """An unfinished line, and behind it what is being handed over."""

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts: list[str] = []

    def __bool__(self) -> bool:
        """True while there is something in it."""
        return bool(self._parts)

    def write(self, text: str) -> bool:
        """Takes *text* in; True when `take` has to be called until it says that nothing is left."""
        if len(text) <= LONGEST_PRINT:
            self._parts.append(text)
        else:
            self._parts += [text[at : at + LONGEST_PRINT] for at in range(0, len(text), LONGEST_PRINT)]
        return "\n" in text or len(text) >= _LONG_PART or len(self._parts) >= _MOST_PARTS

    def take(self, *, everything: bool) -> tuple[str, bool]:
        """The next piece of at most `LONGEST_PRINT` characters, of whole lines where possible, and whether
        another may follow; with the kernel's lock held.

        Args:
            everything: the unfinished line too.  Else it stays, as long as it is shorter than a piece.
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
        # Another thread may add to the end meanwhile, never here: what is left stays before it.
        del parts[:count]
        if rest:
            parts.insert(0, rest)
        unfinished = bool(rest) and not everything and "\n" not in rest and len(rest) < LONGEST_PRINT
        return text[:end], bool(end) and len(parts) > unfinished
