"""fences.py: the fenced blocks of Markdown by the rules of CommonMark."""

from __future__ import annotations

import pytest

from pyx.scenario.fences import Fence, language_of, read_fences


def blocks(text: str) -> tuple[Fence, ...]:
    return read_fences(text.split("\n")).blocks


def only(text: str) -> Fence:
    (block,) = blocks(text)
    return block


class TestOpening:
    @pytest.mark.parametrize("opening", ["```", "````", "~~~", "   ```", "> ```", ">```", "- ```", "12. ```"])
    def test_fence_opens_with_three_characters_up_to_three_columns_in(self, opening: str) -> None:
        assert only(f"{opening}pyx\n").info == "pyx"

    @pytest.mark.parametrize(
        "line", ["``pyx", "```a`b", "    ```pyx", "x ```pyx", "\t```pyx", "1234567890. ```"]
    )
    def test_other_line_opens_no_fence(self, line: str) -> None:
        assert blocks(f"{line}\n") == ()

    def test_info_of_tildes_may_have_backticks(self) -> None:
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
    def test_language_is_the_first_word_of_the_info(self, info: str, language: str) -> None:
        assert language_of(info) == language


class TestClosing:
    @pytest.mark.parametrize("closing", ["```", "````", "   ```", "```  "])
    def test_fence_is_closed_by_as_many_of_its_character(self, closing: str) -> None:
        block = only(f"```pyx\na\n{closing}\nb")
        assert (block.lines, block.closed) == (("a",), True)

    @pytest.mark.parametrize("line", ["``", "~~~", "``` x", "    ```", "> ```"])
    def test_other_line_does_not_close_a_fence(self, line: str) -> None:
        assert only(f"```pyx\n{line}\n```").lines == (line,)

    def test_end_of_the_container_leaves_its_fence_unclosed(self) -> None:
        quoted, listed, last = blocks("> ```\n> a\nb\n\n- ```\n  c\nd\n\n```\ne")
        assert [(block.lines, block.closed) for block in (quoted, listed, last)] == [
            (("a",), False),
            (("c",), False),
            (("e",), False),
        ]

    def test_opening_inside_a_fence_is_reported(self) -> None:
        assert only("```\n```pyx\n```").inside == (1,)
        assert only("````\n```pyx\n````").inside == ()


class TestLines:
    def test_marks_and_indents_are_removed_and_counted(self) -> None:
        block = only("> -  ~~~\n>    a\n>      b\n>\n>    ~~~")
        assert block.first == 1
        assert block.lines == ("a", "  b", "")
        assert block.columns == (5, 5, 1)

    def test_indent_of_the_fence_is_removed_as_far_as_a_line_has_it(self) -> None:
        assert only("  ```\n a\n   b\n  ```").lines == ("a", " b")

    def test_tab_ends_at_a_multiple_of_four(self) -> None:
        assert only("1. x\n\n\t```\n\ta\n\t\tb\n\t```").lines == ("a", "\tb")
        assert only("- ```\n\ta\n  ```").lines == ("  a",)

    def test_blank_lines_do_not_end_a_list_item(self) -> None:
        assert only("- x\n\n\n  ```\n\n  a\n  ```").lines == ("", "a")


class TestLookalikes:
    def test_fence_in_indented_code_is_reported(self) -> None:
        assert read_fences(["", "    ```pyx", "    ```"]).lookalikes == ((1, "pyx"),)

    @pytest.mark.parametrize(
        ("begins", "ends"), [("<!--", "-->"), ("<pre>", "</pre>"), ("<SCRIPT x>", "</script>")]
    )
    def test_fence_in_html_is_reported(self, begins: str, ends: str) -> None:
        found = read_fences([begins, "```pyx", "```", ends, "```a", "```"])
        assert found.lookalikes == ((1, "pyx"),)
        assert [block.info for block in found.blocks] == ["a"]

    def test_html_comment_on_one_line_hides_nothing(self) -> None:
        assert [block.info for block in blocks("<!-- x -->\n```a\n```")] == ["a"]

    def test_paragraph_of_a_list_item_goes_on_without_indent(self) -> None:
        assert only("- a\nb\n  ```x\n  y\n  ```").lines == ("y",)

    def test_thousand_nested_items_are_read_in_linear_time(self) -> None:
        """With a look at each blank for each level this takes half a minute."""
        levels = ["  " * depth + "- a" for depth in range(1000)]
        inside = ["  " * 1000 + text for text in ("```x", "y", "```")]
        assert only("\n".join(levels + inside)).lines == ("y",)


class TestParagraphs:
    @pytest.mark.parametrize("line", ["1. ```x", "- ```x", "> ```x", "# a\n```x", "<!-- a -->\n```x"])
    def test_fence_interrupts_a_paragraph_in_any_container(self, line: str) -> None:
        assert only(f"text\n{line}\n").info == "x"

    def test_item_with_a_number_other_than_one_does_not_interrupt_it(self) -> None:
        assert blocks("text\n10) ```x\n") == ()
        assert only("text\n \n10) ```x\n").info == "x"
        assert only("- text\n10) ```x\n").info == "x"

    def test_item_begins_with_at_most_one_blank_line(self) -> None:
        assert [block.info for block in blocks("-\n  ```x\n  ```\n-\n\n    ```y\n")] == ["x"]


def test_headings_of_two_levels_are_sections() -> None:
    text = "# A\n```\n```\n### B\n```\n```\n## C\n```\n# no\n```\n```\n```"
    assert [block.section for block in blocks(text)] == ["1 # A", "1 # A", "7 ## C", "7 ## C"]
