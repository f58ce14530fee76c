"""tracebacks.py: Exceptions as text and as values: the user's frames only, and never a second exception."""

from __future__ import annotations

import importlib
import json
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

from pyx.errors import NoProcess, ProcessKilled, PyxError, RemoteError, RpcTimeout, WouldBlock
from pyx.execution import tracebacks
from pyx.execution.thread_pool import Pool
from pyx.execution.tracebacks import (
    as_value,
    is_ours,
    message_of,
    shown_text,
    text_of,
    traceback_text,
    trim,
    type_name,
    user_frames,
)
from pyx.otp.children import child
from pyx.shell.evaluate import error_text
from pyx.terms import Raised, parse_pid

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Empty(Exception): ...


class Rude(Exception):
    def __str__(self) -> str:
        raise ProcessKilled


class Hostile(Exception):
    def __getattribute__(self, name: str) -> object:
        raise RuntimeError("go away")


class Nameless(Exception):
    __module__ = None  # type: ignore[assignment]


def raised_by(function: Callable[[], object]) -> BaseException:
    with pytest.raises(BaseException) as caught:
        function()
    return caught.value


def fails() -> None:
    raise ValueError("no stock")


class TestNames:
    def test_type_name_has_a_module_except_for_builtins_and_pyx(self) -> None:
        assert type_name(ValueError) == "ValueError"
        assert type_name(NoProcess) == "NoProcess"
        assert type_name(Empty).endswith("test_tracebacks.Empty")
        assert type_name(Nameless) == "<unknown>.Nameless"

    def test_type_name_of_a_class_of_the_prompt_has_no_module(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Empty, "__module__", "__main__")
        assert type_name(Empty) == "Empty"


class Noted(Exception):
    __notes__ = property(lambda _: 1 / 0)


class Leaving(Exception):
    __notes__ = property(lambda _: sys.exit())


class TestText:
    @pytest.mark.parametrize(
        ("kind", "second"),
        [(Hostile, "RuntimeError"), (Leaving, "SystemExit")],
    )
    def test_text_of_an_error_whose_own_code_raises_is_one_line(
        self, kind: type[Exception], second: str
    ) -> None:
        line = f"{type_name(kind)}: (its traceback cannot be made: {second})\n"
        assert shown_text(kind()) == traceback_text(kind()) == error_text(kind()) == line

    def test_text_of_an_error_whose_notes_raise_is_one_line_or_what_python_makes_of_it(self) -> None:
        name = type_name(Noted)
        line = f"{name}: (its traceback cannot be made: ZeroDivisionError)\n"
        by_python = f"{name}\nIgnored error getting __notes__: ZeroDivisionError('division by zero')\n"
        assert shown_text(Noted()) == traceback_text(Noted()) == error_text(Noted())
        assert error_text(Noted()) in {line, by_python}

    def test_text_has_the_users_frames_and_the_last_line(self) -> None:
        text = traceback_text(raised_by(fails))
        assert text.startswith("Traceback (most recent call last):\n")
        assert 'raise ValueError("no stock")' in text
        assert text.endswith("ValueError: no stock\n")

    def test_text_has_no_frame_of_pyx(self) -> None:
        def through_pyx() -> None:
            Pool.run(None, fails)  # type: ignore[arg-type] # it fails inside pyx, at once

        text = traceback_text(raised_by(through_pyx))
        assert "through_pyx" in text
        assert "threads.py" not in text

    def test_text_without_frames_is_the_last_line(self) -> None:
        assert traceback_text(ValueError("no stock")) == "ValueError: no stock\n"

    def test_text_of_pyx_errors_has_no_module(self) -> None:
        assert traceback_text(NoProcess("x")) == "NoProcess: no process is registered as 'x' on this node\n"

    def test_text_of_pyx_errors_has_their_hint(self) -> None:
        text = traceback_text(WouldBlock("receive()", "aio.receive()"))
        assert (
            text
            == "WouldBlock: receive() would block the running event loop\nhint: use `await aio.receive()`\n"
        )

    def test_text_of_a_remote_error_has_the_frames_of_the_other_node(self) -> None:
        remote = 'Traceback (most recent call last):\n  File "stock.py", line 3, in f\nKeyError: 1\n'
        text = traceback_text(RemoteError("server@vm", "KeyError", "1", remote))
        assert text == (
            "RemoteError: KeyError: 1\n"
            "on server@vm:\n"
            "  Traceback (most recent call last):\n"
            '    File "stock.py", line 3, in f\n'
            "  KeyError: 1\n"
        )

    def test_text_has_causes(self) -> None:
        def chained() -> None:
            try:
                fails()
            except ValueError as error:
                raise Empty from error

        text = traceback_text(raised_by(chained))
        assert "ValueError: no stock\n\nThe above exception was the direct cause" in text

    def test_text_has_exception_groups(self) -> None:
        group = ExceptionGroup("several", [ValueError("one"), KeyError("two")])
        text = traceback_text(group)
        assert "ValueError: one" in text
        assert "KeyError: 'two'" in text

    def test_text_of_a_failed_import_has_no_frame_of_the_importer(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "broken_stock.py").write_text("raise ValueError('at import')")
        monkeypatch.syspath_prepend(tmp_path)
        text = traceback_text(raised_by(lambda: importlib.import_module("broken_stock")))
        assert "importlib/__init__.py" not in text
        assert "frozen" not in text
        assert "broken_stock.py" in text

    def test_str_that_raises_is_replaced(self) -> None:
        assert message_of(Rude()) == "<Rude whose text cannot be made>"
        assert "Rude" in traceback_text(raised_by(lambda: (_ for _ in ()).throw(Rude())))

    def test_exception_without_a_traceback_text_is_replaced(self) -> None:
        text = traceback_text(Hostile("x"))
        assert text.endswith("Hostile: (its traceback cannot be made: RuntimeError)\n")

    def test_ctrl_c_during_str_is_raised(self) -> None:
        class Slow(Exception):
            def __str__(self) -> str:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            message_of(Slow())


class TestTrim:
    def test_frames_of_pyx_are_removed(self) -> None:
        text = text_of(trim(raised_by(lambda: parse_pid("x"))))
        assert "test_tracebacks.py" in text
        assert "terms.py" not in text

    def test_frames_of_text_that_the_user_evaluates_with_the_names_of_pyx_are_kept(self) -> None:
        # As in `spawn(eval, "1 / 0")`: the names are those of the frame that calls `eval`, of pyx.
        names = {"__file__": tracebacks.__file__}
        text = text_of(trim(raised_by(lambda: eval("1 / 0", names))))
        assert 'File "<string>", line 1, in <module>' in text

    def test_frames_of_code_that_was_generated_for_pyx_are_removed(self) -> None:
        # A dataclass has an `__init__` that is made of text, in the file "<string>".
        text = text_of(trim(raised_by(lambda: child(print, restart="always"))))  # type: ignore[arg-type]
        assert "test_tracebacks.py" in text
        assert "<string>" not in text

    def test_frames_of_the_standard_library_that_the_user_called_are_kept(self) -> None:
        text = text_of(trim(raised_by(lambda: json.loads("{"))))
        assert "test_tracebacks.py" in text
        assert "json/decoder.py" in text

    @pytest.mark.parametrize(("module", "kept"), [("__main__", [True, True]), ("json", [False, True])])
    def test_file_of_the_standard_library_is_kept_where_it_is_the_program(
        self, module: str, kept: list[bool]
    ) -> None:
        code = compile("def f(): return 1 / 0\nf()", json.__file__, "exec")
        frames = raised_by(lambda: exec(code, {"__name__": module})).__traceback__
        for _ in range(3):  # this test, `raised_by` and the lambda: as if pyx had called it
            assert frames is not None
            frames = frames.tb_next
        assert [user_frames(frames, keep_library=keep) is not None for keep in (False, True)] == kept

    def test_cause_without_a_frame_of_the_users_is_removed(self) -> None:
        def raised_by_pyx() -> BaseException:
            error = raised_by(lambda: parse_pid("x"))
            frames = error.__traceback__
            for _ in range(2):
                assert frames is not None
                frames = frames.tb_next
            assert frames is not None
            return error.with_traceback(frames.tb_next)  # as if pyx had called it

        def fails_for_it() -> None:
            raise RpcTimeout("a@vm", 1.0) from raised_by_pyx()

        text = text_of(trim(raised_by(fails_for_it)))
        assert "direct cause" not in text
        assert text.endswith("RpcTimeout: no answer from a@vm within 1 s (the call may still run there)\n")

    def test_cause_that_was_never_raised_is_kept(self) -> None:
        def fails_for_a_reason() -> None:
            raise KeyError(1) from ValueError("the reason")

        assert "ValueError: the reason" in text_of(trim(raised_by(fails_for_a_reason)))

    def test_circle_of_causes_ends(self) -> None:
        first, second = ValueError(1), ValueError(2)
        first.__cause__, second.__cause__ = second, first
        assert text_of(trim(first)).count("ValueError") == 2

    def test_long_chain_of_causes_is_shown(self) -> None:
        error: BaseException = ValueError(0)
        for number in range(1, 3000):
            error, cause = ValueError(number), error
            error.__cause__ = cause
        assert text_of(trim(error)).count("direct cause") == 2999

    def test_hint_and_notes_come_last(self) -> None:
        error = PyxError("it failed", hint="do this")
        error.add_note("a note")
        assert text_of(error) == "PyxError: it failed\nhint: do this\na note\n"


class TestValue:
    def test_value_has_type_message_and_traceback(self) -> None:
        value = as_value(raised_by(fails))
        assert isinstance(value, Raised)
        assert (value.type, value.text) == ("ValueError", "no stock")
        assert value.traceback.endswith("ValueError: no stock\n")

    def test_value_has_the_last_twenty_frames_and_the_number_of_parameters_of_each(self) -> None:
        def down(left: int, *, step: int = 1) -> None:
            if left == 0:
                raise ValueError("down there")
            down(left - step, step=step)

        frames = as_value(raised_by(lambda: down(50))).frames
        assert len(frames) == 20
        assert {(file, function, parameters) for file, _, function, parameters in frames} == {
            (__file__, "down", 2)
        }

    def test_long_traceback_is_cut_in_the_middle(self) -> None:
        source = textwrap.dedent("""
            def f(n):
                if n: g(n)
                raise ValueError("x" * 30_000)
            def g(n):
                f(n - 1)
        """)
        names: dict[str, Callable[[int], None]] = {}
        exec(source, names)
        text = as_value(raised_by(lambda: names["f"](100))).traceback
        assert len(text) < 21_000
        assert " characters left out ...\n" in text
        assert text.startswith("Traceback")
        assert text.endswith("xxx\n")

    def test_long_message_is_cut_too(self) -> None:
        value = as_value(ValueError("x" * 30_000))
        assert len(value.text) < 21_000
        assert " characters left out ...\n" in value.text


def test_files_of_pyx_and_of_the_importer_are_recognised() -> None:
    assert is_ours(tracebacks.__file__)
    assert is_ours("<frozen importlib._bootstrap>")
    assert is_ours(importlib.__file__)
    assert not is_ours(__file__)
    assert not is_ours("<pyx>")
    assert not is_ours(sys.modules["os"].__file__ or "")
