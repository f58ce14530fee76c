"""The names and imports of `pyx/`: no type and no file name stands twice, and no imports form a circle."""

from __future__ import annotations

import ast
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from tests.mirror import PYX, sources

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMESPACES: Final = ("wire/beam/", "otp/", "pubsub/", "cluster/", "tables/")
"""Packages whose names are their own."""

TWINS: Final = ("aio.py", "otp/awaitable_", "cluster/awaitable_")
"""Files with awaitable twins of public classes, under the same names."""


def trees() -> dict[str, ast.Module]:
    return {source: ast.parse((PYX / source).read_text()) for source in sources()}


def types(tree: ast.Module) -> Iterator[str]:
    """The names of classes, and of aliases (`Name: TypeAlias = ...`)."""
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=name):
                yield name
            case ast.AnnAssign(target=ast.Name(id=name), annotation=ast.Name(id="TypeAlias")):
                yield name
            case _:
                pass


def namespace(source: str) -> str:
    return next((prefix for prefix in NAMESPACES if source.startswith(prefix)), "")


def standing_twice(names: Iterator[tuple[str, str]]) -> dict[str, list[str]]:
    """From (name, file): the names that stand in several files of one namespace, or several times in one."""
    places: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name, source in names:
        places[namespace(source), name].append(source)
    return {name: found for (_, name), found in places.items() if len(found) > 1}


def test_no_type_name_stands_twice() -> None:
    twice = standing_twice(
        (name, source)
        for source, tree in trees().items()
        if not source.startswith(TWINS)
        for name in types(tree)
    )
    assert twice == {}


def test_aliases_and_classes_are_types() -> None:
    tree = ast.parse("class A:\n    class B: ...\nC: TypeAlias = int\nd: int = 1")
    assert sorted(types(tree)) == ["A", "B", "C"]


def test_no_file_name_stands_twice() -> None:
    twice = standing_twice((source.rpartition("/")[2], source) for source in sources())
    assert twice == {}


# ---------------------------------------------------------------- circles


def imports(source: str, tree: ast.Module) -> set[str]:
    """The files of pyx that a file imports: for type checking only, and inside functions, too."""
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=aliases):
                found.update(alias.name for alias in aliases)
            case ast.ImportFrom(module=str(module), names=aliases, level=0):
                found.add(module)
                found.update(f"{module}.{alias.name}" for alias in aliases)
            case _:
                pass
    files = {f"{name.removeprefix('pyx.').replace('.', '/')}.py" for name in found if name.startswith("pyx.")}
    return files - {source}


def reachable(start: str, graph: dict[str, set[str]]) -> set[str]:
    """Where the imports of a file lead to in the end."""
    found: set[str] = set()
    ahead = [start]
    while ahead:
        new = graph.get(ahead.pop(), set()) - found
        found |= new
        ahead += new
    return found


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """The sets of files each of which leads to all others of its set."""
    leads_to = {source: reachable(source, graph) for source in graph}
    found = {
        frozenset(other for other in leads_to[source] if source in leads_to.get(other, ()))
        for source in graph
        if source in leads_to[source]
    }
    return sorted(sorted(circle) for circle in found)


def test_no_imports_form_a_circle() -> None:
    files = set(sources())
    found = circles({source: imports(source, tree) & files for source, tree in trees().items()})
    assert found == []


def test_circle_is_found() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set(), "e": {"a"}, "f": {"g"}, "g": {"f"}}
    assert circles(graph) == [["a", "b", "c"], ["f", "g"]]
