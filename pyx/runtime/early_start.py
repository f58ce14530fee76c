"""A call of a loaded function, found on the transport's thread: its process starts where it will run.

Every other call (an import, a large payload, a class, an object) is decoded and looked up by the process
itself: see `Lifecycle.start_for_peer`.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from pyx.core.policy import allows
from pyx.introspection import attributes_of_module
from pyx.runtime.encoding import decoded
from pyx.runtime.rpc_functions import PUBLIC
from pyx.signals import Call
from pyx.wire.codec import is_exported

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.core.kernel import Kernel
    from pyx.signals import Payload

    NamedCall: TypeAlias = tuple[str, str, list[Any], dict[str, Any]]
    """Module, function, arguments, keyword arguments."""

EARLY_BYTES: Final = 4096
"""The longest payload that the transport decodes: one read of it brings 32 of these at most, each decoded in
about 0.1 ms [measured with 4 KiB of empty lists]; a longer one would keep the other connections waiting."""


def loaded_call(payload: Payload, kernel: Kernel) -> tuple[NamedCall, Callable[..., Any]] | None:
    """Returns a call in a peer's payload and its function, as `rpc_functions.find` would find it.

    None where more is needed than two look-ups: no user code runs here, and nothing is imported.  Nothing is
    remembered either, so that a function that was defined anew, or a module that was loaded anew, is found.

    An `async def` is spared the way over a warm thread: a call of one takes 94 µs instead of 131 from a
    thread, 85 instead of 124 from a coroutine; a call of a `def` 83 instead of 87 [measured: CPU time of both
    nodes together].
    """
    if len(payload.data) > EARLY_BYTES:
        return None
    try:
        call = decoded(payload, kernel)
    except Exception:  # the process decodes it again, and reports the failure
        return None
    if type(call) is not tuple or not 3 <= len(call) <= 4:
        return None
    module, name, args = call[:3]
    kwargs = call[3] if len(call) == 4 else {}
    if type(module) is not str or type(name) is not str or type(args) is not list or type(kwargs) is not dict:
        return None
    if kwargs and not all(type(key) is str for key in kwargs):
        return None
    loaded = sys.modules.get(module)
    if type(loaded) is not ModuleType or module == "__main__" or module in PUBLIC:
        return None
    names = attributes_of_module(loaded)
    found = names.get(name)
    if type(found) is not FunctionType and type(found) is not BuiltinFunctionType:
        return None
    if name.startswith("__") or "." in name:  # an attribute of modules themselves, or one of an attribute
        return None
    spec = names.get("__spec__")
    if spec is not None and (type(spec) is not ModuleSpec or getattr(spec, "_initializing", False)):
        return None  # another thread is in the middle of importing it
    for part in module.split("."):
        if not part.isidentifier():
            return None
    policy = kernel.tables.policy
    if policy != "open" and not allows(policy, Call, marked=is_exported(found)):  # "open" allows all
        return None  # the process refuses it
    return (module, name, args, kwargs), found
