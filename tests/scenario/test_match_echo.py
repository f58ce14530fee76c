"""match_echo.py, elixir_echo.py: echoes are compared as Python values."""

from __future__ import annotations

import pytest

from pyx.scenario.bindings import Bindings, NodeView
from pyx.scenario.match_echo import end_of_echo, match_echo
from pyx.scenario.match_line import expected_line, match_line
from pyx.terms import Incarnation

VIEW = NodeView(Incarnation("a@vm", 1), {1: Incarnation("b@vm", 2), 2: Incarnation("c@vm", 3)})


def fits(written: str, shown: str, names: Bindings) -> bool:
    return match_line(expected_line(written), shown, names, VIEW)


def same(written: str, shown: str, names: Bindings | None = None) -> bool:
    lines = [expected_line(line) for line in written.split("\n")]
    return match_echo(lines, shown, names or Bindings(), VIEW)


class TestEchoes:
    @pytest.mark.parametrize(
        ("written", "shown"),
        [
            ("[1, 2]", "[1,\n 2]"),
            ("{'a': 1,\n 'b': 2}", "{'b': 2, 'a': 1}"),
            ('"pong"', "'pong'"),
            ("{1, 2, 3}", "{3, 1, 2}"),
            ("frozenset({'a', 'b'})", "frozenset({'b', 'a'})"),
            ("Item(name='x', n=-1)", "Item(name='x',\n     n=-1)"),
            ("b'x'", 'b"x"'),
            ("...", "..."),
            ("(:ok, [:a, :b?])", "(:ok,\n [:a, :b?])"),
            ("{:name: 'nike', 'q': :x}", '{"q": :x, :name: "nike"}'),
            (":ok", ":ok"),
            ("%Shop.Item{name: 'nike', qty: 1}", '%Shop.Item{qty: 1, name: "nike"}'),
            ("%{'a' => 1, :a => [:b]}", "%{:a => [:b], 'a' => 1}"),
            ("[1 | :two]", "[1 |\n :two]"),
            (':"a b"', ':"a b"'),
        ],
    )
    def test_echo_matches_the_same_value_written_otherwise(self, written: str, shown: str) -> None:
        assert same(written if written != "..." else "Ellipsis", shown if shown != "..." else "Ellipsis")

    @pytest.mark.parametrize(
        ("written", "shown"),
        [
            ("1", "True"),
            ("1", "1.0"),
            ("[1, 2]", "(1, 2)"),
            ("[1, 2]", "[2, 1]"),
            ("{1, 2}", "{1, 3}"),
            ("{1}", "{1, 2}"),
            ("{'a': 1}", "{'a': 2}"),
            ("f(x=1)", "f(y=1)"),
            ("'a'", "b'a'"),
            ("-0.0", "0.0"),
            ("[..]", "[1]"),
            ("<a b>", "<a b>"),
            (":ok", "'ok'"),
            (":ok", ":no"),
            ("{':a'}", "{:a}"),
            ("%Shop.Item{name: 1}", "%Shop.Itom{name: 1}"),
            ("%{'a' => 1}", "{'a': 1}"),
            ("[1 | 2]", "[1, 2]"),
        ],
    )
    def test_echo_does_not_match_another_value(self, written: str, shown: str) -> None:
        assert not same(written, shown)

    def test_pids_in_an_echo_are_bound(self) -> None:
        names = Bindings()
        assert same("('add', #PID<0.3.0>, 1)", "('add',\n #PID<0.8.0>,\n 1)", names)
        assert not same("#PID<0.3.0>", "#PID<0.9.0>", names)
        assert same("[#PID<0.3.0>]", "[#PID<0.8.0>]", names)

    def test_pids_in_strings_of_an_echo_are_bound(self) -> None:
        names = Bindings()
        assert same("'from <0.3.0>'", '"from <0.8.0>"', names)
        assert not same("#PID<0.3.0>", "#PID<0.9.0>", names)

    def test_set_of_many_unbound_pids_is_compared_in_bounded_time(self) -> None:
        many = ", ".join(f"#PID<0.{number}.0>" for number in range(30))
        assert same(f"{{{many}, 'x'}}", f"{{{many}, 'x'}}")
        assert not same(f"{{{many}, 'x'}}", f"{{{many}, 'y'}}")

    def test_set_elements_pair_off_by_their_bindings(self) -> None:
        names = Bindings()
        assert fits("<0.3.0>", "<0.8.0>", names)
        assert same("{#PID<0.4.0>, #PID<0.3.0>}", "{#PID<0.8.0>, #PID<0.9.0>}", names)
        assert fits("<0.4.0>", "<0.9.0>", names)

    def test_ten_thousand_elements_are_compared(self) -> None:
        numbers = list(range(10_000))
        assert same(repr(numbers), repr(numbers).replace(", ", ",\n"))
        assert not same(repr(numbers), repr([*numbers[:-1], -1]))
        assert same(repr(dict.fromkeys(numbers)), repr(dict.fromkeys(reversed(numbers))))

    def test_sets_in_sets_pair_off(self) -> None:
        assert same("{frozenset({1, 2}), frozenset({3})}", "{frozenset({3}), frozenset({2, 1})}")
        assert not same("{frozenset({1, 2}), frozenset({3})}", "{frozenset({3}), frozenset({2, 4})}")

    def test_hexadecimal_number_without_brackets_is_not_an_address(self) -> None:
        assert not same("'0x12345678'", "'0xdeadbeef'")
        assert same("<f at 0x12345678>", "<f at 0xdeadbeef>") is False  # which is not Python
        assert same("['<f at 0x12345678>']", "['<f at 0xdeadbeef>']")


class TestEndOfEcho:
    def end(self, text: str, shown: str = "") -> int | None:
        return end_of_echo([expected_line(line) for line in text.split("\n")], 0, shown)

    @pytest.mark.parametrize(
        ("text", "end"),
        [
            ("1\n2", 1),
            ("[1,\n 2]\n3", 2),
            ("{'(': [\n1]}\nx", 2),
            ("'\\'('\n)", 1),
            ('"""a\n(\n"""\nx', 3),
            ("f(\n...\n)", 3),
        ],
    )
    def test_end_of_an_echo_is_where_its_brackets_close(self, text: str, end: int) -> None:
        assert self.end(text) == end

    @pytest.mark.parametrize("text", ["[1,", ")", "'a", "[1,\nx (re)\n]", "[1, [..]]"])
    def test_text_with_open_brackets_has_no_end(self, text: str) -> None:
        assert self.end(text) is None

    def test_end_is_not_searched_far_beyond_the_actual_echo(self) -> None:
        assert self.end("[\n" + "1,\n" * 10_000 + "]", "[1]") is None
