"""name_lookup.py: what `h("name")` finds: names of the prompt, of pyx, of modules; keywords."""

from __future__ import annotations

import json
import keyword
import sys
from typing import Any

import pytest

from pyx import GenServer, Process, PyxError, rpc
from pyx.shell.name_lookup import about_keyword, imported, looked_up


def found(name: str, **names: Any) -> Any:
    return looked_up(name, [names, {"len": len}], imported)


def test_names_are_those_of_the_prompt_of_pyx_and_of_modules() -> None:
    mine = object()
    assert found("mine", mine=mine) is mine
    assert found("len") is len
    assert found("len", len=mine) is mine  # a name of the user's hides one below
    assert found("Process.info") is Process.info
    assert found("GenServer.call") == GenServer.call
    assert found("json.dumps") is json.dumps


def test_module_is_imported_when_it_is_looked_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "shop_of_h").mkdir()
    (tmp_path / "shop_of_h" / "__init__.py").write_text("")
    (tmp_path / "shop_of_h" / "stock.py").write_text("def price(): pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert found("shop_of_h.stock.price") is sys.modules["shop_of_h.stock"].price


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Process.alive?", Process.is_alive),
        ("Process.info/1", Process.info),
        ("Process.list()", Process.list),
        (":rpc.call", rpc.call),
        ("Kernel.len", len),
    ],
)
def test_names_may_be_written_as_in_elixir(name: str, meant: Any) -> None:
    assert found(name) is meant


@pytest.mark.parametrize(
    ("name", "sentence", "hint"),
    [
        ("Process.inof", "Process has no 'inof'", "similar: Process.info"),
        ("Procss", "there is nothing of the name 'Procss'", "similar: Process, NoProcess, NotAProcess"),
        ("no such thing", "there is nothing of the name 'no such thing'", "h() lists the helpers"),
        ("", "there is nothing of the name ''", "h() lists the helpers"),
        ("..", "there is nothing of the name '..'", "h() lists the helpers"),
    ],
)
def test_unknown_name_is_refused_with_similar_ones(name: str, sentence: str, hint: str) -> None:
    with pytest.raises(PyxError) as refused:
        found(name)
    assert (str(refused.value), refused.value.hint) == (sentence, hint)


def test_keyword_is_explained_by_pythons_reference() -> None:
    for word in ("for", "lambda", "with", "match", "case", *keyword.kwlist):
        assert about_keyword(word), word
    assert "suite" in (about_keyword("for") or "")
    assert about_keyword("shop") is None
