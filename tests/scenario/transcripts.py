"""What the tests of the transcript language share: parsing a text that is right, and one that is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyx.errors import TranscriptError
from pyx.scenario.transcript import parse_transcript

if TYPE_CHECKING:
    from pyx.scenario.steps import TranscriptSession

STARTED = "$ pyx --sname a\n$ pyx --sname b\n"

GOOD = "$ pyx --sname a\npyx(a@vm)1> print('hello')\nhello\n"
BAD = "$ pyx --sname a\npyx(a@vm)1> 1\n2\n"
BODY = "$ pyx --sname a\npyx(a@vm)1> 1+1\n3\n"


def session_of(text: str, path: str = "t.pyxt") -> TranscriptSession:
    (only,) = parse_transcript(text, path).sessions
    return only


def error_in(text: str, path: str = "t.pyxt") -> TranscriptError:
    with pytest.raises(TranscriptError) as raised:
        parse_transcript(text, path)
    return raised.value


def check_error(error: TranscriptError, line: int, column: int, problem: str, hint: str | None) -> None:
    assert problem in error.problem
    assert (error.line, error.column) == (line, column), error
    if hint is not None:
        assert error.hint is not None
        assert hint in error.hint
