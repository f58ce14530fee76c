"""tracebacks.py: Failures as text and as values: the user's frames only, and never a second failure."""

from __future__ import annotations

import importlib
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

from pyx.errors import NoProcess, ProcessKilled, RemoteError, WouldBlock
from pyx.execution import tracebacks
from pyx.execution.thread_pool import Pool
from pyx.execution.tracebacks import as_value, is_ours, message_of, traceback_text, type_name
from pyx.terms import Raised

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
    def test_builtins_and_pyx_by_their_own_name_others_with_their_module(self) -> None:
        assert type_name(ValueError) == "ValueError"
        assert type_name(NoProcess) == "NoProcess"
        assert type_name(Empty).endswith("test_tracebacks.Empty")
        assert type_name(Nameless) == "None.Nameless"

    def test_a_class_of_the_prompt_by_its_own_name(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Empty, "__module__", "__main__")
        assert type_name(Empty) == "Empty"


class TestText:
    def test_the_users_frames_and_the_last_line(self) -> None:
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

    def test_just_the_last_line_where_no_frame_is_left(self) -> None:
        assert traceback_text(ValueError("no stock")) == "ValueError: no stock\n"

    def test_pyx_errors_without_their_module(self) -> None:
        assert traceback_text(NoProcess("x")) == "NoProcess: no process is registered as 'x' on this node\n"

    def test_text_of_pyx_errors_has_their_hint(self) -> None:
        text = traceback_text(WouldBlock("receive()", "aio.receive()"))
        assert (
            text
            == "WouldBlock: receive() would block the running event loop\nhint: use `await aio.receive()`\n"
        )

    def test_a_remote_error_with_the_frames_of_the_other_side(self) -> None:
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

    def test_an_import_of_the_users_shows_no_importer(
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


class TestValue:
    def test_value_has_type_message_and_traceback(self) -> None:
        value = as_value(raised_by(fails))
        assert isinstance(value, Raised)
        assert (value.type, value.text) == ("ValueError", "no stock")
        assert value.traceback.endswith("ValueError: no stock\n")

    def test_a_long_traceback_is_cut_in_the_middle(self) -> None:
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

    def test_a_long_message_is_cut_too(self) -> None:
        value = as_value(ValueError("x" * 30_000))
        assert len(value.text) < 21_000
        assert " characters left out ...\n" in value.text


def test_file_of_pyx_and_importer_is_ours() -> None:
    assert is_ours(tracebacks.__file__)
    assert is_ours("<frozen importlib._bootstrap>")
    assert is_ours(importlib.__file__)
    assert not is_ours(__file__)
    assert not is_ours("<pyx>")
    assert not is_ours(sys.modules["os"].__file__ or "")
