"""Matches the wildcards `[..]`, `*` and `?` inside a line, in time that grows with the line.

The text between two wildcards is matched at its leftmost place: if the line matches at all, it matches so.  A
pid that is not bound yet may match at several places; these are tried one after the other, a bounded number
of times.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias

from pyx.scenario.bindings import Token, split_tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyx.scenario.bindings import Bindings, NodeView

ANY: Final = "[..]"
_MOST_TRIES: Final = 10_000
_Segment: TypeAlias = tuple[str | Token, ...]
"""The texts and tokens between two wildcards; no text is empty."""


def match_glob(pattern: str, actual: str) -> bool:
    """Returns True if *actual* matches *pattern*, in which `*` is any text and `?` any character."""
    at = here = star = back = 0
    held = False  # a `*` came before, at `star`; its text may go on from `back`
    while here < len(actual):
        char = pattern[at] if at < len(pattern) else ""
        if char == "*":
            held, star, back = True, at, here
            at += 1
        elif char and char in {"?", actual[here]}:
            at, here = at + 1, here + 1
        elif held:
            back += 1
            at, here = star + 1, back
        else:
            return False
    return not pattern[at:].strip("*")


def match_any(text: str, actual: str, bindings: Bindings, view: NodeView) -> bool:
    """Returns True if *actual* matches *text*, in which `[..]` is any text.

    Makes bindings; the caller rolls back after False.
    """
    return _WildcardSearch(_segments(text), actual, bindings, view).run()


@lru_cache(maxsize=4096)
def _segments(text: str) -> tuple[_Segment, ...]:
    segments: list[list[str | Token]] = [[]]
    for part in split_tokens(text):
        if isinstance(part, Token):
            segments[-1].append(part)
            continue
        first, *more = part.split(ANY)
        segments[-1] += [first] if first else []
        segments += [[piece] if piece else [] for piece in more]
    return tuple(tuple(segment) for segment in segments)


class _WildcardSearch:
    def __init__(self, segments: Sequence[_Segment], actual: str, bindings: Bindings, view: NodeView) -> None:
        self._segments = segments
        self._actual = actual
        self._bindings = bindings
        self._view = view
        self._tries = 0
        self._tokens: dict[int, Token] = {}
        """The tokens of the line, by their first index."""
        at = 0
        for part in split_tokens(actual):
            if isinstance(part, Token):
                self._tokens[at] = part
                at += len(part.text)
            else:
                at += len(part)

    def run(self) -> bool:
        first, *middle, last = self._segments
        begin = self._end_at(first, 0)
        if begin is None:
            return False
        pending: list[tuple[int, Iterator[int]]] = [(0, iter((begin,)))]
        savepoints = [self._bindings.savepoint()]
        while pending:
            number, places = pending[-1]
            self._bindings.rollback(savepoints[-1])
            end = next(places, None)
            if end is None or self._tries > _MOST_TRIES:
                pending.pop()
                savepoints.pop()
            elif number == len(middle):
                if self._ends_with(last, end):
                    return True
            else:
                savepoints.append(self._bindings.savepoint())
                pending.append((number + 1, self._places(middle[number], end)))
        return False

    def _places(self, segment: _Segment, start: int) -> Iterator[int]:
        """Yields each end of *segment* that begins at *start* or later, the leftmost first.

        A segment of text alone has one: no place further right leaves more room for what follows.
        """
        if not segment:
            yield start
            return
        head = segment[0]
        while True:
            if isinstance(head, str):
                start = self._actual.find(head, start)
            else:
                start = min((at for at in self._tokens if at >= start), default=-1)
            if start < 0:
                return
            self._tries += len(segment) > 1 or not isinstance(head, str)
            savepoint = self._bindings.savepoint()
            end = self._end_at(segment, start)
            if end is not None:
                yield end
                if all(isinstance(part, str) for part in segment):
                    return
            self._bindings.rollback(savepoint)
            start += 1

    def _end_at(self, segment: _Segment, at: int) -> int | None:
        """Returns the end of *segment* if it matches at that place, else None; binds its tokens."""
        for part in segment:
            if isinstance(part, str):
                if not self._actual.startswith(part, at):
                    return None
                at += len(part)
            else:
                token = self._tokens.get(at)
                if token is None or not self._bindings.match(part, token, self._view):
                    return None
                at += len(token.text)
        return at

    def _ends_with(self, segment: _Segment, start: int) -> bool:
        """Returns True if *segment* matches at the end of the line, from *start* on at the earliest."""
        at = len(self._actual)
        tokens = {begin + len(token.text): token for begin, token in self._tokens.items()}
        for part in reversed(segment):
            if isinstance(part, str):
                if not self._actual.endswith(part, 0, at):
                    return False
                at -= len(part)
            else:
                token = tokens.get(at)
                if token is None or not self._bindings.match(part, token, self._view):
                    return False
                at -= len(token.text)
        return at >= start
