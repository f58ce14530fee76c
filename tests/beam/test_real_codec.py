"""The codec of terms against Erlang's own: random terms both ways, on each release there is.

PYX_TERMS=5000 pytest tests/beam/test_real_codec.py    fifty times as many
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from random import Random
from typing import TYPE_CHECKING, Any, Final

import pytest

from pyx.atoms import Atom
from pyx.errors import DecodeError
from pyx.wire.beam.term_reader import decode_term
from pyx.wire.beam.term_writer import encode_term
from tests.beam.real_nodes import HANG, erl_command
from tests.wire.beam.test_term_codec import SEEDS, mutated_term
from tests.wire.beam.values import HERE, VALUES, random_value, same

if TYPE_CHECKING:
    from collections.abc import Iterator

TERMS: Final = int(os.environ.get("PYX_TERMS", "100"))

_PROGRAM: Final = """
    Port = open_port({fd, 0, 1}, [binary, {packet, 4}, eof]),
    Key = fun K() -> case rand:uniform(12) of
        1 -> rand:uniform(3); 2 -> float(rand:uniform(3)); 3 -> element(rand:uniform(3), {a, b, nil});
        4 -> integer_to_binary(rand:uniform(3)); 5 -> [rand:uniform(2)]; 6 -> {rand:uniform(2), a};
        7 -> #{rand:uniform(2) => rand:uniform(2)}; 8 -> true; 9 -> <<255, (rand:uniform(2))>>;
        10 -> [K() | b]; 11 -> {K(), K()}; 12 -> self() end end,
    Make = fun M(0) -> case rand:uniform(20) of
            1 -> rand:uniform(300) - 20; 2 -> rand:uniform(1 bsl 40) - (1 bsl 39);
            3 -> (1 - 2 * rand:uniform(2)) * (rand:uniform(1 bsl 62) bsl rand:uniform(2100));
            4 -> rand:uniform() * math:pow(10, rand:uniform(600) - 300); 5 -> -0.0; 6 -> [];
            7 -> element(rand:uniform(6), {ok, nil, true, false, '', 'an atom'});
            8 -> list_to_atom([$a + rand:uniform(25), 246, rand:uniform(999)]);
            9 -> rand:bytes(rand:uniform(20)); 10 -> unicode:characters_to_binary([rand:uniform(16#D000)]);
            11 -> <<(rand:uniform(99)):(rand:uniform(70))>>; 12 -> self(); 13 -> make_ref();
            14 -> hd(erlang:ports());
            15 -> fun lists:map/2; 16 -> N = rand:uniform(9), fun(X) -> X + N end;
            17 -> [rand:uniform(255) || _ <- lists:seq(1, rand:uniform(9))]; 18 -> {}; 19 -> #{};
            20 -> erlang:alias() end;
        M(D) -> Items = [M(rand:uniform(D) - 1) || _ <- lists:seq(1, rand:uniform(5))],
            case rand:uniform(8) of
            1 -> Items; 2 -> list_to_tuple(Items); 3 -> [M(0) | M(0)];
            4 -> list_to_tuple(Items ++ lists:seq(1, 260));
            5 -> maps:from_list([{Key(), I} || I <- Items]); 6 -> {Items, Items}; 7 -> fun() -> Items end;
            8 -> maps:from_list([{M(D - 1), I} || I <- Items]) end end,
    Made = fun(Seed) -> rand:seed(exsss, Seed), Make(rand:uniform(3)) end,
    Loop = fun L() -> receive
        {Port, {data, <<"echo", B/binary>>}} ->
            Answer = try T = binary_to_term(B), [1, term_to_binary(T)] catch _:_ -> [0] end,
            port_command(Port, Answer), L();
        {Port, {data, <<"text", B/binary>>}} ->
            port_command(Port, unicode:characters_to_binary(io_lib:format("~0tp", [binary_to_term(B)]))), L();
        {Port, {data, <<"make", Seed:32>>}} ->
            T = Made(Seed), put(made, T), port_command(Port, term_to_binary(T)), L();
        {Port, {data, <<"same", B/binary>>}} ->
            port_command(Port, try [case binary_to_term(B) =:= get(made) of true -> 1; false -> 0 end]
                catch _:_ -> [2] end), L();
        {Port, eof} -> halt() end end,
    Loop().
"""


class RealCodec:
    """An `erl` that reads and writes terms by its own `binary_to_term` and `term_to_binary`."""

    def __init__(self, erl: str) -> None:
        command = [erl, "-noshell", "-noinput", "-eval", " ".join(_PROGRAM.split())]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def _ask(self, word: bytes, data: bytes) -> bytes:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write((4 + len(data)).to_bytes(4, "big") + word + data)
        stdin.flush()
        length = int.from_bytes(stdout.read(4), "big")
        return stdout.read(length)

    def echo(self, term: bytes) -> bytes | None:
        """The term as Erlang writes it, having read it; None if it cannot be read."""
        answer = self._ask(b"echo", b"\x83" + term)
        return answer[2:] if answer[0] else None

    def text(self, term: bytes) -> str:
        """How Erlang prints the term."""
        return self._ask(b"text", b"\x83" + term).decode()

    def made(self, seed: int) -> bytes:
        """A random term of Erlang's."""
        return self._ask(b"make", seed.to_bytes(4, "big"))[1:]

    def is_made(self, term: bytes) -> bool:
        """True if the term is exactly the one that was made last."""
        return self._ask(b"same", b"\x83" + term) == b"\1"

    def close(self) -> None:
        """Ends the `erl`."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._process.kill()
        self._process.wait(HANG)


@pytest.fixture(scope="module", params=[25, 28])
def erlang(request: pytest.FixtureRequest) -> Iterator[RealCodec]:
    codec = RealCodec(erl_command(request.param))
    yield codec
    codec.close()


def read(term: bytes) -> Any:
    value, end = decode_term(term, 0, (), None)
    assert end == len(term)
    return value


def test_every_kind_of_value_passes_through_erlang(erlang: RealCodec) -> None:
    for value in VALUES:
        data = encode_term(value, HERE)
        echoed = erlang.echo(data)
        assert echoed is not None, value
        assert same(decode_term(echoed, 0, (), HERE)[0], value)


def test_random_values_pass_through_erlang(erlang: RealCodec) -> None:
    chance = Random(1)
    for number in range(TERMS):
        value = random_value(chance)
        echoed = erlang.echo(encode_term(value, HERE))
        assert echoed is not None, (number, value)
        assert same(read(echoed), value), number


def test_random_terms_of_erlang_come_back_exactly(erlang: RealCodec) -> None:
    for seed in range(TERMS):
        term = erlang.made(seed)
        assert erlang.is_made(encode_term(read(term), None)), (seed, term)


def test_whatever_was_read_can_be_written_for_erlang(erlang: RealCodec) -> None:
    for number in range(TERMS):
        try:
            value = decode_term(mutated_term(number), 0, (Atom("ok"), None, Atom("there@vm")), HERE)[0]
        except DecodeError:
            continue
        data = encode_term(value, HERE)
        echoed = erlang.echo(data)
        assert echoed is not None, (number, value, data)


def test_terms_print_in_erlang_as_they_are_meant(erlang: RealCodec) -> None:
    value = (Atom("ok"), "grüße", b"\xff", [1, 2.5], {"a": None}, [104, 105])
    assert (
        erlang.text(encode_term(value, HERE))
        == '{ok,<<"grüße"/utf8>>,<<"ÿ">>,[1,2.5],#{<<"a">> => nil},"hi"}'
    )


def test_forms_that_otp_does_not_read_are_those_that_are_refused(erlang: RealCodec) -> None:
    reference = encode_term(VALUES[0], HERE)
    assert erlang.echo(reference) is not None
    for term in (
        b"F\x7f\xf8\0\0\0\0\0\0",  # nan
        b"F\x7f\xf0\0\0\0\0\0\0",  # infinity
        b"v\1\0" + b"x" * 256,
        b"w\2\xff\xff",
        b"t\0\0\0\2a\1a\1a\1a\2",
        b"Z\0\6w\4a@vm\0\0\0\1" + bytes(24),
        b"h\2a\1",
        b"\x7f",
    ):
        assert erlang.echo(term) is None
        with pytest.raises(DecodeError):
            read(term)


def test_every_seed_of_the_mutations_is_a_term(erlang: RealCodec) -> None:
    assert all(erlang.echo(seed) is not None for seed in SEEDS)
