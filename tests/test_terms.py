"""terms.py: Pids, references, names of nodes, stand-ins: frozen, hashable, printable, and read back from
print.
"""

from __future__ import annotations

import copy
import pickle  # noqa: TID251 - to see it refused
import threading
from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from pyx import terms
from pyx.errors import NodeNameInvalid
from pyx.terms import (
    FunctionName,
    Incarnation,
    Literal,
    Pid,
    Raised,
    Ref,
    Struct,
    full_name,
    host_of,
    incarnations,
    is_full_name,
    is_long,
    parse_pid,
    parse_ref,
    short_host,
)
from tests.staging import HANG


@pytest.fixture(autouse=True)
def nobody_met_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """The numbers of other nodes' lives start anew."""
    import itertools

    monkeypatch.setattr(terms, "_incarnations", {("", 0): 0})
    monkeypatch.setattr(terms, "_numbers", itertools.count(1))


B = ("b@vm", 111)
B_AGAIN = ("b@vm", 222)
C = ("c@vm", 111)


class TestPid:
    def test_prints_as_in_iex(self) -> None:
        pid = Pid(110)
        assert repr(pid) == str(pid) == f"{pid}" == "#PID<0.110.0>"

    def test_the_first_number_is_the_observers_for_each_incarnation_of_a_node(self) -> None:
        assert [repr(Pid(1, 0, *incarnation)) for incarnation in (B, C, B, B_AGAIN)] == [
            "#PID<1.1.0>",
            "#PID<2.1.0>",
            "#PID<1.1.0>",
            "#PID<3.1.0>",
        ]
        assert incarnations() == {1: Incarnation(*B), 2: Incarnation(*C), 3: Incarnation(*B_AGAIN)}

    def test_is_equal_to_itself_and_nothing_else(self) -> None:
        pid = Pid(1, 2, *B)
        assert pid == Pid(1, 2, *B)
        assert hash(pid) == hash(Pid(1, 2, *B))
        for other in (Pid(1, 2), Pid(2, 2, *B), Pid(1, 3, *B), Pid(1, 2, *C), Pid(1, 2, *B_AGAIN), "pid", 1):
            assert pid != other

    def test_knows_whether_it_is_local(self) -> None:
        assert Pid(1).is_local
        assert Pid(1).incarnation is None
        assert not Pid(1, 0, *B).is_local
        assert Pid(1, 0, *B).incarnation == Incarnation(*B)

    @pytest.mark.parametrize("term", [Pid(1), Ref(1)])
    def test_is_frozen_and_no_pickle(self, term: Any) -> None:
        for change in (lambda: setattr(term, "number", 2), lambda: delattr(term, "number")):
            with pytest.raises(AttributeError, match="is frozen"):
                change()  # type: ignore[no-untyped-call]
        with pytest.raises(TypeError, match="travels in messages, never in a pickle"):
            pickle.dumps(term)
        assert copy.copy(term) is term
        assert copy.deepcopy([term])[0] is term

    def test_two_threads_that_meet_an_incarnation_at_once_agree_on_its_number(self) -> None:
        barrier, printed = threading.Barrier(8), list[set[str]]()

        def meet() -> None:
            barrier.wait(HANG)
            printed.append({repr(Pid(1, 0, f"n{number}@vm", 1)) for number in range(100)})

        threads = [threading.Thread(target=meet) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(HANG)
        assert len(printed) == 8
        assert all(seen == printed[0] for seen in printed)
        assert len(printed[0]) == 100


class TestRef:
    def test_prints_in_two_halves(self) -> None:
        assert repr(Ref((7 << 32) | 9)) == "#Ref<0.7.9>"
        assert repr(Ref(9, *B)) == "#Ref<1.0.9>"

    def test_is_equal_to_itself_and_nothing_else(self) -> None:
        assert Ref(1, *B) == Ref(1, *B)
        assert len({Ref(1, *B), Ref(1, *B), Ref(1), Ref(2), Ref(1, *C)}) == 4
        assert Ref(1) != Pid(1)
        assert Ref(1).is_local
        assert not Ref(1, *B).is_local


class TestReadingBack:
    @pytest.mark.parametrize("text", ["0.5.1", "<0.5.1>", "#PID<0.5.1>", "  #PID<0.5.1>\n"])
    def test_a_pid(self, text: str) -> None:
        assert parse_pid(text) == Pid(5, 1)

    @pytest.mark.parametrize("text", ["0.7.9", "<0.7.9>", "#Ref<0.7.9>"])
    def test_a_reference(self, text: str) -> None:
        assert parse_ref(text) == Ref((7 << 32) | 9)

    def test_what_was_printed_of_another_node(self) -> None:
        pid, ref = Pid(5, 0, *B), Ref(12345678901, *C)
        assert parse_pid(repr(pid)) == pid
        assert parse_ref(repr(ref)) == ref

    @pytest.mark.parametrize("text", ["", "0.5", "0.5.0.1", "a.b.c", "#PID<0.5.0", "-1.5.0", 5, None])
    def test_what_does_not_look_like_one(self, text: Any) -> None:
        if text == "#PID<0.5.0":  # read as it was meant: half a bracket is no other pid
            assert parse_pid(text) == Pid(5)
            return
        with pytest.raises(ValueError, match=r"is not a printed pid; one looks like '0\.5\.0'"):
            parse_pid(text)

    @pytest.mark.parametrize(
        "text", [f"0.{2**64}.0", f"0.1.{2**32}", f"{2**64}.1.0", "0." + "9" * 5000 + ".0"]
    )
    def test_numbers_that_no_process_has(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"is not a printed pid: its numbers are too large"):
            parse_pid(text)

    def test_of_a_node_that_was_never_met(self) -> None:
        with pytest.raises(ValueError, match=r"'3\.5\.0': no node met here has the number 3"):
            parse_pid("3.5.0")


class TestNodeNames:
    def test_a_bare_one_is_completed(self) -> None:
        assert full_name("gus", "vm") == "gus@vm"
        assert full_name("gus@other", "vm") == "gus@other"

    @pytest.mark.parametrize(
        ("name", "problem"),
        [
            ("", "it is empty"),
            ("@vm", "the part before @ is empty"),
            ("foo.bar", "the part before @ may hold a-z, A-Z, 0-9, _ and - only"),
            ("foo bar", "the part before @ may hold"),
            ("foo/bar", "the part before @ may hold"),
            ("café", "the part before @ may hold"),
            ("a@", "the host after @ is empty"),
            ("a@v m", "the host after @ may hold a-z, A-Z, 0-9 and"),
            ("a@b@c", "it holds more than one @"),
            ("a" * 300, "it is longer than 255 characters"),
            ("a\n", "the part before @ may hold"),
        ],
    )
    def test_one_sentence_says_what_is_wrong(self, name: str, problem: str) -> None:
        with pytest.raises(NodeNameInvalid) as refused:
            full_name(name, "vm")
        assert problem in str(refused.value)
        assert refused.value.name == name

    @pytest.mark.parametrize("name", [None, 1, b"gus", ["gus"]])
    def test_a_name_is_a_text(self, name: Any) -> None:
        with pytest.raises(TypeError, match="a node name is a str such as 'gus@vm'"):
            full_name(name, "vm")

    @pytest.mark.parametrize("name", ["gus@vm", "a-b_1@10.0.0.5", "a@host.example", "a@fe80::1%eth0"])
    def test_full_ones(self, name: str) -> None:
        assert is_full_name(name)

    @pytest.mark.parametrize("name", ["gus", "", "gus@", "no good@vm", "a@b@c"])
    def test_others(self, name: str) -> None:
        assert not is_full_name(name)

    def test_their_hosts(self) -> None:
        assert host_of("gus@vm") == "vm"
        assert host_of("gus") == ""
        assert is_long("10.0.0.5")
        assert is_long("::1")
        assert not is_long("vm")


class TestStandIns:
    def test_are_readable(self) -> None:
        assert repr(Raised("ValueError", "no stock", "Traceback")) == "Raised(ValueError: no stock)"
        assert repr(Raised("ValueError", "")) == "Raised(ValueError)"
        assert (
            repr(Raised("E\x1b[2J", "two\nlines\x1b]0;x\x07")) == r"Raised(E\x1b[2J: two\nlines\x1b]0;x\x07)"
        )
        assert repr(Struct("stock.Product", (("name", "nike"), ("qty", 30)))) == (
            "Struct(stock.Product: name='nike', qty=30)"
        )
        assert repr(Struct("stock.Empty", ())) == "Struct(stock.Empty)"
        assert repr(FunctionName("stock", "total")) == "FunctionName(stock.total)"

    def test_fields_by_name(self) -> None:
        product = Struct("stock.Product", (("name", "nike"), ("qty", 30)))
        assert product["qty"] == 30
        with pytest.raises(KeyError):
            product["colour"]

    @pytest.mark.parametrize(
        "one", [Raised("E", "x"), Struct("m.C", (("a", 1),)), FunctionName("m", "f"), Literal(int)]
    )
    def test_are_frozen_hashable_and_matched_by_value(self, one: Any) -> None:
        assert one == copy.deepcopy(one)
        assert hash(one) == hash(copy.deepcopy(one))
        with pytest.raises(FrozenInstanceError):
            setattr(one, next(iter(one.__slots__)), "changed")

    def test_match_statements_take_them_apart(self) -> None:
        match Raised("KeyError", "'qty'"):
            case Raised("KeyError", text):
                assert text == "'qty'"
            case _:
                pytest.fail("it did not match")


@pytest.mark.parametrize(
    ("hostname", "host"),
    [
        ("vm", "vm"),
        ("vm.example.org", "vm"),
        ("VM-2_b", "VM-2_b"),
        ("7", "7"),
        ("10.0.0.5", "10"),
        ("h" * 64, "h" * 64),
        ("", "localhost"),
        (".local", "localhost"),
        ("Gus's PC", "localhost"),
        ("gus pc", "localhost"),
        ("b\u00fcro", "localhost"),
        ("\udcff", "localhost"),
        ("fe80::1", "localhost"),
        ("vm\n", "localhost"),
    ],
)
def test_the_host_of_short_names_is_one_that_other_nodes_take(hostname: str, host: str) -> None:
    assert short_host(hostname) == host
    assert is_full_name(f"gus@{short_host(hostname)}")
    assert not is_long(short_host(hostname))


def test_a_host_that_completes_a_name_is_checked_as_one_that_is_given() -> None:
    with pytest.raises(NodeNameInvalid, match="'gus@gus pc' is not a node name: the host after @ may hold"):
        full_name("gus", "gus pc")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Struct("a\nb\x1b[2J", (("c\x07", 1),)), "Struct(a\\nb\\x1b[2J: c\\x07=1)"),
        (FunctionName("a\n", "\x1b[2J"), "FunctionName(a\\n.\\x1b[2J)"),
    ],
)
def test_names_that_another_node_has_chosen_print_on_one_line(value: object, shown: str) -> None:
    assert repr(value) == shown
