"""Child specifications: what a supervisor starts, when it starts it again, and how it stops it.

Nothing is started here; see `child_process.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import FunctionType, MethodType
from typing import Any, Final, Literal, TypeAlias

from pyx.otp.child_errors import ChildSpecInvalid

RestartKind: TypeAlias = Literal["permanent", "transient", "temporary"]
"""When a child that has ended is started again: always; unless it ended as planned; never."""

Shutdown: TypeAlias = float | Literal["brutal_kill"] | None
"""How a child is stopped: seconds that it has after the exit signal `shutdown` until it is killed, None for
as long as it takes, or `"brutal_kill"` for a kill at once."""

ChildType: TypeAlias = Literal["worker", "supervisor"]

What: TypeAlias = type[Any] | Callable[..., Any]
"""A class with `start_link`, or a function, `def` or `async def`, which is spawned and linked."""

_RESTARTS: Final = ("permanent", "transient", "temporary")
_TYPES: Final = ("worker", "supervisor")
_OPTIONS: Final = ("id", "restart", "shutdown", "type", "significant")

_FLOAT_BITS: Final = 1024
"""Of an int that is too large to be a float."""

WORKER_SHUTDOWN: Final = 5.0
"""Seconds, as OTP's; a supervisor has as long as it takes, since it stops children of its own."""


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """How a supervisor starts, restarts and stops one child; made by `child`.

    `what` is called as `what.start_link(*args, **kwargs)`, or spawned if it is a function.
    """

    id: Any
    what: Any
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    restart: RestartKind = "permanent"
    shutdown: Shutdown = WORKER_SHUTDOWN
    type: ChildType = "worker"
    significant: bool = False

    def __post_init__(self) -> None:
        _check(self)

    @property
    def name(self) -> str:
        """The child in log lines: its id, a str without quotes."""
        return self.id if isinstance(self.id, str) else repr(self.id)

    @property
    def module(self) -> str:
        """The class or function by its name, as `modules` of OTP's child specifications."""
        return str(self.what)

    @property
    def is_function(self) -> bool:
        """True if the child is a function to be spawned."""
        return not hasattr(self.what, "start_link")


def child(
    what: What,
    *args: Any,
    id: Any = None,  # noqa: A002 - OTP's word
    restart: RestartKind | None = None,
    shutdown: Shutdown | Literal["default"] = "default",
    type: ChildType | None = None,  # noqa: A002 - OTP's word
    significant: bool = False,
    **kwargs: Any,
) -> ChildSpec:
    """Returns the specification of a child: `child(Stock, {"nike": 30}, name="stock")`.

    What is left out comes from the class attribute `child_options`, a dict, as from the options of Elixir's
    `use GenServer, restart: :transient`; else from the defaults below.

    Args:
        what: a class with `start_link`, or a function, `def` or `async def`, which becomes a linked process.
        *args: of `start_link`, or of the function; data.
        id: tells the children of one supervisor apart; by default the `name` among *kwargs*, else the
            qualified name of *what*.
        restart: `"permanent"` (the default) starts the child again whenever it has ended; `"transient"` only
            if it ended with another reason than `"normal"`, `"shutdown"` and `("shutdown", x)`;
            `"temporary"` never.
        shutdown: seconds that the child may take to stop before it is killed (5 by default, None without
            limit, which is the default of a supervisor), or `"brutal_kill"`.
        type: `"worker"`, or `"supervisor"`.
        significant: its planned end stops a supervisor that was started with *auto_shutdown*.
        **kwargs: of `start_link`, or of the function; data.

    Raises:
        ChildSpecInvalid: an option has no meaning, or *what* cannot be a child.
    """
    options = dict(_declared_options(what))
    options |= {key: value for key, value in (("restart", restart), ("type", type)) if value is not None}
    if shutdown != "default":
        options["shutdown"] = shutdown
    if significant:
        options["significant"] = True
    if id is None:
        id = options.get("id", kwargs.get("name"))  # noqa: A001 - OTP's word
    if id is None:
        id = getattr(what, "__qualname__", None) or repr(what)  # noqa: A001 - OTP's word
    is_supervisor = options.get("type") == "supervisor"
    options.setdefault("shutdown", None if is_supervisor else WORKER_SHUTDOWN)
    options.pop("id", None)
    return ChildSpec(id, what, args, kwargs, **options)


def spec_of(item: Any) -> ChildSpec:
    """Returns the specification that an item of a list of children means.

    That is a specification; a class or function; what has a method `child`, which returns one; or a tuple of
    one of these and its arguments, of which a dict at the end holds those by name:
    `(Cache, "prices", {"ttl": 60})`.

    Raises:
        ChildSpecInvalid: *item* is none of these.
    """
    if isinstance(item, ChildSpec):
        return item
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = {}
    if isinstance(item, tuple) and item:
        item, *rest = item
        if rest and isinstance(rest[-1], Mapping) and all(isinstance(key, str) for key in rest[-1]):
            kwargs = rest.pop()
        args = tuple(rest)
    make = getattr(item, "child", None)
    if callable(make) and make is not child and not isinstance(item, (str, Mapping)):
        made = make(*args, **kwargs)
        if not isinstance(made, ChildSpec):
            msg = f"{_shown(item)}.child() returned {made!r}, and not a child(...)"
            raise ChildSpecInvalid(msg, ("invalid_child_spec", _shown(item)))
        return made
    return child(item, *args, **kwargs)


def specs_of(items: Any) -> list[ChildSpec]:
    """Returns the specifications of a list of children, each with an id of its own.

    Raises:
        ChildSpecInvalid: an item is not a child, or two have the same id.
    """
    if isinstance(items, (str, Mapping, ChildSpec)) or not hasattr(items, "__iter__"):
        msg = f"a supervisor takes a list of children, not {items!r}"
        raise ChildSpecInvalid(msg, "invalid_children")
    specs: dict[Any, ChildSpec] = {}
    for item in items:
        spec = spec_of(item)
        if spec.id in specs:
            raise ChildSpecInvalid(
                f"two children have the id {spec.id!r}",
                ("start_spec", ("duplicate_child_name", spec.id)),
                hint="give one of them another: child(..., id=...)",
            )
        specs[spec.id] = spec
    return list(specs.values())


def _declared_options(what: Any) -> Mapping[str, Any]:
    """Returns the `child_options` of a class.

    Raises:
        ChildSpecInvalid: *what* is not startable, or its options are not options of `child`.
    """
    if isinstance(what, type):
        if not callable(getattr(what, "start_link", None)):
            msg = f"the class {what.__qualname__} has no start_link, so a supervisor cannot start it"
            raise ChildSpecInvalid(
                msg, ("start_spec", "missing_start"), hint="derive it from GenServer, or give a function"
            )
    elif isinstance(what, ChildSpec) or not (
        isinstance(what, (FunctionType, MethodType)) or callable(what) or hasattr(what, "start_link")
    ):
        msg = f"{_shown(what)} cannot be a child of a supervisor"
        raise ChildSpecInvalid(
            msg,
            ("start_spec", "invalid_child_spec"),
            hint="give a class with start_link, a function, child(...) or a tuple (class, argument, ...)",
        )
    options = getattr(what, "child_options", {})
    if unknown := sorted(set(options) - set(_OPTIONS)):
        msg = f"child_options of {_shown(what)} has {', '.join(unknown)}: there are {', '.join(_OPTIONS)}"
        raise ChildSpecInvalid(msg, ("start_spec", ("invalid_options", unknown)))
    return options


def _check(spec: ChildSpec) -> None:
    try:
        hash(spec.id)
    except TypeError:
        msg = f"the id of a child must be hashable, and {spec.id!r} is not"
        raise ChildSpecInvalid(msg, ("start_spec", ("invalid_id", repr(spec.id)))) from None
    _check_choice(spec, "restart", _RESTARTS)
    _check_choice(spec, "type", _TYPES)
    limit = spec.shutdown
    if not (limit is None or limit == "brutal_kill" or _is_seconds(limit)):
        msg = f"{spec.name}: shutdown is seconds, None or 'brutal_kill', not {limit!r}"
        raise ChildSpecInvalid(msg, ("start_spec", ("invalid_shutdown", limit)))
    if spec.significant and spec.restart == "permanent":
        raise ChildSpecInvalid(
            f"{spec.name}: a permanent child cannot be significant, since it never ends for good",
            ("start_spec", ("bad_combination", [("restart", "permanent"), ("significant", True)])),
            hint="restart='transient' or 'temporary'",
        )


def _is_seconds(value: Any) -> bool:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return False
    return value >= 0 and (isinstance(value, float) or value.bit_length() < _FLOAT_BITS)


def _check_choice(spec: ChildSpec, option: str, choices: tuple[str, ...]) -> None:
    value = getattr(spec, option)
    if value not in choices:
        msg = f"{spec.name}: {option} is one of {', '.join(map(repr, choices))}, not {value!r}"
        raise ChildSpecInvalid(msg, ("start_spec", (f"invalid_{option}", value)))


def _shown(what: Any) -> str:
    return getattr(what, "__qualname__", None) or repr(what)
