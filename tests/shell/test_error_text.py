"""error_text.py: Which frames are the user's, and what is chained."""

from __future__ import annotations

import json

import pytest

from pyx.errors import PyxError, RemoteError, RpcTimeout
from pyx.shell.error_text import describe, trim, user_frames
from pyx.terms import parse_pid


def test_frames_of_the_standard_library_that_the_user_called_stay() -> None:
    with pytest.raises(json.JSONDecodeError) as caught:
        json.loads("{")
    text = describe(trim(caught.value))
    assert "test_error_text.py" in text
    assert "json/decoder.py" in text


def test_a_file_of_the_standard_library_that_is_the_program_stays() -> None:
    code = compile("def f(): return 1 / 0\nf()", json.__file__, "exec")
    with pytest.raises(ZeroDivisionError) as as_program:
        exec(code, {"__name__": "__main__"})
    with pytest.raises(ZeroDivisionError) as as_module:
        exec(code, {"__name__": "json"})
    frames = [
        user_frames(frame.tb_next)
        for frame in (as_program.value.__traceback__, as_module.value.__traceback__)
        if frame
    ]
    assert [frame is not None for frame in frames] == [True, False]


def test_frames_of_pyx_go() -> None:
    with pytest.raises(ValueError, match="printed pid") as caught:
        parse_pid("x")
    text = describe(trim(caught.value))
    assert "test_error_text.py" in text
    assert "terms.py" not in text


def test_a_cause_that_was_pyx_own_doing_is_not_told() -> None:
    def of_pyx_alone() -> BaseException:
        try:
            parse_pid("x")
        except ValueError as error:
            frames = error.__traceback__
            assert frames is not None
            return error.with_traceback(frames.tb_next)  # as if pyx had called it
        raise AssertionError

    with pytest.raises(RpcTimeout) as caught:
        raise RpcTimeout("a@vm", 1.0) from of_pyx_alone()
    text = describe(trim(caught.value))
    assert "direct cause" not in text
    assert text.endswith("RpcTimeout: no answer from a@vm within 1 s (the call may still run there)\n")


def test_a_cause_that_was_never_raised_is_told() -> None:
    with pytest.raises(KeyError) as caught:
        raise KeyError(1) from ValueError("the reason")
    assert "ValueError: the reason" in describe(trim(caught.value))


def test_a_loop_of_causes_ends() -> None:
    first, second = ValueError(1), ValueError(2)
    first.__cause__, second.__cause__ = second, first
    assert describe(trim(first)).count("ValueError") == 2


def test_what_a_peer_said_is_filtered_and_not_said_twice() -> None:
    error = RemoteError("a@vm", "KeyError", "\x1b[2J", "KeyError: \x1b[2J\n")
    assert describe(error) == "RemoteError: KeyError: ^[[2J\non a@vm\n"


def test_hints_and_notes_come_last() -> None:
    error = PyxError("it failed", hint="do this")
    error.add_note("a note")
    assert describe(error) == "PyxError: it failed\nhint: do this\na note\n"
