"""bindings.py: the pids and the like of a file, bound to those of a replay."""

from __future__ import annotations

from pyx.scenario.bindings import Bindings, NodeView, Token, input_tokens, split_tokens
from pyx.terms import Incarnation

SERVER = Incarnation("server@vm", 7)
GUS = Incarnation("gus@vm", 8)
AT_SERVER = NodeView(SERVER, {1: GUS})
AT_GUS = NodeView(GUS, {4: SERVER})


def pid(text: str) -> Token:
    return Token("pid", f"<{text}>")


def ref(text: str) -> Token:
    return Token("ref", f"#Ref<{text}>")


class TestTokens:
    def test_tokens_are_pids_references_addresses_and_ports(self) -> None:
        text = "#PID<0.5.0> <1.2.3> #Ref<0.0.9> <f at 0x7f001122aabb> 127.0.0.1:4369."
        kinds = [part.kind for part in split_tokens(text) if isinstance(part, Token)]
        assert kinds == ["pid", "pid", "ref", "address", "port"]

    def test_numbers_and_other_addresses_are_not_tokens(self) -> None:
        assert split_tokens("<0.5> 0x1f 10.0.0.1:80 1.2.3 #PID") == ("<0.5> 0x1f 10.0.0.1:80 1.2.3 #PID",)

    def test_input_tokens_include_the_arguments_of_pid_and_ref(self) -> None:
        code = 'send(pid("0.5.0"), [ref(\'0.0.1\'), "<1.2.3>", grid("1.2.3")])'
        assert [token.text for *_, token in input_tokens(code)] == ["<0.5.0>", "#Ref<0.0.1>", "<1.2.3>"]


class TestBinding:
    def test_name_is_bound_by_its_first_match_and_stays_bound(self) -> None:
        names = Bindings()
        assert names.match(pid("0.121.0"), pid("0.5.0"), AT_SERVER)
        assert names.match(pid("0.121.0"), pid("0.5.0"), AT_SERVER)
        assert not names.match(pid("0.121.0"), pid("0.6.0"), AT_SERVER)

    def test_binding_is_one_to_one(self) -> None:
        names = Bindings()
        assert names.match(pid("0.121.0"), pid("0.5.0"), AT_SERVER)
        assert not names.match(pid("0.122.0"), pid("0.5.0"), AT_SERVER)

    def test_number_zero_is_the_printing_node_alone(self) -> None:
        names = Bindings()
        assert not names.match(pid("0.5.0"), pid("1.5.0"), AT_SERVER)
        assert not names.match(pid("1.5.0"), pid("0.5.0"), AT_SERVER)

    def test_process_has_one_name_in_two_views(self) -> None:
        names = Bindings()
        assert names.match(pid("0.121.0"), pid("0.5.0"), AT_SERVER)
        assert names.match(pid("17620.121.0"), pid("4.5.0"), AT_GUS)

    def test_process_with_two_names_in_two_views_fails(self) -> None:
        names = Bindings()
        assert names.match(pid("0.121.0"), pid("0.5.0"), AT_SERVER)
        assert not names.match(pid("17620.122.0"), pid("4.5.0"), AT_GUS)

    def test_swapped_pids_fail(self) -> None:
        names = Bindings()
        assert names.match(pid("0.1.0"), pid("0.5.0"), AT_SERVER)
        assert names.match(pid("0.2.0"), pid("0.6.0"), AT_SERVER)
        assert not names.match(pid("9.2.0"), pid("4.5.0"), AT_GUS)

    def test_processes_of_two_nodes_may_have_equal_numbers(self) -> None:
        names = Bindings()
        assert names.match(pid("0.3.0"), pid("0.5.0"), AT_SERVER)
        assert names.match(pid("0.3.0"), pid("0.9.0"), AT_GUS)

    def test_first_number_is_one_incarnation_in_one_view(self) -> None:
        store = Incarnation("store@vm", 9)
        view = NodeView(SERVER, {1: GUS, 2: store})
        names = Bindings()
        assert names.match(pid("77.1.0"), pid("1.1.0"), view)
        assert not names.match(pid("77.2.0"), pid("2.1.0"), view)
        assert names.match(pid("77.1.0"), pid("4.1.0"), NodeView(store, {4: GUS}))

    def test_pid_does_not_match_a_reference(self) -> None:
        names = Bindings()
        assert names.match(ref("0.0.5"), ref("0.0.1"), AT_SERVER)
        assert not names.match(ref("0.0.6"), pid("0.0.2"), AT_SERVER)

    def test_addresses_are_bound_for_one_node_and_ports_for_all(self) -> None:
        names = Bindings()
        one, other = Token("address", "0x7f0000000001"), Token("address", "0x7f0000000002")
        assert names.match(one, other, AT_SERVER)
        assert names.match(other, other, AT_GUS)
        assert names.match(Token("port", "127.0.0.1:1"), Token("port", "127.0.0.1:5"), AT_SERVER)
        assert not names.match(Token("port", "127.0.0.1:2"), Token("port", "127.0.0.1:5"), AT_GUS)

    def test_rollback_removes_bindings(self) -> None:
        names = Bindings()
        before = names.savepoint()
        assert names.match(pid("9.1.0"), pid("4.5.0"), AT_GUS)
        names.rollback(before)
        assert names.match(pid("8.2.0"), pid("4.5.0"), AT_GUS)


class TestSubstitution:
    def test_bound_names_in_an_input_are_substituted(self) -> None:
        names = Bindings()
        assert names.match(pid("0.121.0"), pid("0.5.0"), AT_SERVER)
        assert names.match(pid("17620.121.0"), pid("4.5.0"), AT_GUS)
        assert names.substitute('send(pid("17620.121.0"), 1)', AT_GUS) == 'send(pid("4.5.0"), 1)'
        assert names.substitute('s == "#PID<0.121.0>"', AT_SERVER) == 's == "#PID<0.5.0>"'

    def test_unbound_names_in_an_input_stay(self) -> None:
        code = 'pid("0.1.0"), ref("0.0.1")'
        assert Bindings().substitute(code, AT_GUS) == code

    def test_name_is_substituted_in_a_view_that_never_printed_it(self) -> None:
        names = Bindings()
        assert names.match(pid("0.121.0"), pid("0.5.0"), AT_SERVER)
        assert names.match(pid("17620.3.0"), pid("4.8.0"), AT_GUS)  # only another of that node
        assert names.substitute('pid("17620.121.0")', AT_GUS) == 'pid("4.5.0")'


class TestNaming:
    def test_rename_uses_known_names_and_free_ones(self) -> None:
        names = Bindings()
        assert names.match(pid("17620.5.0"), pid("4.9.0"), AT_GUS)
        assert names.rename("#PID<4.9.0> #PID<4.5.0> #PID<0.5.0>", AT_GUS) == (
            "#PID<17620.5.0> #PID<17620.6.0> #PID<0.5.0>"
        )

    def test_explanation_has_each_binding(self) -> None:
        names = Bindings()
        assert names.match(pid("17620.5.0"), pid("4.9.0"), AT_GUS)
        assert names.explain("#PID<17620.5.0> <0.1.0>", AT_GUS) == [
            "<17620.5.0> = <4.9.0> of server@vm",
            "<0.1.0> is not bound yet",
        ]

    def test_rename_of_addresses_and_ports_uses_free_ones(self) -> None:
        names = Bindings()
        address, port = Token("address", "0x7f0000000001"), Token("port", "127.0.0.1:5000")
        assert names.match(address, Token("address", "0x7f00000000aa"), AT_GUS)
        assert names.match(port, Token("port", "127.0.0.1:6000"), AT_GUS)
        text = "<f at 0x7f00000000aa> <g at 0x7f0000000001> 127.0.0.1:6000 127.0.0.1:5000"
        assert names.rename(text, AT_GUS) == (
            "<f at 0x7f0000000001> <g at 0x7f0000000002> 127.0.0.1:5000 127.0.0.1:5001"
        )

    def test_explanation_has_ports_unbound_names_and_each_name_once(self) -> None:
        names = Bindings()
        assert names.match(Token("port", "127.0.0.1:1"), Token("port", "127.0.0.1:5"), AT_GUS)
        assert names.explain("127.0.0.1:1 <0.9.0> 127.0.0.1:1", AT_GUS) == [
            "127.0.0.1:1 = 127.0.0.1:5",
            "<0.9.0> is not bound yet",
        ]

    def test_ports_in_an_input_are_substituted(self) -> None:
        names = Bindings()
        assert names.match(Token("port", "127.0.0.1:1"), Token("port", "127.0.0.1:5"), AT_GUS)
        assert names.substitute("connect('127.0.0.1:1', '127.0.0.1:2')", AT_GUS) == (
            "connect('127.0.0.1:5', '127.0.0.1:2')"
        )
