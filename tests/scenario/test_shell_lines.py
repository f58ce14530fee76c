"""shell_lines.py: the `$ ` lines of a transcript."""

from __future__ import annotations

from pyx.scenario.steps import Heal, Partition, Signal, Stop, Timeout, Write
from tests.scenario.transcripts import session_of


class TestCommands:
    def test_each_command_becomes_its_step(self) -> None:
        steps = session_of(
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
