"""The helpers of these tests: real nodes start, answer, know each other, and end."""

from __future__ import annotations

import pytest

from tests.beam.real_nodes import real_nodes, require_iex


def test_iex_and_erl_answer_and_know_each_other() -> None:
    require_iex()
    with real_nodes() as real:
        a = real.iex("a")
        o = real.erl("o")
        assert a.name.startswith("a@")
        assert a.ask("1 + 1") == "2"
        assert a.ask("[1,\n 2]") == "[1, 2]"
        assert o.ask("{ok, 'größe'}.") == "{ok,größe}"
        assert a.ask(f"Node.ping(:{o.name!r})".replace("'", '"')) == ":pong"
        assert a.ask('raise "no"').startswith("** (RuntimeError) no")
        o.kill()
        assert a.ask("Node.list()") == "[]"


@pytest.mark.parametrize("release", [25, 28])
def test_erl_of_a_release_is_found_or_the_test_says_why_not(release: int) -> None:
    with real_nodes() as real:
        assert real.erl("o", release=release).ask("erlang:system_info(otp_release).") == f'"{release}"'
