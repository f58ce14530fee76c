"""Messages and calls for Erlang nodes, encoded at the call: what these cannot hold is refused there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyx.errors import EncodeError
from pyx.signals import Payload
from pyx.wire.beam.gen_messages import outward_message, outward_system_request
from pyx.wire.beam.modules import outward_module
from pyx.wire.beam.servers import result_term
from pyx.wire.beam.term import OF_NO_NODE, ErlangCall, ErlangTerm
from pyx.wire.beam.term_writer import encode_term

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyx.terms import Incarnation, Ref

_new: Final = tuple.__new__  # see `core/requests.py`


def erlang_message(message: Any, here: Incarnation | None, limit: int) -> Payload:
    """Returns the payload of a message for a process of an Erlang node.

    Args:
        message: data.
        here: this node.
        limit: bytes.

    Raises:
        EncodeError: Erlang has no value like that, or it is too long.
    """
    assert here is not None  # a node with peers has a name
    return _new(Payload, (ErlangTerm(encode_term(outward_message(message), here, max_bytes=limit)), None))


def erlang_request(
    request: Any, here: Incarnation | None, limit: int, what: str, *, is_system: bool = False
) -> Payload:
    """Returns the payload of a request for a server of an Erlang node, or of a reply to a process there.

    Args:
        request: data.
        here: this node.
        limit: bytes.
        what: names it in errors.
        is_system: the request is one of OTP's `sys`.

    Raises:
        EncodeError: Erlang has no value like that, or it is too long.
    """
    assert here is not None  # a node with peers has a name
    value = outward_system_request(request) if is_system else request
    return Payload(ErlangTerm(encode_term(value, here, what=what, max_bytes=limit)))


def erlang_call(
    module: str,
    function: str,
    args: Sequence[Any],
    kwargs: Mapping[str, Any] | None,
    source: object,
    here: Incarnation | None,
    limit: int,
) -> Payload:
    """Returns the payload of a call of a function of an Erlang node.

    Args:
        module: as Elixir or Erlang writes it: `"Enum"`, `"lists"`.
        function: its name.
        args: the arguments by position.
        kwargs: refused, if there are any.
        source: refused: a function of this node.
        here: this node.
        limit: bytes.

    Raises:
        EncodeError: an argument is not data for Erlang, or an Erlang node cannot be called like that.
    """
    assert here is not None  # a node with peers has a name
    if source is not None:
        hint = 'a function runs on Erlang nodes by its module and name there: ("IO", "puts", ["hi"])'
        raise EncodeError("function", function, "is Python, which an Erlang node cannot run", hint=hint)
    if kwargs:
        hint = "Elixir takes options as its last argument: [keyword(a=1)]"
        raise EncodeError("kwargs", kwargs, "have no counterpart on an Erlang node", hint=hint)
    encoded = encode_term(list(args), here, what="args", max_bytes=limit)
    return Payload(ErlangCall(outward_module(module), function, len(args), encoded))


def erlang_result(ref: Ref, value: Any, here: Incarnation | None, limit: int) -> Payload:
    """Returns the exit reason `{Ref, return, Value}`, by which an `erpc` call of an Erlang node is answered.

    Args:
        ref: by which the caller knows the answer.
        value: what the function returned.
        here: this node.
        limit: bytes.

    Raises:
        EncodeError: Erlang has no value like that, or it is too long.
    """
    term = encode_term(value, here, what="result", max_bytes=limit)
    return Payload(ErlangTerm(result_term(ref, term, here)), OF_NO_NODE)
