"""source_editor.py: where a thing is written, the editor's command, and what follows from an edit."""

from __future__ import annotations

import contextlib
import functools
import inspect
import json
import shlex
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from pyx import Process, PyxError
from pyx.shell.helpers import Helper
from pyx.shell.source_editor import SourcePlace, edit, editor_command, place_in_file, place_of

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

PLACE = SourcePlace("/shop/my shop.py", 12, "shop")


class TestPlaces:
    @pytest.mark.parametrize(
        "thing",
        [
            json.dumps,
            Helper(json.dumps),
            functools.partial(json.dumps, indent=2),
            functools.cache(json.dumps),
        ],
        ids=["function", "helper", "partial", "wrapper"],
    )
    def test_function_is_in_its_module_at_its_line(self, thing: Any) -> None:
        line = inspect.getsourcelines(json.dumps)[1]
        assert place_of(thing) == SourcePlace(str(json.__file__), line, "json")

    def test_module_class_method_and_instance_have_places(self) -> None:
        assert place_of(json) == SourcePlace(str(json.__file__), 1, "json")
        assert place_of(json.JSONEncoder) == place_of(json.JSONEncoder())
        assert place_of(json.JSONEncoder().encode) == place_of(json.JSONEncoder.encode)
        assert place_of(Process.info).module == "pyx.process"

    @pytest.mark.parametrize(
        ("thing", "why"), [(len, "len has no source in Python"), (5, "5 has no source"), (sys, "sys has no")]
    )
    def test_builtin_has_none(self, thing: Any, why: str) -> None:
        with pytest.raises(PyxError, match=why):
            place_of(thing)

    def test_typed_function_has_none(self) -> None:
        names: dict[str, Any] = {"__name__": "__main__"}
        exec(compile("def typed(): pass", "<pyx 3>", "exec"), names)
        with pytest.raises(PyxError, match=r"^typed was typed at a prompt: it is in no file"):
            place_of(names["typed"])


class TestCommands:
    @pytest.mark.parametrize(
        ("editor", "command"),
        [
            ("vi", ["vi", "+12", PLACE.file]),
            ("/usr/bin/nano -w", ["/usr/bin/nano", "-w", "+12", PLACE.file]),
            ("emacs -nw", ["emacs", "-nw", "+12", PLACE.file]),
            ("code", ["code", "--wait", "-g", f"{PLACE.file}:12"]),
            ("codium -w", ["codium", "-w", "-g", f"{PLACE.file}:12"]),
            ("subl", ["subl", "--wait", f"{PLACE.file}:12"]),
            ("hx", ["hx", f"{PLACE.file}:12"]),
            ("'/my tools/own-editor'", ["/my tools/own-editor", PLACE.file]),
        ],
    )
    def test_editor_is_told_the_line_in_its_own_way(self, editor: str, command: list[str]) -> None:
        assert editor_command(PLACE, {"EDITOR": editor}) == command

    def test_visual_comes_before_editor(self) -> None:
        assert editor_command(PLACE, {"VISUAL": "vim", "EDITOR": "ed"})[0] == "vim"
        assert editor_command(PLACE, {"VISUAL": "", "EDITOR": "ed"})[0] == "ed"

    @pytest.mark.parametrize("environment", [{}, {"EDITOR": ""}, {"VISUAL": " ", "EDITOR": ""}])
    def test_missing_editor_is_one_clear_line(self, environment: dict[str, str]) -> None:
        with pytest.raises(PyxError, match=r"^no editor is chosen to open /shop/my shop\.py line 12"):
            editor_command(PLACE, environment)

    def test_editor_that_is_no_command_is_refused(self) -> None:
        with pytest.raises(PyxError, match=r"^\$EDITOR is not a command: 'vi$"):
            editor_command(PLACE, {"EDITOR": "'vi"})


class TestEdits:
    @pytest.fixture
    def module(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
        (tmp_path / "edited_shop.py").write_text("def price(): return 100\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.setattr(sys, "__stdin__", _Terminal())
        monkeypatch.delenv("VISUAL", raising=False)
        import edited_shop  # type: ignore[import-not-found]

        monkeypatch.delitem(sys.modules, "edited_shop")
        monkeypatch.setitem(sys.modules, "edited_shop", edited_shop)
        return edited_shop  # type: ignore[no-any-return]

    def edited(self, thing: Any) -> list[str]:
        said: list[str] = []
        place = thing if isinstance(thing, SourcePlace) else place_of(thing)
        edit(place, lambda name: f"reloaded {name}", said.append, contextlib.nullcontext)
        return said

    def test_changed_module_is_reloaded(self, module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("EDITOR", "sed -i s/100/120/")
        assert self.edited(module.price) == ["reloaded edited_shop"]

    def test_unchanged_module_is_not_reloaded(self, module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("EDITOR", "true")
        assert self.edited(module) == [f"{module.__file__} is unchanged"]

    def test_file_that_is_no_module_is_edited_and_not_reloaded(
        self, module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("EDITOR", "sed -i s/a/b/")
        (tmp_path / "notes.txt").write_text("a")
        place = place_in_file(f"{tmp_path}/notes.txt:7")
        assert place == SourcePlace(f"{tmp_path}/notes.txt", 7, None)
        assert self.edited(place) == [f"{tmp_path}/notes.txt has changed"]

    def test_file_of_a_loaded_module_is_that_module(self, module: Any, tmp_path: Path) -> None:
        assert place_in_file(module.__file__) == SourcePlace(module.__file__, 1, "edited_shop")
        assert place_in_file(f"{tmp_path}/nope.py") is None

    def test_failure_of_the_editor_is_told(self, module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("EDITOR", "false")
        assert self.edited(module) == ["false ended with exit code 1", f"{module.__file__} is unchanged"]
        monkeypatch.setenv("EDITOR", "no-such-editor-of-pyx")
        with pytest.raises(PyxError, match=r"^cannot run the editor no-such-editor-of-pyx: No such file"):
            self.edited(module)

    def test_ctrl_c_is_the_editors_alone(self, module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """This process gets one too, and goes on; the editor, which did not inherit its handler, ends."""
        code = "import os, signal; os.kill(os.getppid(), signal.SIGINT); os.kill(os.getpid(), signal.SIGINT)"
        monkeypatch.setenv("EDITOR", shlex.join([sys.executable, "-c", code]))
        before = signal.getsignal(signal.SIGINT)
        ended, unchanged = self.edited(module)
        assert ended.endswith(f"ended with exit code {-signal.SIGINT}")
        assert unchanged.endswith("is unchanged")
        assert signal.getsignal(signal.SIGINT) is before

    def test_edit_needs_a_terminal_and_the_main_thread(
        self, module: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("EDITOR", "true")
        failures: list[BaseException] = []

        def body() -> None:
            try:
                self.edited(module)
            except PyxError as error:
                failures.append(error)

        thread = threading.Thread(target=body)
        thread.start()
        thread.join()
        monkeypatch.setattr(sys, "__stdin__", None)
        body()
        assert [str(one).partition(";")[0] for one in failures] == [
            "edit() needs the terminal of a prompt"
        ] * 2


class _Terminal:
    """A standard input that is a terminal."""

    def isatty(self) -> bool:
        return True
