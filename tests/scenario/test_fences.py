"""fences.py: The fenced blocks of Markdown, as CommonMark has them."""

from __future__ import annotations

import pytest

from pyx.scenario.fences import Fence, language_of, read_fences


def blocks(text: str) -> tuple[Fence, ...]:
    return read_fences(text.split("\n")).blocks


def only(text: str) -> Fence:
    (block,) = blocks(text)
    return block


class TestWhatOpensAFence:
    @pytest.mark.parametrize("opening", ["```", "````", "~~~", "   ```", "> ```", ">```", "- ```", "12. ```"])
    def test_three_characters_or_more_up_to_three_columns_in(self, opening: str) -> None:
        assert only(f"{opening}pyx\n").info == "pyx"

    @pytest.mark.parametrize(
        "line", ["``pyx", "```a`b", "    ```pyx", "x ```pyx", "\t```pyx", "1234567890. ```"]
    )
    def test_other_lines_are_not_a_fence(self, line: str) -> None:
        assert blocks(f"{line}\n") == ()

    def test_tildes_may_have_backticks_in_their_info(self) -> None:
        assert only("~~~ pyx `x`\n~~~").info == "pyx `x`"

    @pytest.mark.parametrize(
        ("info", "language"),
        [
            ("pyx", "pyx"),
            (" pyx a=b", "pyx"),
            ("{.pyx #x}", "pyx"),
            ("{ pyx }", "pyx"),
            ("pyx,x", "pyx"),
            ("", ""),
        ],
    )
    def test_the_language_is_the_first_word_of_its_info(self, info: str, language: str) -> None:
        assert language_of(info) == language


class TestWhatClosesIt:
    @pytest.mark.parametrize("closing", ["```", "````", "   ```", "```  "])
    def test_the_same_character_at_least_as_often(self, closing: str) -> None:
        block = only(f"```pyx\na\n{closing}\nb")
        assert (block.lines, block.closed) == (("a",), True)

    @pytest.mark.parametrize("line", ["``", "~~~", "``` x", "    ```", "> ```"])
    def test_other_lines_do_not_interrupt_it(self, line: str) -> None:
        assert only(f"```pyx\n{line}\n```").lines == (line,)

    def test_the_end_of_its_block_quote_or_item_leaves_it_open(self) -> None:
        quoted, listed, last = blocks("> ```\n> a\nb\n\n- ```\n  c\nd\n\n```\ne")
        assert [(block.lines, block.closed) for block in (quoted, listed, last)] == [
            (("a",), False),
            (("c",), False),
            (("e",), False),
        ]

    def test_a_line_that_would_open_another_one_is_noted(self) -> None:
        assert only("```\n```pyx\n```").inside == (1,)
        assert only("````\n```pyx\n````").inside == ()


class TestWhereItsLinesStand:
    def test_marks_and_indents_are_taken_off_and_counted(self) -> None:
        block = only("> -  ~~~\n>    a\n>      b\n>\n>    ~~~")
        assert block.first == 1
        assert block.lines == ("a", "  b", "")
        assert block.columns == (5, 5, 1)

    def test_its_own_indent_is_taken_off_as_far_as_it_is_there(self) -> None:
        assert only("  ```\n a\n   b\n  ```").lines == ("a", " b")

    def test_a_tab_ends_at_a_multiple_of_four(self) -> None:
        assert only("1. x\n\n\t```\n\ta\n\t\tb\n\t```").lines == ("a", "\tb")
        assert only("- ```\n\ta\n  ```").lines == ("  a",)

    def test_blank_lines_do_not_end_a_list_item(self) -> None:
        assert only("- x\n\n\n  ```\n\n  a\n  ```").lines == ("", "a")


class TestWhatIsNotAFence:
    def test_code_by_indent_is_reported(self) -> None:
        assert read_fences(["", "    ```pyx", "    ```"]).lookalikes == ((1, "pyx"),)

    @pytest.mark.parametrize(
        ("begins", "ends"), [("<!--", "-->"), ("<pre>", "</pre>"), ("<SCRIPT x>", "</script>")]
    )
    def test_html_is_reported(self, begins: str, ends: str) -> None:
        found = read_fences([begins, "```pyx", "```", ends, "```a", "```"])
        assert found.lookalikes == ((1, "pyx"),)
        assert [block.info for block in found.blocks] == ["a"]

    def test_a_comment_that_ends_on_its_line_hides_nothing(self) -> None:
        assert [block.info for block in blocks("<!-- x -->\n```a\n```")] == ["a"]

    def test_a_list_item_or_quote_may_go_on_without_its_mark(self) -> None:
        assert only("- a\nb\n  ```x\n  y\n  ```").lines == ("y",)

    def test_a_thousand_levels_are_read_in_one_look_at_each_blank(self) -> None:
        """Else this file alone would take half a minute."""
        levels = ["  " * depth + "- a" for depth in range(1000)]
        inside = ["  " * 1000 + text for text in ("```x", "y", "```")]
        assert only("\n".join(levels + inside)).lines == ("y",)


class TestWhatInterruptsAParagraph:
    @pytest.mark.parametrize("line", ["1. ```x", "- ```x", "> ```x", "# a\n```x", "<!-- a -->\n```x"])
    def test_a_fence_does_in_whatever_it_stands(self, line: str) -> None:
        assert only(f"text\n{line}\n").info == "x"

    def test_an_item_with_another_number_than_one_does_not(self) -> None:
        assert blocks("text\n10) ```x\n") == ()
        assert only("text\n \n10) ```x\n").info == "x"
        assert only("- text\n10) ```x\n").info == "x"

    def test_an_item_begins_with_at_most_one_blank_line(self) -> None:
        assert [block.info for block in blocks("-\n  ```x\n  ```\n-\n\n    ```y\n")] == ["x"]


def test_headings_of_two_levels_are_sections() -> None:
    text = "# A\n```\n```\n### B\n```\n```\n## C\n```\n# no\n```\n```\n```"
    assert [block.section for block in blocks(text)] == ["1 # A", "1 # A", "7 ## C", "7 ## C"]
