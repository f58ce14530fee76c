"""markdown_sessions.py: the blocks of a Markdown file that are sessions."""

from __future__ import annotations

import pytest

from pyx.scenario.markdown_sessions import has_sessions
from pyx.scenario.steps import Input
from pyx.scenario.transcript import parse_transcript
from tests.scenario.transcripts import BODY, error_in, session_of


class TestMarkdown:
    TEXT = """\
# Title

```pyx
$ pyx --sname a
pyx(a@vm)1> 1
1
```

### More of it

  ```pyx
  pyx(a@vm)2> 2
  2
  ```

```python
# Not a heading
pyx(nobody@vm)1> 1
```

## Something else

```pyx
$ pyx --sname a
pyx(a@vm)1> 3
```
"""

    def test_fences_of_one_section_are_one_session(self) -> None:
        one, two = parse_transcript(self.TEXT, "README.md").sessions
        assert [step.line for step in one.steps] == [4, 5, 12]
        assert [step.line for step in two.steps] == [24, 25]

    def test_indented_fence_is_parsed_without_its_indent(self) -> None:
        step = parse_transcript(self.TEXT, "README.md").sessions[0].steps[2]
        assert isinstance(step, Input)
        assert (step.code, step.block.lines) == ("2", ("2",))

    def test_column_of_an_error_counts_the_indent_of_its_fence(self) -> None:
        error = error_in("```pyx\n$ pyx --sname a\n```\n  ```pyx\n  $ kil -9 a\n  ```\n", "README.md")
        assert (error.line, error.column) == (5, 5)


class TestFences:
    @pytest.mark.parametrize(
        "text",
        [
            f"``` pyx\n{BODY}```\n",
            f"````pyx\n{BODY}````\n",
            f"~~~pyx\n{BODY}~~~\n",
            f'```pyx title="mesh"\n{BODY}```\n',
            f"```{{.pyx #mesh}}\n{BODY}```\n",
            f"   ```pyx\n{BODY}  ```\n",
            "> ```pyx\n> $ pyx --sname a\n>\n> pyx(a@vm)1> 1+1\n> 3\n> ```\n",
            "1. step\n\n\t```pyx\n\t$ pyx --sname a\n\tpyx(a@vm)1> 1+1\n\t3\n\t```\n",
            f"```ls``` shows them.\n\n```pyx\n{BODY}```\n",
            f"~~~\n```\n~~~\n\n```pyx\n{BODY}```\n",
            f"````markdown\n```\n```pyx\n$ no\n```\n````\n```pyx\n{BODY}```\n",
        ],
    )
    def test_fence_in_each_form_of_commonmark_is_a_session(self, text: str) -> None:
        _, step = session_of(text, "t.md").steps
        assert isinstance(step, Input)
        assert (step.code, step.block.lines) == ("1+1", ("3",))
        assert text.split("\n")[step.line - 1].endswith("pyx(a@vm)1> 1+1")

    def test_shorter_fence_in_a_longer_one_is_output(self) -> None:
        step = session_of("````pyx\n$ pyx --sname a\npyx(a@vm)1> f()\n```\nx\n```\n````\n", "t.md").steps[1]
        assert isinstance(step, Input)
        assert step.block.lines == ("```", "x", "```")

    @pytest.mark.parametrize(
        ("text", "line", "problem"),
        [
            ("x\n```pyx\n$ heal\n", 2, "this fence is not closed"),
            (f"> ```pyx\n{BODY}```\n", 1, "this fence is not closed"),
            (f"```pyxt\n{BODY}```\n", 1, "unknown language 'pyxt' of a block"),
            (f"```Pyx\n{BODY}```\n", 1, "unknown language 'Pyx' of a block"),
            (f"```pyx-session\n{BODY}```\n", 1, "unknown language 'pyx-session' of a block"),
            (
                f"```\n\n```pyx\n{BODY}```\n",
                3,
                "this fence is inside the one of line 1, which is still open",
            ),
        ],
    )
    def test_wrong_fence_is_an_error_with_its_line(self, text: str, line: int, problem: str) -> None:
        error = error_in(text, "t.md")
        assert (error.line, error.problem) == (line, problem)

    def test_column_of_an_error_counts_the_marks_of_containers(self) -> None:
        error = error_in("> - ```pyx\n>   $ kil -9 a\n>   ```\n", "t.md")
        assert (error.line, error.column) == (2, 7)

    @pytest.mark.parametrize(
        "other",
        [
            f"```text\n{BODY}```\n",
            f"```\n{BODY}```\n",
            f"<!--\n```pyx\n{BODY}```\n-->\n",
            "text\n\n    ```pyx\n    $ heal\n    ```\n",
        ],
    )
    def test_block_with_a_prompt_that_is_not_played_is_counted(self, other: str) -> None:
        transcript = parse_transcript(f"{other}\n```pyx\n{BODY}```\n", "t.md")
        assert (len(transcript.sessions), transcript.skipped) == (1, 1)

    def test_block_of_another_language_without_a_prompt_is_not_counted(self) -> None:
        assert parse_transcript("```python\nprint(1)\n```\n", "t.md").skipped == 0


@pytest.mark.parametrize(
    ("text", "has_one"),
    [
        ("```pyx\n$ pyx\n```\n", True),
        ("```pyxt\n$ pyx\n```\n", True),  # which is an error that the reader should see
        ("```python\npyx(1)> 1\n```\n", False),
        ("    ```pyx\n", False),
        ("pyx\n", False),
    ],
)
def test_markdown_has_sessions_if_a_block_is_or_resembles_one(text: str, has_one: bool) -> None:
    assert has_sessions(text) is has_one
