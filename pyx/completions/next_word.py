"""What may stand at the end of a line of words behind `pyx`: a decision, without a look at files or nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyx.completions.command_words import CommandWords, Grammar, WordKind


class NextWord(NamedTuple):
    """What completes a word: (word, help) pairs, and beside them paths or nodes that begin with `typed`."""

    words: tuple[tuple[str, str], ...] = ()
    others: Literal["", "files", "directories", "nodes"] = ""
    typed: str = ""
    """The part of the word that is completed: behind the `=` of `--record=`, say."""


def next_word(grammar: Grammar, words: Sequence[str]) -> NextWord:
    """Returns what may stand in the place of the last of *words*, which begins with it.

    Args:
        grammar: of the command line.
        words: those behind `pyx`; the last one is incomplete, or empty.
    """
    *before, current = words
    command = grammar.chosen
    is_first = not before
    if before and before[0] in grammar.commands:
        before.pop(0)
    place = _LineSoFar(command)
    for word in before:
        place.passes(word)
    value = place.value()
    if value is not None:
        return _of_value(value, current)
    if current.startswith("-") and "=" in current:
        flag, _, typed = current.partition("=")
        option = command.option(flag)
        if option is None or not option.values:
            return NextWord()
        found = _of_value(option.values[0], typed)
        return found._replace(words=tuple((f"{flag}={word}", text) for word, text in found.words))
    if current.startswith("-"):
        flags = ((flag, option.help) for option in command.options for flag in option.flags)
        return NextWord(tuple(pair for pair in flags if pair[0].startswith(current)))
    found = _of_value(place.of_words(), current)
    if is_first:
        commands = (pair for pair in grammar.commands.items() if pair[0].startswith(current))
        found = found._replace(words=(*commands, *found.words))
    return found


class _LineSoFar:
    """Where a line of words has come to."""

    def __init__(self, command: CommandWords) -> None:
        self._command = command
        self._values: list[WordKind] = []
        """What the last option is still to be followed by."""
        self._is_program = False
        self._passed = 0

    def passes(self, word: str) -> None:
        """Takes one whole word."""
        if self._values:
            self._values.pop(0)
        elif self._is_program:
            pass
        elif word.startswith("-") and word != "-":
            option = self._command.option(word.partition("=")[0])
            if option is not None and "=" not in word:
                self._values = list(option.values)
                self._is_program = option.takes_the_rest
        else:
            self._passed += 1
            self._is_program = self._command.runs_program

    def value(self) -> WordKind | None:
        """Returns what has to stand here; None for an option or a word of the command."""
        if self._values:
            return self._values[0]
        return "files" if self._is_program else None

    def of_words(self) -> WordKind:
        """Returns what may stand here beside options."""
        places = self._command.places
        return places[min(self._passed, len(places) - 1)] if places else "text"


def _of_value(value: WordKind, typed: str) -> NextWord:
    if isinstance(value, tuple):
        return NextWord(tuple((word, "") for word in value if word.startswith(typed)), typed=typed)
    return NextWord(typed=typed) if value == "text" else NextWord(others=value, typed=typed)
