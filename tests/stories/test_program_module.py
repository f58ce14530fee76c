"""shell/program.py, introspection.py: the file of a program is one module, called by its stem."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stories.host import Host

STATE = """
from dataclasses import dataclass
from pyx import rpc

N = 0

@dataclass
class Count:
    n: int

@rpc.export
def bump():
    global N
    N += 1
    return N

@rpc.export
def counted():
    return Count(N)

def secret():
    return N

if __name__ == "__main__":
    bump()
    bump()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "state.py").write_text(STATE)
    return tmp_path


def test_functions_of_a_service_are_called_by_its_stem(lone_host: Host, folder: Path) -> None:
    service = lone_host.starts("--sname", "st@vm", "--rpc", "exported", "--no-halt", "state.py", cwd=folder)
    gus = lone_host.shell("gus")
    gus.comes_to("Node.ping('st')", "'pong'")
    assert gus.type("rpc.call('st', 'state', 'bump')") == "3"
    assert gus.type("rpc.call('st', 'state', 'bump')") == "4"
    assert "refuses calls of functions that are not marked" in gus.type("rpc.call('st', 'state', 'secret')")
    assert gus.type("rpc.call('st', 'state', 'counted')") == "Struct(state.Count: n=4)"
    service.close()


def test_module_under_two_names_is_never_a_second_copy(lone_host: Host, folder: Path) -> None:
    st = lone_host.shell("st", "-i", "state.py", cwd=folder)
    away = lone_host.shell("away", "-i", "state.py", cwd=folder)
    assert st.type("import state; state.N, state is __import__('__main__')") == "(2, True)"
    assert away.type("rpc.call('st', bump), N") == "(3, 2)"  # by name: the state over there
    assert st.type("N") == "3"
    assert away.type("rpc.call('st', counted)") == "Count(n=3)"
    assert away.type("rpc.call('st', lambda: N)") == "2"  # typed here: a copy of what it uses
    away.type("bumped = spawn('state', 'bump', [])")
    away.comes_to("N", "3")


@pytest.mark.parametrize("name", ["queue.py", "my-app.py"])
def test_name_of_the_standard_library_stays_with_it(name: str, lone_host: Host, tmp_path: Path) -> None:
    (tmp_path / name).write_text("import sys; print(sys.modules.get('queue') is sys.modules['__main__'])")
    assert lone_host.run(name, cwd=tmp_path).stdout == "False\n"
