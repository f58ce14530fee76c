"""transcript.py, directives.py, markdown_sessions.py, parse_error.py, shell_lines.py, scenario_files.py,
steps.py: text becomes steps, or a parse error.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from pyx.errors import TranscriptError
from pyx.scenario.steps import Heal, Input, Partition, Signal, Start, Stop, Timeout, TranscriptSession, Write
from pyx.scenario.transcript import parse_transcript, read_transcript

if TYPE_CHECKING:
    from pathlib import Path


def session(text: str, path: str = "t.pyxt") -> TranscriptSession:
    (only,) = parse_transcript(text, path).sessions
    return only


def complaint(text: str, path: str = "t.pyxt") -> TranscriptError:
    with pytest.raises(TranscriptError) as raised:
        parse_transcript(text, path)
    return raised.value


STARTED = "$ pyx --sname a\n$ pyx --sname b\n"


class TestPrompts:
    def test_a_prompt_says_which_node_typed_what_and_the_lines_below_what_it_showed(self) -> None:
        step = session("$ pyx --sname a\n\npyx(a@vm)1> 1 + 1\n2\n").steps[1]
        assert isinstance(step, Input)
        assert (step.node, step.code, step.line) == ("a@vm", "1 + 1", 3)
        assert (step.block.first, step.block.lines) == (4, ("2",))

    def test_continuations_belong_to_the_input_blank_ones_too(self) -> None:
        text = STARTED + "pyx(a@vm)1> for n in range(2):\n...(a@vm)1>     print(n)\n...(a@vm)1>\n0\n1\n"
        step = session(text).steps[2]
        assert isinstance(step, Input)
        assert step.code == "for n in range(2):\n    print(n)\n"
        assert step.block.lines == ("0", "1")

    def test_a_node_is_started_under_the_name_that_its_prompts_bear(self) -> None:
        start = session("$ pyx --sname a --tick 2\npyx(a@far)1> 1\n").steps[0]
        assert isinstance(start, Start)
        assert (start.node, start.options) == ("a@far", ("--tick", "2"))

    def test_a_node_without_prompts_gets_the_host_of_the_others(self) -> None:
        start = session(STARTED + "pyx(b@vm)1> 1\n").steps[0]
        assert isinstance(start, Start)
        assert start.node == "a@vm"

    def test_a_shell_without_a_name(self) -> None:
        start, step = session("$ pyx\npyx(1)> Node.connect('a')\n'ignored'\n").steps
        assert isinstance(start, Start)
        assert isinstance(step, Input)
        assert start.node == step.node == ""

    def test_an_empty_prompt_looks(self) -> None:
        step = session(STARTED + "pyx(a@vm)2>\nhello\n").steps[2]
        assert isinstance(step, Input)
        assert step.is_empty_prompt
        assert step.block.lines == ("hello",)

    def test_a_greeting_is_not_output(self) -> None:
        start = session("$ pyx --sname a\npyx 0.1.0 (Python 3.11.7), h() for help\npyx(a@vm)1> 1\n").steps[0]
        assert isinstance(start, Start)
        assert start.block.lines == ()


class TestBlocks:
    def test_a_block_ends_at_a_blank_line_a_prompt_a_command(self) -> None:
        text = (
            STARTED
            + "pyx(a@vm)1> f()\none\npyx(b@vm)1> g()\ntwo\n$ heal\n\npyx(a@vm)1> h()\nthree\n\n# prose\n"
        )
        blocks = [step.block.lines for step in session(text).steps if isinstance(step, Input)]
        assert blocks == [("one",), ("two",), ("three",)]

    def test_a_hash_is_prose_only_where_a_block_begins(self) -> None:
        step = session(STARTED + "# prose\n# more\npyx(a@vm)1> self()\n#PID<0.1.0>\n# shown\n").steps[2]
        assert isinstance(step, Input)
        assert step.block.lines == ("#PID<0.1.0>", "# shown")

    def test_right_below_a_command_too(self) -> None:
        text = "$ pyx --sname a\n# prose\n$ heal\n# more\npyx(a@vm)1> 1\n1\n"
        start, _, step = session(text).steps
        assert isinstance(start, Start)
        assert isinstance(step, Input)
        assert (start.block.lines, step.block.lines) == ((), ("1",))

    def test_protected_lines_stay_as_written(self) -> None:
        step = session(STARTED + "pyx(a@vm)1> f()\n\\\n\\$ money\n\\pyx(a@vm)1> no\n").steps[2]
        assert isinstance(step, Input)
        assert step.block.lines == ("\\", "\\$ money", "\\pyx(a@vm)1> no")


class TestCommands:
    def test_all_of_them(self) -> None:
        steps = session(
            "$ pyx --sname a\n$ pyx --sname b\n$ pyx --sname c\n$ kill -STOP a\n$ kill -CONT a@vm\n"
            "$ kill -9 a\n$ partition a, b | c\n$ heal\n$ stop b\n$ timeout 250ms\n"
            "$ cat > d/f.py <<END\nx = 1\n\n$ not a command\nEND\npyx(a@vm)1> 1\n"
        ).steps[3:]
        signals = [(step.node, step.name) for step in steps if isinstance(step, Signal)]
        assert signals == [("a@vm", "STOP"), ("a@vm", "CONT"), ("a@vm", "KILL")]
        assert [step.sides for step in steps if isinstance(step, Partition)] == [
            (("a@vm", "b@vm"), ("c@vm",))
        ]
        assert [type(step) for step in steps[4:6]] == [Heal, Stop]
        assert [step.seconds for step in steps if isinstance(step, Timeout)] == [0.25]
        (write,) = (step for step in steps if isinstance(step, Write))
        assert (write.file, write.text) == ("d/f.py", "x = 1\n\n$ not a command\n")


class TestDirectives:
    def test_they_are_comments_at_the_end_of_the_input(self) -> None:
        text = STARTED + "pyx(a@vm)1> Node.list()   # eventually 20s\n[]\npyx(a@vm)1> f('#')  # unordered\n"
        one, two = (step for step in session(text).steps if isinstance(step, Input))
        assert (one.code, one.directives.eventually) == ("Node.list()", 20.0)
        assert (two.code, two.directives.unordered) == ("f('#')", True)

    def test_without_a_time_it_is_the_usual_one(self) -> None:
        step = session(STARTED + "pyx(a@vm)1> Node.list()  # eventually\n[]\n").steps[2]
        assert isinstance(step, Input)
        assert step.directives.eventually == 0.0

    def test_other_comments_are_comments(self) -> None:
        step = session(STARTED + "pyx(a@vm)1> f()  # eventually it will work, I hope\n").steps[2]
        assert isinstance(step, Input)
        assert step.directives.eventually is None

    def test_an_empty_prompt_may_have_one(self) -> None:
        step = session(STARTED + "pyx(a@vm)1> # ignore\n").steps[2]
        assert isinstance(step, Input)
        assert step.is_empty_prompt
        assert step.directives.ignore

    @pytest.mark.parametrize(
        ("code", "why"),
        [
            ("send(p, 1)", "send has an effect"),
            ("[spawn(f) for f in fs]", "spawn has an effect"),
            ("Process.register(p, 'x')", "register has an effect"),
            ("x = 1", "only an expression"),
            ("(x := 1)", "only a plain expression"),
        ],
    )
    def test_what_acts_is_not_evaluated_again_and_again(self, code: str, why: str) -> None:
        error = complaint(STARTED + f"pyx(a@vm)1> {code}  # eventually\n")
        assert why in error.problem
        assert (error.line, error.column) == (3, 13 + len(code) + 4)


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

    def test_the_fences_of_a_section_are_one_session(self) -> None:
        one, two = parse_transcript(self.TEXT, "README.md").sessions
        assert [step.line for step in one.steps] == [4, 5, 12]
        assert [step.line for step in two.steps] == [24, 25]

    def test_an_indented_fence_is_read_without_its_indentation(self) -> None:
        step = parse_transcript(self.TEXT, "README.md").sessions[0].steps[2]
        assert isinstance(step, Input)
        assert (step.code, step.block.lines) == ("2", ("2",))

    def test_columns_are_those_of_the_file(self) -> None:
        error = complaint("```pyx\n$ pyx --sname a\n```\n  ```pyx\n  $ kil -9 a\n  ```\n", "README.md")
        assert (error.line, error.column) == (5, 5)


@pytest.mark.parametrize(
    ("text", "line", "column", "problem", "hint"),
    [
        ("$ kil -9 a\n", 1, 3, "unknown command 'kil'", "did you mean 'kill'?"),
        ("$ rm -rf /\n", 1, 3, "unknown command 'rm'", "pyx --sname X"),
        ("$ pyx --sname a --hiden\n", 1, 17, "unknown option '--hiden'", "did you mean '--hidden'?"),
        ("$ pyx --sname\n", 1, 14, "--sname needs a value", None),
        ("$ pyx --sname a b\n", 1, 17, "unknown option 'b'", "a scenario knows"),
        ("$ pyx --sname a/b\n", 1, 15, "is not a node name", None),
        (STARTED + "$ kill -15 a\n", 3, 8, "unknown signal '-15'", "kill -9 X"),
        (STARTED + "$ kill -9\n", 3, 10, "needs another argument", None),
        (STARTED + "$ partition a\n", 3, 14, "both sides", "partition A B | C"),
        (STARTED + "$ partition a | b | a\n", 3, 19, "two sides", None),
        (STARTED + "$ heal a\n", 3, 8, "unexpected argument 'a'", None),
        ("$ timeout soon\n", 1, 11, "'soon' is not a time", "10s"),
        ("$ cat > ../f <<END\nEND\n", 1, 9, "outside the scenario's own directory", "without .."),
        ("$ cat > /etc/f <<END\nEND\n", 1, 9, "outside the scenario's own directory", None),
        ("$ cat > d/ <<END\nEND\n", 1, 9, "outside the scenario's own directory", None),
        ("$ cat > . <<END\nEND\n", 1, 9, "outside the scenario's own directory", None),
        ("$ cat f\n", 1, 3, "cat can only write a file", "cat > FILE <<END"),
        ("$ cat > f <<END\nx\n", 1, 1, "has no end", "a line END"),
        (STARTED + "$ stop a\nleaving\n", 4, 1, "this command has no output", None),
        ("hello\n", 1, 1, "belongs to no step", "prose starts with #"),
        (STARTED + "pyx(a@vm)1> 1\n1\n\n2\n", 6, 1, "belongs to no step", None),
        (STARTED + "pyx(a@vm)1>1\n", 3, 1, "this prompt cannot be read", "a prompt looks like"),
        (STARTED + "pyx(a@vm)1> 1\npyx(a)\n", 4, 1, "this prompt cannot be read", None),
        (STARTED + "...(a@vm)1> 1\n", 3, 1, "follows no prompt", None),
        (STARTED + "pyx(a@vm)1> (1,\n...(b@vm)1> 2)\n", 4, 1, "another node's", None),
        ("$ pyx --sname server\npyx(servr@vm)1> 1\n", 2, 5, "has not been started", "mean 'server@vm'?"),
        (STARTED + "pyx(a@vm)1> Node.list()  # eventualy\n", 3, 28, "'eventualy'", "mean 'eventually'?"),
        (STARTED + "pyx(a@vm)1> 1  # unordered quickly\n", 3, 28, "unknown directive 'quickly'", None),
        (STARTED + "pyx(a@vm)1> # eventually\n", 3, 15, "nothing to evaluate", None),
        (
            STARTED + "pyx(a@vm)1> receive()  # blocks\npyx(a@vm)1> 1\n",
            4, 13, "still busy with the step of line 3", "at an empty prompt",
        ),
        ("```pyx\n", 1, 1, "belongs to no step", None),
        (
            STARTED + "pyx(a@vm)1> f()\none\ntotal (\\d+ (re)\n",
            5, 7, "not a regular expression: missing ), unterminated subpattern", "a leading \\ makes it",
        ),
    ],
)  # fmt: skip
def test_complaints(text: str, line: int, column: int, problem: str, hint: str | None) -> None:
    error = complaint(text)
    assert problem in error.problem
    assert (error.line, error.column) == (line, column), error
    if hint is not None:
        assert error.hint is not None
        assert hint in error.hint


def test_a_complaint_reads_as_a_compiler_s() -> None:
    error = complaint("$ kil -9 a\n", "scenarios/x.pyxt")
    assert str(error) == "scenarios/x.pyxt:1:3: unknown command 'kil': a scenario is not a shell script"


BODY = "$ pyx --sname a\npyx(a@vm)1> 1+1\n3\n"


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
    def test_each_form_of_commonmark_is_a_session(self, text: str) -> None:
        _, step = session(text, "t.md").steps
        assert isinstance(step, Input)
        assert (step.code, step.block.lines) == ("1+1", ("3",))
        assert text.split("\n")[step.line - 1].endswith("pyx(a@vm)1> 1+1")

    def test_a_shorter_fence_in_a_longer_one_is_output(self) -> None:
        step = session("````pyx\n$ pyx --sname a\npyx(a@vm)1> f()\n```\nx\n```\n````\n", "t.md").steps[1]
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
    def test_one_that_is_wrong_is_named_with_its_line(self, text: str, line: int, problem: str) -> None:
        error = complaint(text, "t.md")
        assert (error.line, error.problem) == (line, problem)

    def test_columns_of_complaints_are_those_of_the_file(self) -> None:
        error = complaint("> - ```pyx\n>   $ kil -9 a\n>   ```\n", "t.md")
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
    def test_what_looks_like_a_session_and_is_not_played_is_counted(self, other: str) -> None:
        transcript = parse_transcript(f"{other}\n```pyx\n{BODY}```\n", "t.md")
        assert (len(transcript.sessions), transcript.skipped) == (1, 1)

    def test_other_languages_without_a_prompt_are_nothing_to_count(self) -> None:
        assert parse_transcript("```python\nprint(1)\n```\n", "t.md").skipped == 0


class TestFiles:
    def write(self, tmp_path: Path, name: str, data: bytes) -> str:
        (tmp_path / name).write_bytes(data)
        return str(tmp_path / name)

    @pytest.mark.parametrize("name", ["t.pyxt", "t.md", "T.MARKDOWN"])
    def test_a_mark_and_windows_ends_of_line_are_not_part_of_the_text(
        self, tmp_path: Path, name: str
    ) -> None:
        text = BODY if name == "t.pyxt" else f"```pyx\n{BODY}```\n"
        path = self.write(tmp_path, name, b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
        (only,) = read_transcript(path).sessions
        step = only.steps[1]
        assert isinstance(step, Input)
        assert (step.code, step.block.lines) == ("1+1", ("3",))

    @pytest.mark.parametrize(
        ("name", "data", "complaint"),
        [
            ("t.txt", BODY.encode(), "t.txt: this is neither *.pyxt nor Markdown (*.md)"),
            ("t.pyxt", b"", "t.pyxt: nothing to play: no line of it starts a node"),
            ("t.pyxt", b"# prose\n$ timeout 5s\n", "t.pyxt: nothing to play: no line of it starts a node"),
            ("t.md", b"prose\n", "t.md: nothing to play: no ```pyx block of it starts a node"),
            ("t.pyxt", b"$ pyx\n\xff\n", "t.pyxt:2:1: the file is not UTF-8: invalid start byte"),
        ],
    )
    def test_a_file_that_cannot_be_played_says_why(
        self, tmp_path: Path, name: str, data: bytes, complaint: str
    ) -> None:
        with pytest.raises(TranscriptError) as raised:
            read_transcript(self.write(tmp_path, name, data), name)
        assert str(raised.value) == complaint

    def test_a_pipe_that_has_no_writer_is_empty(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "t.pyxt")
        with pytest.raises(TranscriptError, match=r"^t.pyxt: nothing to play"):
            read_transcript(str(tmp_path / "t.pyxt"), "t.pyxt")

    def test_a_pipe_is_read_to_its_end(self, tmp_path: Path) -> None:
        reads, writes = os.pipe()
        (tmp_path / "t.pyxt").symlink_to(f"/dev/fd/{reads}")
        os.write(writes, BODY.encode())
        threading.Timer(0.01, os.close, [writes]).start()
        (only,) = read_transcript(str(tmp_path / "t.pyxt")).sessions
        os.close(reads)
        assert len(only.steps) == 2

    def test_a_device_is_not_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "t.pyxt").symlink_to("/dev/zero")
        with pytest.raises(TranscriptError, match=r"^t.pyxt: this is a device, not a file$"):
            read_transcript(str(tmp_path / "t.pyxt"), "t.pyxt")

    def test_a_file_without_an_end_is_too_long(self, tmp_path: Path) -> None:
        with (tmp_path / "t.pyxt").open("wb") as file:
            file.truncate(1 << 40)
        with pytest.raises(TranscriptError, match=r"^t.pyxt: the file is longer than 64 MiB$"):
            read_transcript(str(tmp_path / "t.pyxt"), "t.pyxt")

    def test_what_is_not_there_and_a_directory_without_scenarios(self, tmp_path: Path) -> None:
        with pytest.raises(TranscriptError, match=r"^x: there is no such file or directory$"):
            read_transcript(str(tmp_path / "x"), "x")
        with pytest.raises(TranscriptError, match=r"^d: no scenario \(\*.pyxt\) is in this directory$"):
            read_transcript(str(tmp_path), "d")
