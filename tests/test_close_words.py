"""close_words.py: The known words that a wrong one is like."""

from __future__ import annotations

from pyx.close_words import close_word, close_words


def test_most_similar_word_is_meant() -> None:
    assert close_word("spwan", ["send", "spawn", "spawn_link"]) == "spawn"
    assert close_word("spawn", iter(["spawn"])) == "spawn"


def test_word_that_is_like_none_means_nothing() -> None:
    assert close_word("xyz", ["send", "spawn"]) is None
    assert close_word("spawn", []) is None


def test_likeness_decides_what_is_alike() -> None:
    assert close_word("theem", ["theme"], likeness=0.9) is None
    assert close_word("theem", ["theme"], likeness=0.7) == "theme"


def test_several_words_come_in_the_order_of_their_likeness() -> None:
    assert close_words("spwn", ["send", "spawn_link", "spawn"], 2, 0.6) == ["spawn"]
    assert close_words("spaw", ["spawn", "spa", "spawned"], 2) == ["spawn", "spa"]
    assert close_words("spaw", ["spawn", "spa", "spawned"], 1) == ["spawn"]
