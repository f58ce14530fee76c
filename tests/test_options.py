"""options.py: The options of a node: checks, flags, and the arguments of `Node.start`."""

from __future__ import annotations

import inspect
from dataclasses import fields
from typing import Any

import pytest

from pyx import Node, aio
from pyx.options import OPTIONS, NodeOptions, parse_mib, parse_port, parse_tick
from pyx.wire.frames.fragments import MAX_PAYLOAD_BYTES


class TestChecks:
    @pytest.mark.parametrize("tick", [0, -1, float("nan")])
    def test_tick_is_positive(self, tick: float) -> None:
        with pytest.raises(ValueError, match="tick is a number of seconds above 0, not "):
            NodeOptions("a", tick=tick)

    @pytest.mark.parametrize("policy", ["closed", ""])
    def test_unknown_rpc_policy_is_refused(self, policy: str) -> None:
        with pytest.raises(ValueError, match="rpc is 'open' or 'exported' or 'off', not"):
            NodeOptions("a", rpc=policy)

    @pytest.mark.parametrize("mib", [0, -1, 1025, 1.5, True, "128", None])
    def test_max_message_mib_is_a_number_in_range(self, mib: Any) -> None:
        with pytest.raises(ValueError, match="max_message_mib is a number of MiB from 1 to 1024, not "):
            NodeOptions("a", max_message_mib=mib)

    @pytest.mark.parametrize("port", [-1, 65536, True, "4000", 4000.0])
    def test_port_is_a_number_in_range(self, port: Any) -> None:
        with pytest.raises(ValueError, match="port is a number from 0 to 65535, not "):
            NodeOptions("a", long=True, port=port)

    @pytest.mark.parametrize("options", [{"listen": "10.0.0.5"}, {"port": 4000}])
    def test_listen_and_port_need_a_long_name(self, options: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match="listen and port need a long name"):
            NodeOptions("a", **options)
        assert NodeOptions("a", long=True, **options)

    def test_options_are_frozen(self) -> None:
        with pytest.raises(AttributeError):
            NodeOptions("a").tick = 1.0  # type: ignore[misc]

    def test_cookie_is_kept_out_of_the_repr(self) -> None:
        assert "secret" not in repr(NodeOptions("a", cookie="secret"))

    def test_default_message_limit_is_that_of_a_connection(self) -> None:
        assert NodeOptions("a").max_message_bytes == MAX_PAYLOAD_BYTES


class TestFlags:
    """Words of the command line to values, and back."""

    @pytest.mark.parametrize("word", ["soon", "0", "0.09", "-1", "86401", "nan"])
    def test_tick_out_of_range_is_refused(self, word: str) -> None:
        with pytest.raises(ValueError, match=f"'{word}' is not a number of seconds from 0.1 to 86400"):
            parse_tick(word)

    @pytest.mark.parametrize("word", ["0", "-1", "65536", "http", "4369.0", ""])
    def test_port_out_of_range_is_refused(self, word: str) -> None:
        with pytest.raises(ValueError, match=f"'{word}' is not a port: a number from 1 to 65535"):
            parse_port(word)

    @pytest.mark.parametrize("word", ["0", "-1", "1025", "1.5", "64MiB", "", "\u0663"])
    def test_mib_out_of_range_is_refused(self, word: str) -> None:
        with pytest.raises(ValueError, match=f"'{word}' is not a number of MiB from 1 to 1024"):
            parse_mib(word)

    def test_bounds_are_taken(self) -> None:
        assert [parse_tick("0.1"), parse_tick("86400")] == [0.1, 86400.0]
        assert [parse_port("1"), parse_port("65535")] == [1, 65535]
        assert [parse_mib("1"), parse_mib("1024")] == [1, 1024]

    def test_words_are_those_of_options_that_differ_from_their_defaults(self) -> None:
        options = NodeOptions("a", hidden=True, tick=0.5, rpc="open", max_message_mib=3, cookie="secret")
        names = {option.name for option in OPTIONS} - {"cookie"}
        assert options.words(names) == ["--hidden", "--tick", "0.5", "--max-message", "3"]


class TestArguments:
    """`Node.start` takes the options as its arguments."""

    @pytest.mark.parametrize("start", [Node.start, aio.Node.start], ids=["Node", "aio.Node"])
    def test_start_shows_all_options(self, start: Any) -> None:
        parameters = inspect.signature(start).parameters
        assert list(parameters) == [one.name for one in fields(NodeOptions)]
        assert [one.name for one in parameters.values() if one.kind is not one.KEYWORD_ONLY] == ["name"]
        assert all(f"{option.name}: {option.help[:20]}" in start.__doc__ for option in OPTIONS)

    def test_section_of_arguments_stands_before_that_of_errors(self) -> None:
        assert Node.start.__doc__ is not None
        assert Node.start.__doc__.index("\n\nArgs:\n") < Node.start.__doc__.index("\n\nRaises:\n")

    def test_twin_is_a_coroutine_function(self) -> None:
        assert inspect.iscoroutinefunction(aio.Node.start)
        assert not inspect.iscoroutinefunction(Node.start)

    def test_unknown_option_is_refused(self) -> None:
        with pytest.raises(TypeError, match="nope"):
            Node.start("a", nope=1)  # type: ignore[call-arg]
