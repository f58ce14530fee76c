"""commands.py: the `$ ` lines of a transcript."""

from __future__ import annotations

import pytest

from pyx.scenario.steps import Heal, Partition, SendSignal, Stop, Timeout, Write
from tests.scenario.transcripts import STARTED, check_error, error_in, session_of


class TestCommands:
    def test_each_command_becomes_its_step(self) -> None:
        steps = session_of(
            "$ pyx --sname a\n$ pyx --sname b\n$ pyx --sname c\n$ kill -STOP a\n$ kill -CONT a@vm\n"
            "$ kill -9 a\n$ partition a, b | c\n$ heal\n$ stop b\n$ timeout 250ms\n"
            "$ cat > d/f.py <<END\nx = 1\n\n$ not a command\nEND\npyx(a@vm)1> 1\n"
        ).steps[3:]
        signals = [(step.node, step.name) for step in steps if isinstance(step, SendSignal)]
        assert signals == [("a@vm", "STOP"), ("a@vm", "CONT"), ("a@vm", "KILL")]
        assert [step.sides for step in steps if isinstance(step, Partition)] == [
            (("a@vm", "b@vm"), ("c@vm",))
        ]
        assert [type(step) for step in steps[4:6]] == [Heal, Stop]
        assert [step.seconds for step in steps if isinstance(step, Timeout)] == [0.25]
        (write,) = (step for step in steps if isinstance(step, Write))
        assert (write.file, write.text) == ("d/f.py", "x = 1\n\n$ not a command\n")


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
        ("$ \n", 1, 1, "a command is missing after $", "one of: pyx, iex, kill"),
        (STARTED + "$ kill\n", 3, 7, "kill needs a signal and a node", "kill -9 X"),
        (STARTED + "$ kill -9 a b\n", 3, 13, "unexpected argument 'b'", "kill -9 X"),
        (STARTED + "$ partition a,b | b\n", 3, 19, "b@localhost is named twice", None),
        ("$ timeout 0\n", 1, 11, "'0' is not a time", None),
    ],
)  # fmt: skip
def test_wrong_command_is_a_parse_error(
    text: str, line: int, column: int, problem: str, hint: str | None
) -> None:
    check_error(error_in(text), line, column, problem, hint)
