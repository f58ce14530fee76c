"""`h("Process.info")`: what a name at the prompt means, and what Python's reference says about a keyword."""

from __future__ import annotations

import importlib
import importlib.util
import keyword
import re
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import pyx
from pyx.close_words import close_words
from pyx.errors import PyxError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_NAMES_OF_ELIXIR: Final = {"Kernel", "Elixir", "erlang", "IEx", "Helpers"}
"""Modules whose functions are names of the prompt here."""

_MATCH: Final = {"match", "case"}
_MATCH_SECTION: Final = re.compile(
    r'The "match" statement\n[=*]+\n.*?(?=\n\n\n[A-Z][^\n]*\n[=*]+\n)', re.DOTALL
)
"""Of the topic "compound statements": keywords that are names elsewhere have no topic of their own."""

_CONSTANTS: Final = {"None": "NONE", "True": "TRUTHVALUE", "False": "TRUTHVALUE"}
"""The keywords that `pydoc` has no topic for."""

_CLOSE: Final = 0.6
"""The likeness from which a name is shown as similar: several are, and none is taken for what was meant."""


def looked_up(name: str, scopes: Iterable[Mapping[str, Any]], import_module: Callable[[str], Any]) -> Any:
    """Returns what a dotted name means, looked up in *scopes*, one after another; modules are imported.

    Args:
        name: as it would be typed, `"Process.info"`; parentheses, Elixir's `?` and arity may follow.
        scopes: name -> value.
        import_module: imports a top-level module, or returns None if there is none of that name.

    Raises:
        PyxError: it means nothing; the hint has similar names.
        BaseException: what the import of a module raises.
    """
    scopes = [*scopes]
    words = [word for word in _bare(name).split(".") if word]
    if len(words) > 1 and words[0] in _NAMES_OF_ELIXIR:
        words = words[1:]
    if not words:
        raise _unknown(name, name, ())
    first, *rest = words
    is_bound = any(first in scope for scope in scopes)
    found = next((scope[first] for scope in scopes if first in scope), None)
    if found is None and not is_bound and first in pyx.__all__:
        found = getattr(pyx, first)
    if found is None and not is_bound and first.isidentifier():
        found = import_module(first)
    if found is None and not is_bound:
        raise _unknown(name, first, {key for scope in scopes for key in scope} | {*pyx.__all__})
    path = first
    for word in rest:
        inner = _member(found, path, word)
        if inner is None and not hasattr(found, word):
            raise _unknown(name, word, dir(found), of=path)
        found, path = inner, f"{path}.{word}"
    return found


def imported(name: str) -> ModuleType | None:
    """Imports a module, or returns None if there is none of that name."""
    if name in sys.modules:
        return sys.modules[name]
    try:
        is_there = importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return None
    return importlib.import_module(name) if is_there else None


def about_keyword(word: str) -> str | None:
    """Returns what Python's reference says about a keyword; None for any other word."""
    if word not in keyword.kwlist and word not in _MATCH:
        return None
    import pydoc  # few prompts need it

    target: Any = _CONSTANTS.get(word) or pydoc.Helper.keywords.get(word, word)
    topic = target if isinstance(target, str) else target[0]
    try:
        from pydoc_data.topics import topics
    except ImportError:  # a Python without its documentation
        return None
    if word in _MATCH:
        section = _MATCH_SECTION.search(topics["compound"])
        return section[0].strip("\n") if section is not None else None
    seen = set()
    while topic not in topics and topic not in seen:  # an entry may name a topic, which names its label
        seen.add(topic)
        named: Any = pydoc.Helper.topics.get(topic, topic)
        topic = named if isinstance(named, str) else named[0]
    text = topics.get(topic)
    return text.strip("\n") if text is not None else None


def _bare(name: str) -> str:
    """Returns a name without what users of Elixir may add: `alive?`, `info/1`, `:rpc.call`, `list()`."""
    return name.strip().partition("(")[0].partition("/")[0].strip().removeprefix(":").removesuffix("?")


def _member(owner: Any, path: str, word: str) -> Any:
    found = getattr(owner, word, None)
    if found is None:
        found = getattr(owner, f"is_{word}", None)  # `alive?`
    if found is None and isinstance(owner, ModuleType) and hasattr(owner, "__path__"):
        found = imported(f"{path}.{word}")
    return found


def _unknown(name: str, word: str, known: Iterable[str], *, of: str = "") -> PyxError:
    close = close_words(word, [one for one in known if not one.startswith("_")], 3, _CLOSE)
    prefix = f"{of}." if of else ""
    hint = f"similar: {', '.join(prefix + one for one in close)}" if close else "h() lists the helpers"
    return PyxError(f"{of} has no {word!r}" if of else f"there is nothing of the name {name!r}", hint=hint)
