"""What `iex` prints at a pipe, as driver messages: the output of each input, that of others, and its prompts.

A pipe has no echo and no marks, so these are told apart by what a reader sees:

- A prompt with another number ends the input.  One with the same number does after an error (`** (...)`), or
  after half a second: a line of the log redraws the prompt, and iex counts inputs that succeeded.
- A line `13:07:56.746 [error] ...` begins an entry of the log, up to the next empty line or prompt.
- What comes while an input runs is that input's, and what comes at a prompt is that of others.
- Empty lines around these are layout, and are left out.

A pure machine: bytes and the time go in, messages come out (`shell/driver.py` has them).
"""

from __future__ import annotations

import codecs
import re
from typing import Any, Final

from pyx.scenario.match_term import is_balanced, may_be_term
from pyx.scenario.output_units import EVAL

QUIET_SECONDS: Final = 0.12
"""After an error, for this time without output, the prompt is the next one."""
LONG_QUIET_SECONDS: Final = 0.5
"""The same without an error, where a redrawn prompt is the usual case."""

_LOG_ENTRY: Final = re.compile(r"\d\d:\d\d:\d\d\.\d{3} \[[a-z]+\]")
_STOPPED: Final = re.compile(_LOG_ENTRY.pattern + r" SIGTERM received - shutting down")
"""Told by every `$ stop`."""
_BANNER: Final = re.compile(r"Erlang/OTP \d|Interactive Elixir \(")
_CREATION: Final = re.compile(r"pyx-creation (\d+)$")
TELL_CREATION: Final = 'IO.puts("pyx-creation #{:erlang.system_info(:creation)}")'
"""Elixir that prints which incarnation of its name a node is; for `iex -e`."""


class IexConversation:
    """The bytes of one iex, both ways; without I/O.

    Args:
        name: the full name of the node, which its prompts have.
    """

    has_driver = False
    """False: it evaluates inputs, and answers no other request of a driver."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._prompt = re.compile(rf"(?P<kind>iex|\.\.\.)\({re.escape(name)}\)(?P<number>\d+)> ")
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        self._text = ""
        """What came behind the last whole line or prompt."""
        self._request: int | None = None
        self._number = 0
        """The number of the latest prompt."""
        self._typed_at = 0
        """The number of the prompt at which the input was typed."""
        self._failed = False
        """True once the input has shown an error."""
        self._drawn_at: float | None = None
        """When a prompt with the same number was drawn, if nothing came since."""
        self._in_log = False
        self._blank_lines = 0
        self._term: list[str] = []
        """The lines of a term whose brackets are still open."""
        self._creation = 0
        self._is_ready = False

    def request(self, number: int, do: str, facts: dict[str, Any]) -> bytes:
        """Returns the bytes of an input, with the lines that it reads itself."""
        assert do in {"eval", "probe"}, do
        self._request = number
        self._typed_at = self._number
        self._failed = False
        self._drawn_at = None
        self._blank_lines = 0
        return "".join(f"{line}\n" for line in [facts["code"], *facts.get("typed", ())]).encode()

    def received(self, data: bytes, now: float) -> list[dict[str, Any]]:
        """Returns the messages in these bytes."""
        self._text += self._decoder.decode(data).replace("\r\n", "\n")
        messages: list[dict[str, Any]] = []
        while True:
            found = self._prompt.search(self._text)
            end = self._text.find("\n")
            if end >= 0 and (found is None or end < found.start()):
                line, self._text = self._text[:end], self._text[end + 1 :]
                messages += self._line(line)
            elif found is not None:
                before, self._text = self._text[: found.start()], self._text[found.end() :]
                messages += self._line(before) if before else []
                messages += self._at_prompt(found, now)
            else:
                break
        if self._text:
            self._drawn_at = None
        return messages

    def waited(self, now: float) -> list[dict[str, Any]]:
        """Returns the prompt of an input that ended where it began, once nothing came for a while."""
        quiet = QUIET_SECONDS if self._failed else LONG_QUIET_SECONDS
        if self._drawn_at is None or now - self._drawn_at < quiet:
            return []
        self._drawn_at = None
        return [self._over()]

    def ended(self) -> list[dict[str, Any]]:
        """Returns the rest, at the end of the bytes."""
        line, self._text = self._text, ""
        messages = self._line(line) if line else []
        return messages + self._end_term()

    # ------------------------------------------------------------ prompts

    def _at_prompt(self, found: re.Match[str], now: float) -> list[dict[str, Any]]:
        messages = self._end_term()
        self._in_log = False
        self._blank_lines = 0
        if found["kind"] != "iex":
            return messages  # the input goes on
        self._number = int(found["number"])
        if not self._is_ready:
            self._is_ready = True
            messages.append({"is": "ready", "name": self._name, "creation": self._creation})
            messages.append(self._over())
        elif self._request is not None:
            if self._number != self._typed_at:
                messages.append(self._over())
            else:
                self._drawn_at = now
        return messages

    def _over(self) -> dict[str, Any]:
        request, self._request = self._request, None
        return {"is": "prompt", "id": request, "text": f"iex({self._name}){self._number}> "}

    # ------------------------------------------------------------ lines

    def _line(self, line: str) -> list[dict[str, Any]]:
        self._drawn_at = None
        if not self._is_ready:
            if (told := _CREATION.fullmatch(line)) is not None:
                self._creation = int(told[1])
                return []
            if _BANNER.match(line):
                return []
        if _BANNER.match(line) and self._failed:
            return []  # the evaluator of the shell has started again
        if not line.strip():
            if self._in_log:
                self._in_log = False
            elif self._term:
                self._term.append(line)
            else:
                self._blank_lines += 1
            return []
        if _STOPPED.match(line):
            return []
        if self._in_log or _LOG_ENTRY.match(line):
            messages = self._end_term()
            self._in_log = True
            self._blank_lines = 0
            return [*messages, self._out("log", "print", line)]
        if self._term:
            self._term.append(line)
            return self._end_term() if is_balanced("\n".join(self._term)) else []
        blank = [self._shown("print", "")] * (self._blank_lines if self._has_shown else 0)
        self._blank_lines = 0
        self._failed |= line.startswith("** (")
        if may_be_term(line) and not is_balanced(line):
            self._term = [line]
            return blank
        return [*blank, self._shown("term" if may_be_term(line) else "print", line)]

    @property
    def _has_shown(self) -> bool:
        """True where an empty line is inside the text of an error."""
        return self._request is not None and self._failed

    def _end_term(self) -> list[dict[str, Any]]:
        lines, self._term = self._term, []
        if not lines:
            return []
        text = "\n".join(lines)
        if is_balanced(text):
            return [self._shown("term", text)]
        return [self._shown("print", line) for line in lines]

    def _shown(self, kind: str, text: str) -> dict[str, Any]:
        return self._out("screen" if self._request is None else EVAL, kind, text)

    @staticmethod
    def _out(source: str, kind: str, text: str) -> dict[str, Any]:
        return {"is": "out", "source": source, "kind": kind, "text": f"{text}\n", "incarnations": []}
