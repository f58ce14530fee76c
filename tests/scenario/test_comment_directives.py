"""comment_directives.py: the comment at the end of an input."""

from __future__ import annotations

import pytest

from pyx.scenario.steps import Input
from tests.scenario.transcripts import STARTED, check_error, error_in, session_of


class TestDirectives:
    def test_directive_is_a_comment_at_the_end_of_the_input(self) -> None:
        text = STARTED + "pyx(a@vm)1> Node.list()   # eventually 20s\n[]\npyx(a@vm)1> f('#')  # unordered\n"
        one, two = (step for step in session_of(text).steps if isinstance(step, Input))
        assert (one.code, one.directives.eventually) == ("Node.list()", 20.0)
        assert (two.code, two.directives.unordered) == ("f('#')", True)

    def test_eventually_without_a_time_has_the_usual_one(self) -> None:
        step = session_of(STARTED + "pyx(a@vm)1> Node.list()  # eventually\n[]\n").steps[2]
        assert isinstance(step, Input)
        assert step.directives.eventually == 0.0

    def test_other_comment_is_not_a_directive(self) -> None:
        step = session_of(STARTED + "pyx(a@vm)1> f()  # eventually it will work, I hope\n").steps[2]
        assert isinstance(step, Input)
        assert step.directives.eventually is None

    def test_empty_prompt_may_have_a_directive(self) -> None:
        step = session_of(STARTED + "pyx(a@vm)1> # ignore\n").steps[2]
        assert isinstance(step, Input)
        assert step.is_empty_prompt
        assert step.directives.ignore

    @pytest.mark.parametrize(
        ("code", "why"),
        [
            ("send(p, 1)", "send has an effect"),
            ("[spawn(f) for f in fs]", "spawn has an effect"),
            ("Process.register(p, 'x')", "register has an effect"),
            ("x = 1", "only an expression can be repeated"),
            ("(x := 1)", "only a plain expression can be repeated"),
        ],
    )
    def test_eventually_is_refused_for_code_with_an_effect(self, code: str, why: str) -> None:
        error = error_in(STARTED + f"pyx(a@vm)1> {code}  # eventually\n")
        assert why in error.problem
        assert (error.line, error.column) == (3, 13 + len(code) + 4)


@pytest.mark.parametrize(
    ("text", "line", "column", "problem", "hint"),
    [
        (STARTED + "pyx(a@vm)1> Node.list()  # eventualy\n", 3, 28, "'eventualy'", "mean 'eventually'?"),
        (STARTED + "pyx(a@vm)1> 1  # unordered quickly\n", 3, 28, "unknown directive 'quickly'", None),
        (STARTED + "pyx(a@vm)1> # eventually\n", 3, 15, "no code to evaluate", None),
        (STARTED + "pyx(a@vm)1> # blocks\n", 3, 15, "# blocks goes with code", None),
        (STARTED + "pyx(a@vm)1> 1  # eventually, blocks\n", 3, 18, "and not with # eventually", None),
        (STARTED + "pyx(a@vm)1> (1,\n...(a@vm)1>   2)  # eventualy\n", 4, 21, "unknown directive", None),
    ],
)  # fmt: skip
def test_wrong_directive_is_a_parse_error(
    text: str, line: int, column: int, problem: str, hint: str | None
) -> None:
    check_error(error_in(text), line, column, problem, hint)
