"""hidden_name.py: a name that is made for asking."""

from __future__ import annotations

import re

import pytest

from pyx.shell.hidden_name import hidden_options


@pytest.mark.parametrize(
    ("node", "name", "is_long"),
    [
        ("server", r"rem-[0-9a-f]{6}", False),
        ("server@vm", r"rem-[0-9a-f]{6}@vm", False),
        ("server@127.0.0.1", r"rem-[0-9a-f]{6}@127\.0\.0\.1", True),
    ],
)
def test_the_name_is_of_the_kind_that_reaches_the_node(node: str, name: str, is_long: bool) -> None:
    options = hidden_options(node)
    assert re.fullmatch(name, options.name)
    assert options.long is is_long
    assert options.hidden


def test_other_options_are_kept() -> None:
    options = hidden_options("server", tick=3.0, hidden=False)
    assert options.tick == 3.0
    assert options.hidden  # whatever was chosen


def test_with_one_port_for_all_nodes_it_listens_where_none_does() -> None:
    options = hidden_options("server@127.0.0.1", port=4370)
    assert options.port == 4370
    assert str(options.listen).startswith("127.")
    assert hidden_options("server@127.0.0.1", port=4370, listen="127.0.0.1").listen == "127.0.0.1"


def test_names_differ() -> None:
    assert len({hidden_options("server").name for _ in range(20)}) == 20
