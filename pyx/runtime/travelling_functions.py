"""Functions that belong to no module, as data: their source and the values that they use.

What is typed at a prompt, a lambda, a function inside another: the other node compiles the source and binds
the values.  Neither code objects nor pickles travel.  `arrived_functions.py` is the other end.

A function uses values by its globals, its free variables and its defaults.  They are copies of plain data;
functions like itself (each once, so that they may call each other); modules, and classes and functions of
modules, by name.  Anything else is an error that names it.
"""

from __future__ import annotations

import builtins
import dis
from types import CellType, CodeType, FunctionType, ModuleType
from typing import Any, Final

from pyx.errors import EncodeError
from pyx.introspection import (
    NAMES_OF_PYTHON,
    belongs_to_no_module,
    class_module,
    find_loaded,
    importable_name,
    is_class,
    is_of_prompt,
)
from pyx.runtime.function_source import SourceMissing, source_of
from pyx.wire.codec import encode, name_of_callable

_OF_GLOBALS: Final = frozenset({"LOAD_GLOBAL", "LOAD_NAME"})

_HINT: Final = "pass data as an argument, or put the function into a module that both nodes have"

_MISSING: Final = object()


def packed(function: FunctionType) -> tuple[Any, ...]:
    """Returns a function, and those that it uses, as data.

    Raises:
        EncodeError: a source cannot be had, or a value cannot travel; the sentence names both.
    """
    packing = _Packing(function)
    packing.function_index(function)
    return packing.functions, packing.namespaces, packing.cells


class _Packing:
    def __init__(self, root: FunctionType) -> None:
        self._root = root
        self.functions: list[Any] = []
        self.namespaces: list[tuple[str, dict[str, Any]]] = []
        self.cells: list[Any] = []
        self._indices: dict[int, int] = {}
        """Of functions, of the dicts of globals and of cells, by id; all of them live while this runs."""

    def function_index(self, function: FunctionType) -> int:
        known = self._indices.get(id(function))
        if known is not None:
            return known
        index = self._indices[id(function)] = len(self.functions)
        self.functions.append(None)
        try:
            source = source_of(function)
        except SourceMissing as why:
            hint = "functions of a module travel by name: put it there"
            raise EncodeError("function", function, str(why), hint=hint) from None
        name = function.__name__
        code = function.__code__
        namespace = self._namespace_index(function)
        names = self.namespaces[namespace][1]
        for used in sorted(_globals_of(code)):
            if used not in names:
                value = self._global_value(function, used)
                if value is not _MISSING:
                    names[used] = value
        cells = [
            self._cell_index(free, cell)
            for free, cell in zip(source.free, function.__closure__ or (), strict=True)
        ]
        defaults = [self._value(f"a default of {name}", each) for each in function.__defaults__ or ()]
        by_name = {
            key: self._value(f"the default of {key}", each)
            for key, each in (function.__kwdefaults__ or {}).items()
        }
        text, file, line, column, futures, free = source
        self.functions[index] = (
            (name, function.__qualname__, namespace, cells, defaults, by_name),
            (text, file, line, column, futures, list(free)),
        )
        return index

    def _namespace_index(self, function: FunctionType) -> int:
        names = function.__globals__
        index = self._indices.get(id(names))
        if index is None:
            index = self._indices[id(names)] = len(self.namespaces)
            self.namespaces.append((str(names.get("__name__", "__main__")), {}))
        return index

    def _cell_index(self, name: str, cell: CellType) -> int:
        index = self._indices.get(id(cell))
        if index is None:
            index = self._indices[id(cell)] = len(self.cells)
            self.cells.append(None)
            try:
                content = cell.cell_contents
            except ValueError:  # it has no value yet
                return index
            self.cells[index] = self._value(name, content)
        return index

    def _global_value(self, function: FunctionType, name: str) -> Any:
        """Returns the packed value of a global name; _MISSING where the other node has it, or none has."""
        names = function.__globals__
        if name in names:
            return self._value(name, names[name])
        below = function.__builtins__  # type: ignore[attr-defined,unused-ignore] # older mypy lacks it
        if name not in below:
            return _MISSING
        if name in NAMES_OF_PYTHON and vars(builtins).get(name, _MISSING) is below[name]:
            return _MISSING
        if type(below[name]).__module__.startswith("pyx."):  # a helper of the prompt, as `flush` is
            if find_loaded("pyx.primitives", name) is not None:
                return "name", "pyx.primitives", name
            raise self._refused(f"{name}, a helper of this prompt")
        return self._value(name, below[name])

    def _value(self, name: str, value: Any) -> tuple[Any, ...]:
        if type(value) is FunctionType and belongs_to_no_module(value):
            return "function", self.function_index(value)
        if isinstance(value, ModuleType):
            module = importable_name(value.__name__)
            if module == "__main__":
                raise self._refused(f"{name}, which is this prompt")
            return "module", module
        if is_class(value) and is_of_prompt(class_module(value)):
            raise self._refused(f"{name}, a class that was typed here", hint="put the class into a module")
        if is_class(value) or callable(value):
            try:
                return "name", *name_of_callable(value)
            except EncodeError:
                pass  # its own sentence comes below
        try:
            encode(value, what=name)
        except EncodeError as why:
            raise self._refused(str(why).removeprefix("cannot send "), hint=why.hint) from None
        return "data", value

    def _refused(self, what: str, *, hint: str | None = None) -> EncodeError:
        return EncodeError("function", self._root, f"uses {what}", hint=hint or _HINT)


def _globals_of(code: CodeType) -> set[str]:
    """Returns the names of globals that a function reads, and the functions inside it."""
    names = {each.argval for each in dis.get_instructions(code) if each.opname in _OF_GLOBALS}
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= _globals_of(constant)
    return names
