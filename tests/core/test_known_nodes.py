"""known_nodes.py: the names mentioned last are kept."""

from __future__ import annotations

from pyx.core.known_nodes import MAX_KNOWN, KnownNodes


def test_name_mentioned_twice_is_kept_once() -> None:
    known = KnownNodes()
    for name in ("a@h", "b@h", "a@h"):
        known.add(name)
    assert sorted(known) == ["a@h", "b@h"]
    assert len(known) == 2


def test_names_mentioned_longest_ago_are_forgotten_first() -> None:
    known = KnownNodes()
    known.add("first@h")
    for number in range(MAX_KNOWN - 1):
        known.add(f"n{number}@h")
    known.add("first@h")
    known.add("last@h")
    assert len(known) == MAX_KNOWN
    assert {"first@h", "last@h"} <= set(known)
    assert "n0@h" not in set(known)
