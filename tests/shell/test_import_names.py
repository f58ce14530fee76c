"""import_names.py: Candidates in import statements; nothing is imported."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tests.shell.completed import completed

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_import_completes_to_top_level_modules() -> None:
    assert completed("import product_", modules=["product_stock"]) == ["product_stock"]
    assert completed("import os, product_", modules=["product_stock"]) == ["product_stock"]
    assert completed("from product_", modules=["product_stock"]) == ["product_stock"]
    assert "antigravity" in completed("import antigr")


def test_modules_in_packages_are_found_by_their_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "warehouse" / "goods"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit")
    (package / "shoes.py").write_text(
        "import os\nfrom re import match as finds\nMOST, LEAST = 1, 2\nsize: int = 1\n"
        "def pairs(): ...\nclass Shoe: ...\ntry:\n    import json\nexcept ImportError:\n    json = None\n"
    )
    (package / "broken.py").write_text("def (")
    monkeypatch.syspath_prepend(tmp_path)
    assert completed("import wareh") == ["warehouse"]
    assert completed("import warehouse.") == ["goods"]
    assert completed("import os, warehouse.goods.") == ["broken", "shoes"]
    assert completed("from warehouse.goods.sh") == ["shoes"]
    assert completed("from warehouse.goods import sh") == ["shoes"]
    assert completed("from warehouse.goods.shoes import (pairs, ") == [
        "LEAST", "MOST", "Shoe", "finds", "json", "os", "pairs", "size",
    ]  # fmt: skip
    assert completed("from warehouse.goods.broken import ") == []
    assert completed("from warehouse.goods i") == ["import"]
    assert "warehouse" not in sys.modules


def test_relative_names_are_those_of_the_package_if_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "warehouse").mkdir()
    (tmp_path / "warehouse" / "stock.py").write_text("def count(): ...")
    monkeypatch.syspath_prepend(tmp_path)
    assert completed("from . import st", {"__package__": "warehouse"}) == ["stock"]
    assert completed("from .stock import c", {"__package__": "warehouse"}) == ["count"]
    assert completed("from .. import st", {"__package__": "warehouse"}) == []
    assert completed("from . import st", {"__package__": None}) == []


def test_modules_of_a_loaded_module_complete() -> None:
    assert completed("import os.pa") == ["path"]
    assert "ElementTree" in completed("from xml.etree import El")


def test_from_import_completes_to_names_of_a_loaded_module() -> None:
    assert completed("from string import ascii_low") == ["ascii_lowercase"]
    assert completed("from string import digits, ascii_low") == ["ascii_lowercase"]
