"""What a node is started with: the default, unit, check, command-line flag and help text of each option.

`Node.start` and its awaitable twin, the command line, `pyx --record` and the `$ pyx` lines of a scenario all
read them here.
"""

from __future__ import annotations

import functools
import inspect
import textwrap
from dataclasses import KW_ONLY, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final, NamedTuple, ParamSpec, TypeVar, cast

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Collection, Mapping, Sequence

P = ParamSpec("P")
T = TypeVar("T")

RPC_POLICIES: Final = ("open", "exported", "off")
"""Which functions authenticated peers may run on a node: any, those marked with `@rpc.export`, none."""

MIB: Final = 1024 * 1024

DEFAULT_MESSAGE_MIB: Final = 128
"""The largest encoded message, unless the node is started with another limit."""

LAST_PORT: Final = 65535

DEFAULT_TICK_SECONDS: Final = 15.0
"""A peer silent for this long is lost (Erlang: 60)."""

CLEAR_TEXT: Final = (
    "with a long name (--name), all that Erlang nodes say crosses the network in clear, and their cookie can "
    "be guessed from it: beam needs beam_insecure=True (--beam-insecure) there"
)
"""Why `beam` is refused for a node that other hosts reach."""

MOST_MESSAGE_MIB: Final = 1024
"""Without a bound, a peer could fill the memory by one message."""


def parse_tick(text: str) -> float:
    """Returns the seconds of `--tick`; a program may choose shorter ones.

    Raises:
        ValueError: *text* is not a number from 0.1 to 86400.
    """
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.1 <= seconds <= 86400:
        msg = f"{text!r} is not a number of seconds from 0.1 to 86400"
        raise ValueError(msg)
    return seconds


def parse_port(text: str) -> int:
    """Returns the port of `--port`.

    Raises:
        ValueError: *text* is not a number from 1 to 65535.
    """
    port = _whole_number(text)
    if not port or not _is_port(port):  # 0, for any port, is the default
        msg = f"{text!r} is not a port: a number from 1 to {LAST_PORT}"
        raise ValueError(msg)
    return port


def parse_mib(text: str) -> int:
    """Returns the MiB of `--max-message`.

    Raises:
        ValueError: *text* is not a number from 1 to 1024.
    """
    mib = _whole_number(text)
    if not _is_mib(mib):
        msg = f"{text!r} is not a number of MiB from 1 to {MOST_MESSAGE_MIB}"
        raise ValueError(msg)
    return mib


def _whole_number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() else -1


def _is_port(value: object) -> bool:
    return type(value) is int and 0 <= value <= LAST_PORT


def _is_mib(value: object) -> bool:
    return type(value) is int and 0 < value <= MOST_MESSAGE_MIB


def _option(
    default: Any,
    text: str,
    flag: str | None = None,
    value: str | None = None,
    parse: Callable[[str], Any] = str,
    choices: Sequence[str] | None = None,
    *,
    is_secret: bool = False,
) -> Any:
    """Returns a field of `NodeOptions`; see `Option`.  A secret is not in the repr."""
    return field(
        default=default,
        repr=not is_secret,
        metadata={"help": text, "flag": flag, "value": value, "parse": parse, "choices": choices},
    )


@dataclass(frozen=True, slots=True)
class NodeOptions:
    """The options of one node, checked; `Node.start` and the command line take them.

    Raises:
        ValueError: an option has a value that it cannot have; the text says which one it takes.
    """

    name: str
    _: KW_ONLY
    long: bool = _option(False, "be reachable from other hosts, over TCP and TLS")
    listen: str | None = _option(
        None,
        "with a long name: the address of this host to listen on (else the host part of the name)",
        "--listen",
        "ADDRESS",
    )
    port: int = _option(
        0,
        "with a long name: the TCP port of all nodes, which then need no port mapper (else any port, "
        "registered with the port mapper, EPMD)",
        "--port",
        "N",
        parse_port,
    )
    seeds: Sequence[str | Mapping[str, Any]] = _option(
        (),
        "nodes to dial until they are connected: names, or KIND:ARG to find them (dns:DOMAIN, local:, "
        "srv:DOMAIN, kubernetes:SELECTOR, lan:, hosts:FILE)",
        "--seed",
        "NODE",
    )
    hidden: bool = _option(False, "do not announce this node to others: it joins no mesh", "--hidden")
    cookie: str | None = _option(
        None,
        "the shared secret; as a flag, every user of this host can read it with `ps`",
        "--cookie",
        "X",
        is_secret=True,
    )
    cookie_file: str | None = _option(
        None,
        "the file of the shared secret (else $PYX_COOKIE_FILE, ~/.pyx.cookie)",
        "--cookie-file",
        "F",
    )
    tick: float = _option(
        DEFAULT_TICK_SECONDS,
        "seconds of silence after which a peer counts as down, or up to a quarter later",
        "--tick",
        "SECONDS",
        parse_tick,
    )
    rpc: str = _option(
        "open",
        "which functions other nodes may call: all (open), those marked @rpc.export (exported), none (off)",
        "--rpc",
        choices=RPC_POLICIES,
    )
    beam: bool | str = _option(
        False,
        "speak with Erlang and Elixir nodes of this host too, hidden from their mesh, with the cookie in "
        "~/.erlang.cookie",
        "--beam",
    )
    beam_cookie_file: str | None = _option(
        None,
        "the file of the cookie that Erlang nodes have (else ~/.erlang.cookie)",
        "--beam-cookie-file",
        "F",
    )
    beam_insecure: bool = _option(
        False,
        "let Erlang nodes of other hosts in too, though nothing that these say is encrypted",
        "--beam-insecure",
    )
    max_message_mib: int = _option(
        DEFAULT_MESSAGE_MIB,
        f"largest encoded message in MiB, 1 to {MOST_MESSAGE_MIB}: larger ones are refused",
        "--max-message",
        "MIB",
        parse_mib,
    )
    numbered: bool = _option(
        False, "where the name is in use on this host, take NAME-2, NAME-3 ...: for workers that share a name"
    )
    route_output: bool = _option(
        False, "let `print` in processes write to their group leader, as a shell always does"
    )
    loop: asyncio.AbstractEventLoop | None = _option(  # noqa: RUF009 - a dataclass's field
        None, "the application's event loop, in which `async def` processes then run"
    )

    def __post_init__(self) -> None:
        if not self.tick > 0:
            msg = f"tick is a number of seconds above 0, not {self.tick!r}"
            raise ValueError(msg)
        if self.rpc not in RPC_POLICIES:
            msg = f"rpc is {' or '.join(map(repr, RPC_POLICIES))}, not {self.rpc!r}"
            raise ValueError(msg)
        if not self.long and (self.listen is not None or self.port):
            raise ValueError("listen and port need a long name (long=True): a short one stays on its host")
        if self.beam not in (False, True, "hidden"):
            msg = f"beam is 'hidden', or False for no Erlang nodes, not {self.beam!r}"
            raise ValueError(msg)
        if not self.beam and (self.beam_insecure or self.beam_cookie_file is not None):
            raise ValueError(
                "beam_insecure and beam_cookie_file are about Erlang nodes: they need beam='hidden'"
            )
        if self.beam and self.long and not self.beam_insecure:
            raise ValueError(CLEAR_TEXT)
        if not _is_port(self.port):
            msg = f"port is a number from 0 to {LAST_PORT}, not {self.port!r}"
            raise ValueError(msg)
        if not _is_mib(self.max_message_mib):
            most, given = MOST_MESSAGE_MIB, self.max_message_mib
            msg = f"max_message_mib is a number of MiB from 1 to {most}, not {given!r}"
            raise ValueError(msg)

    @property
    def max_message_bytes(self) -> int:
        """The size of the largest encoded message."""
        return self.max_message_mib * MIB

    def words(self, names: Collection[str]) -> list[str]:
        """Returns the command-line words for those of the options *names* that are not at their default."""
        words: list[str] = []
        for option in OPTIONS:
            value = getattr(self, option.name)
            if option.name not in names or option.flag is None or value == option.default:
                continue
            words.append(option.flag)
            if option.takes_value:
                words.append(shown(value))
        return words


def shown(value: Any) -> str:
    """Returns the word of the command line for a value of an option."""
    return f"{value:g}" if isinstance(value, float) else str(value)


class Option(NamedTuple):
    """One option of a node, beside its name."""

    name: str
    """The argument of `Node.start`."""
    default: Any
    help: str
    flag: str | None
    """On the command line of `pyx`; None: a program alone can set it."""
    value: str | None
    """What help calls the flag's value."""
    parse: Callable[[str], Any]
    """Turns the flag's word into a value; raises ValueError."""
    choices: Sequence[str] | None
    """The only values, where they are few."""

    @property
    def takes_value(self) -> bool:
        """True if a value follows the flag."""
        return self.default is not False

    @property
    def is_repeatable(self) -> bool:
        """True if the flag may be given several times."""
        return isinstance(self.default, tuple)


OPTIONS: Final = tuple(
    Option(one.name, one.default, **one.metadata) for one in fields(NodeOptions) if one.metadata
)
"""All options beside the name, in the order of `pyx --help`."""


def takes_options(make: Callable[P, NodeOptions]) -> Callable[[Callable[[NodeOptions], T]], Callable[P, T]]:
    """Returns a decorator: a function of `NodeOptions` becomes one of their arguments, documented by `help`.

    Args:
        make: `NodeOptions`; by its parameters type checkers know those of the decorated function.
    """

    def decorate(function: Callable[[NodeOptions], T]) -> Callable[P, T]:
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def start_async(*args: P.args, **kwargs: P.kwargs) -> Any:
                return await function(make(*args, **kwargs))

            start = cast("Callable[P, T]", start_async)
        else:

            @functools.wraps(function)
            def start(*args: P.args, **kwargs: P.kwargs) -> T:
                return function(make(*args, **kwargs))

        vars(start)["__signature__"] = inspect.signature(NodeOptions).replace(return_annotation="str")
        start.__doc__ = _with_arguments(function.__doc__ or "")
        return start

    return decorate


def _with_arguments(doc: str) -> str:
    """Returns a docstring with an `Args:` section, from the help texts, before its `Raises:`."""
    head, raises, tail = inspect.cleandoc(doc).partition("Raises:")
    return "\n".join([f"{head}Args:", *_described(), "", f"{raises}{tail}"]).rstrip()


@functools.cache
def _described() -> list[str]:
    """Returns the options as items of an `Args:` section; at each start two functions have one."""
    return [
        textwrap.fill(
            f"{option.name}: {option.help}.", 100, initial_indent=" " * 4, subsequent_indent=" " * 8
        )
        for option in OPTIONS
    ]
