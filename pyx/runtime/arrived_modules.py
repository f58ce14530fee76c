"""Modules of another node that arrived as source: loaded here, as a reload would, or for the first time."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

from pyx.errors import PyxError
from pyx.runtime.arrived_functions import keep_lines


def load(name: str, text: str, file: str) -> str:
    """Runs the source of a module in it; returns `"reloaded"` or `"loaded"`.

    Processes that run go on with the code that they have, as after `r()`.  A module that could not be run is
    as it was, or is not there.

    Args:
        name: of the module; the packages around it have to be here.
        text: its source.
        file: a name for tracebacks, which has the node that the source came from.

    Raises:
        PyxError: it is a package, or the program, here.
        Exception: what its code raised.
    """
    known = sys.modules.get(name)
    if known is not None:
        is_package = "__path__" in vars(known)
        if is_package or vars(known) is vars(sys.modules["__main__"]):
            msg = f"{name} is {'a package' if is_package else 'the program'} here"
            raise PyxError(msg)
    code = compile(text, file, "exec", dont_inherit=True)
    package, _, last = name.rpartition(".")
    around = importlib.import_module(package) if package else None
    module = ModuleType(name) if known is None else known
    module.__dict__.setdefault("__package__", package)
    before = dict(module.__dict__)
    keep_lines(file, text)
    sys.modules[name] = module
    try:
        exec(code, module.__dict__)  # noqa: S102 - the policy on calls has allowed it
    except BaseException:
        module.__dict__.clear()
        module.__dict__.update(before)
        if known is None:
            del sys.modules[name]
        raise
    if around is not None:
        setattr(around, last, module)
    return "loaded" if known is None else "reloaded"
