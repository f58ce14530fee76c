"""transcript.py, parse_error.py, steps.py: text becomes steps, or a parse error."""

from __future__ import annotations

import pytest

from pyx.scenario.steps import Input, Start
from tests.scenario.transcripts import STARTED, check_error, error_in, session_of


class TestPrompts:
    def test_prompt_has_node_and_code_and_its_block(self) -> None:
        step = session_of("$ pyx --sname a\n\npyx(a@vm)1> 1 + 1\n2\n").steps[1]
        assert isinstance(step, Input)
        assert (step.node, step.code, step.line) == ("a@vm", "1 + 1", 3)
        assert (step.block.first, step.block.lines) == (4, ("2",))

    def test_continuations_belong_to_the_input_blank_ones_too(self) -> None:
        text = STARTED + "pyx(a@vm)1> for n in range(2):\n...(a@vm)1>     print(n)\n...(a@vm)1>\n0\n1\n"
        step = session_of(text).steps[2]
        assert isinstance(step, Input)
        assert step.code == "for n in range(2):\n    print(n)\n"
        assert step.block.lines == ("0", "1")

    def test_node_is_started_with_the_host_of_its_prompts(self) -> None:
        start = session_of("$ pyx --sname a --tick 2\npyx(a@far)1> 1\n").steps[0]
        assert isinstance(start, Start)
        assert (start.node, start.options) == ("a@far", ("--tick", "2"))

    def test_node_without_prompts_gets_the_host_of_the_others(self) -> None:
        start = session_of(STARTED + "pyx(b@vm)1> 1\n").steps[0]
        assert isinstance(start, Start)
        assert start.node == "a@vm"

    def test_shell_without_a_name_has_an_empty_node(self) -> None:
        start, step = session_of("$ pyx\npyx(1)> Node.connect('a')\n'ignored'\n").steps
        assert isinstance(start, Start)
        assert isinstance(step, Input)
        assert start.node == step.node == ""

    def test_empty_prompt_has_no_code(self) -> None:
        step = session_of(STARTED + "pyx(a@vm)2>\nhello\n").steps[2]
        assert isinstance(step, Input)
        assert step.is_empty_prompt
        assert step.block.lines == ("hello",)

    def test_banner_is_not_output(self) -> None:
        start = session_of("$ pyx --sname a\npyx 0.1.0 (Python 3.11.7), h() for help\npyx(a@vm)1> 1\n").steps[
            0
        ]
        assert isinstance(start, Start)
        assert start.block.lines == ()


class TestBlocks:
    def test_block_ends_at_a_blank_line_a_prompt_a_command(self) -> None:
        text = (
            STARTED
            + "pyx(a@vm)1> f()\none\npyx(b@vm)1> g()\ntwo\n$ heal\n\npyx(a@vm)1> h()\nthree\n\n# prose\n"
        )
        blocks = [step.block.lines for step in session_of(text).steps if isinstance(step, Input)]
        assert blocks == [("one",), ("two",), ("three",)]

    def test_hash_is_prose_only_where_a_block_begins(self) -> None:
        step = session_of(STARTED + "# prose\n# more\npyx(a@vm)1> self()\n#PID<0.1.0>\n# shown\n").steps[2]
        assert isinstance(step, Input)
        assert step.block.lines == ("#PID<0.1.0>", "# shown")

    def test_hash_right_below_a_command_is_prose(self) -> None:
        text = "$ pyx --sname a\n# prose\n$ heal\n# more\npyx(a@vm)1> 1\n1\n"
        start, _, step = session_of(text).steps
        assert isinstance(start, Start)
        assert isinstance(step, Input)
        assert (start.block.lines, step.block.lines) == ((), ("1",))

    def test_protected_lines_stay_as_written(self) -> None:
        step = session_of(STARTED + "pyx(a@vm)1> f()\n\\\n\\$ money\n\\pyx(a@vm)1> no\n").steps[2]
        assert isinstance(step, Input)
        assert step.block.lines == ("\\", "\\$ money", "\\pyx(a@vm)1> no")


@pytest.mark.parametrize(
    ("text", "line", "column", "problem", "hint"),
    [
        ("$ cat > f <<END\nx\n", 1, 1, "has no end", "a line END"),
        (STARTED + "$ stop a\nleaving\n", 4, 1, "this command has no output", None),
        ("$\n", 1, 1, "a command is missing after $", "$ pyx --sname X"),
        (STARTED + "pyx(a@vm)1> receive()  # blocks\n\n$ heal x\n", 5, 8, "unexpected argument", None),
        ("hello\n", 1, 1, "is not below a step", "prose starts with #"),
        (STARTED + "pyx(a@vm)1> 1\n1\n\n2\n", 6, 1, "is not below a step", None),
        (STARTED + "pyx(a@vm)1>1\n", 3, 1, "this is not a valid prompt", "a prompt looks like"),
        (STARTED + "pyx(a@vm)1> 1\npyx(a)\n", 4, 1, "this is not a valid prompt", None),
        (STARTED + "...(a@vm)1> 1\n", 3, 1, "does not follow a prompt", None),
        (STARTED + "pyx(a@vm)1> (1,\n...(b@vm)1> 2)\n", 4, 1, "of another node", None),
        ("$ pyx --sname server\npyx(servr@vm)1> 1\n", 2, 5, "has not been started", "mean 'server@vm'?"),
        (
            STARTED + "pyx(a@vm)1> receive()  # blocks\npyx(a@vm)1> 1\n",
            4, 13, "still busy with the step of line 3", "an empty prompt waits",
        ),
        ("```pyx\n", 1, 1, "is not below a step", None),
        (
            STARTED + "pyx(a@vm)1> f()\none\ntotal (\\d+ (re)\n",
            5, 7, "not a regular expression: missing ), unterminated subpattern", "a leading \\ makes",
        ),
    ],
)  # fmt: skip
def test_parse_error_has_its_place_problem_and_hint(
    text: str, line: int, column: int, problem: str, hint: str | None
) -> None:
    check_error(error_in(text), line, column, problem, hint)


def test_parse_error_reads_like_a_compiler_s() -> None:
    error = error_in("$ kil -9 a\n", "scenarios/x.pyxt")
    assert str(error) == "scenarios/x.pyxt:1:3: unknown command 'kil': a scenario is not a shell script"
