"""terms.py: Pids, references, node names, stand-ins: frozen, hashable, printable, parsed from
their repr.
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
from tests.local_nodes import HANG


@pytest.fixture(autouse=True)
def no_incarnation_met_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """The numbers of other nodes' incarnations start at 1."""
    import itertools

    monkeypatch.setattr(terms, "_incarnations", {("", 0): 0})
    monkeypatch.setattr(terms, "_numbers", itertools.count(1))


B = ("b@vm", 111)
B_AGAIN = ("b@vm", 222)
C = ("c@vm", 111)


class TestPid:
    def test_pid_prints_as_in_iex(self) -> None:
        pid = Pid(110)
        assert repr(pid) == str(pid) == f"{pid}" == "#PID<0.110.0>"

    def test_first_number_of_a_pid_is_this_observers_for_each_incarnation(self) -> None:
        assert [repr(Pid(1, 0, *incarnation)) for incarnation in (B, C, B, B_AGAIN)] == [
            "#PID<1.1.0>",
            "#PID<2.1.0>",
            "#PID<1.1.0>",
            "#PID<3.1.0>",
        ]
        assert incarnations() == {1: Incarnation(*B), 2: Incarnation(*C), 3: Incarnation(*B_AGAIN)}

    def test_pid_equals_itself_and_nothing_else(self) -> None:
        pid = Pid(1, 2, *B)
        assert pid == Pid(1, 2, *B)
        assert hash(pid) == hash(Pid(1, 2, *B))
        for other in (Pid(1, 2), Pid(2, 2, *B), Pid(1, 3, *B), Pid(1, 2, *C), Pid(1, 2, *B_AGAIN), "pid", 1):
            assert pid != other

    def test_pid_without_a_node_is_local(self) -> None:
        assert Pid(1).is_local
        assert Pid(1).incarnation is None
        assert not Pid(1, 0, *B).is_local
        assert Pid(1, 0, *B).incarnation == Incarnation(*B)

    @pytest.mark.parametrize("term", [Pid(1), Ref(1)])
    def test_pid_and_ref_are_frozen_and_cannot_be_pickled(self, term: Any) -> None:
        for change in (lambda: setattr(term, "number", 2), lambda: delattr(term, "number")):
            with pytest.raises(AttributeError, match="is frozen"):
                change()  # type: ignore[no-untyped-call]
        with pytest.raises(TypeError, match="travels in messages, never in a pickle"):
            pickle.dumps(term)
        assert copy.copy(term) is term
        assert copy.deepcopy([term])[0] is term

    def test_threads_that_print_an_incarnation_first_agree_on_its_number(self) -> None:
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

    def test_pids_sort_as_in_otp(self) -> None:
        """By serial, number, name and creation; seen in OTP 25 with pids that `binary_to_term` made."""
        order = [
            Pid(1, 0, *B),
            Pid(1, 0, *B_AGAIN),
            Pid(1, 0, *C),
            Pid(1),  # of nonode@nohost
            Pid(2, 0, *B),
            Pid(1, 1, *B),
        ]
        backwards = order[::-1]
        assert sorted(backwards) == order
        assert order[0] < order[1] <= order[1]
        assert order[1] > order[0] >= order[0]

    def test_pid_and_another_value_have_no_order(self) -> None:
        for unlike in ([Pid(1), Ref(1)], [Ref(1), 1]):
            with pytest.raises(TypeError):
                sorted(unlike)  # type: ignore[type-var]


class TestRef:
    def test_references_sort_as_in_otp(self) -> None:
        order = [Ref(2, *B), Ref(2 << 70, *B), Ref(1, *B_AGAIN), Ref(1, *C), Ref(1), Ref(2)]
        backwards = order[::-1]
        assert sorted(backwards) == order
        assert order[0] < order[1] <= order[1]
        assert order[1] > order[0] >= order[0]

    def test_ref_prints_in_two_halves(self) -> None:
        assert repr(Ref((7 << 32) | 9)) == "#Ref<0.7.9>"
        assert repr(Ref(9, *B)) == "#Ref<1.0.9>"
        assert repr(Ref(-1)) == "#Ref<0.-1.4294967295>"  # no reference, and yet it can be shown in an error

    def test_ref_equals_itself_and_nothing_else(self) -> None:
        assert Ref(1, *B) == Ref(1, *B)
        assert len({Ref(1, *B), Ref(1, *B), Ref(1), Ref(2), Ref(1, *C)}) == 4
        assert Ref(1) != Pid(1)
        assert Ref(1).is_local
        assert not Ref(1, *B).is_local


class TestParsing:
    @pytest.mark.parametrize("text", ["0.5.1", "<0.5.1>", "#PID<0.5.1>", "  #PID<0.5.1>\n"])
    def test_printed_pid_is_parsed(self, text: str) -> None:
        assert parse_pid(text) == Pid(5, 1)

    @pytest.mark.parametrize("text", ["0.7.9", "<0.7.9>", "#Ref<0.7.9>"])
    def test_printed_reference_is_parsed(self, text: str) -> None:
        assert parse_ref(text) == Ref((7 << 32) | 9)

    def test_printed_pid_and_ref_of_another_node_are_parsed(self) -> None:
        pid, ref = Pid(5, 0, *B), Ref(12345678901, *C)
        assert parse_pid(repr(pid)) == pid
        assert parse_ref(repr(ref)) == ref

    @pytest.mark.parametrize("text", ["", "0.5", "0.5.0.1", "a.b.c", "#PID<0.5.0", "-1.5.0", 5, None])
    def test_other_text_is_refused(self, text: Any) -> None:
        if text == "#PID<0.5.0":  # a missing bracket is allowed
            assert parse_pid(text) == Pid(5)
            return
        with pytest.raises(ValueError, match=r"is not a printed pid; one looks like '0\.5\.0'"):
            parse_pid(text)

    @pytest.mark.parametrize(
        "text", [f"0.{2**64}.0", f"0.1.{2**32}", f"{2**64}.1.0", "0." + "9" * 5000 + ".0"]
    )
    def test_too_large_number_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"is not a printed pid: its numbers are too large"):
            parse_pid(text)

    def test_number_of_an_unknown_node_is_refused(self) -> None:
        with pytest.raises(ValueError, match=r"'3\.5\.0': no node met here has the number 3"):
            parse_pid("3.5.0")


class TestNodeNames:
    def test_bare_name_is_completed_with_the_host(self) -> None:
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
    def test_full_name_is_recognised(self, name: str) -> None:
        assert is_full_name(name)

    @pytest.mark.parametrize("name", ["gus", "", "gus@", "no good@vm", "a@b@c"])
    def test_incomplete_or_invalid_name_is_not_a_full_name(self, name: str) -> None:
        assert not is_full_name(name)

    def test_host_and_kind_of_a_name(self) -> None:
        assert host_of("gus@vm") == "vm"
        assert host_of("gus") == ""
        assert is_long("10.0.0.5")
        assert is_long("::1")
        assert not is_long("vm")


class TestStandIns:
    def test_stand_ins_have_a_readable_repr(self) -> None:
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

    def test_struct_has_its_fields_by_name(self) -> None:
        product = Struct("stock.Product", (("name", "nike"), ("qty", 30)))
        assert product["qty"] == 30
        with pytest.raises(KeyError):
            product["colour"]

    @pytest.mark.parametrize(
        "one", [Raised("E", "x"), Struct("m.C", (("a", 1),)), FunctionName("m", "f"), Literal(int)]
    )
    def test_stand_ins_are_frozen_hashable_and_equal_by_value(self, one: Any) -> None:
        assert one == copy.deepcopy(one)
        assert hash(one) == hash(copy.deepcopy(one))
        with pytest.raises(FrozenInstanceError):
            setattr(one, next(iter(one.__slots__)), "changed")

    def test_raised_is_matched_by_position(self) -> None:
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
def test_short_host_is_valid_in_a_node_name(hostname: str, host: str) -> None:
    assert short_host(hostname) == host
    assert is_full_name(f"gus@{short_host(hostname)}")
    assert not is_long(short_host(hostname))


def test_host_that_completes_a_name_is_checked() -> None:
    with pytest.raises(NodeNameInvalid, match="'gus@gus pc' is not a node name: the host after @ may hold"):
        full_name("gus", "gus pc")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Struct("a\nb\x1b[2J", (("c\x07", 1),)), "Struct(a\\nb\\x1b[2J: c\\x07=1)"),
        (FunctionName("a\n", "\x1b[2J"), "FunctionName(a\\n.\\x1b[2J)"),
    ],
)
def test_names_from_another_node_print_on_one_line(value: object, shown: str) -> None:
    assert repr(value) == shown
