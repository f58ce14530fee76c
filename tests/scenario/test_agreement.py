"""Recordings and updates of random sessions are parsed as they were typed and shown."""

from __future__ import annotations

import itertools
import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pyx.scenario.bindings import Bindings, NodeView
from pyx.scenario.comment_directives import without_directive
from pyx.scenario.match_block import match_block
from pyx.scenario.output_units import EVAL, OutputUnit, ScreenOutput
from pyx.scenario.recorder import Recorder
from pyx.scenario.replay import Replay, ReplayOptions
from pyx.scenario.steps import Directives, Input, SendSignal, Start, Step, Type
from pyx.scenario.transcript import parse_transcript
from pyx.scenario.update import rewritten
from pyx.shell.loop import prompt_for
from pyx.terms import Incarnation
from tests.scenario.recorded import MemoryFile
from tests.stories.host import Host

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

VIEW = NodeView(Incarnation("gus@vm", 8), {1: Incarnation("server@vm", 7)})

PIECES = [
    "a",
    "b c",
    " ",
    "   ",
    "\t",
    "\n",
    "\r",
    "\r\n",
    "\x1b[31m",
    "\x1b[0m",
    "\x1b[K",
    "\x1b",
    "\b",
    "\x00",
    "\x0c",
    "\x85",
    "\u2028",
    "\ufeff",
    "\ud800",
    "é𝄞",
    "\\",
    "\\x07",
    "```",
    "~~~",
    "````pyx",
    "...",
    "[..]",
    " (re)",
    " (glob)",
    " (esc)",
    "$",
    "$ pyx --sname x",
    "#",
    "# 2026-11-28T15:21:22.321 +0.000",
    "# ignore",
    "# eventually 5s",
    "# blocks",
    "# unorderd",
    ">",
    "pyx(gus@vm)3> 1",
    "...(gus@vm)3> 1",
    "pyx(3)>",
    "#PID<0.5.0>",
    "<1.5.0>",
    "'",
    '"',
    "'''",
    "(",
    ")",
    "1 + 1",
    "{1, 2}",
]
CONFUSING = {"\x1b", "\x85"}
"""These move the terminal of the tests, so that later output is not at the place that is checked."""
TEXTS = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=3)), max_size=8).map("".join)
SOURCES = st.sampled_from(["shell", "log", "<0.5.0>"])


FENCES = [("", ""), ("```pyx\n", "```\n"), ("  ~~~pyx\n", "  ~~~\n"), ("> ````pyx\n", "> ````\n")]


class Output(NamedTuple):
    """Output of a session: a print in pieces, or an echo on its own line."""

    source: str
    kind: str
    text: str


OUTPUTS = st.one_of(
    st.builds(Output, SOURCES, st.just("print"), TEXTS.map("{}\n".format)),
    st.builds(Output, st.just("shell"), st.just("print"), TEXTS),
    st.builds(Output, st.just("shell"), st.sampled_from(["echo", "error"]), TEXTS.map("{}\n".format)),
)


class TypedInput(NamedTuple):
    """An input: its output before and after a Ctrl-C, the lines that it read, the output later."""

    source: str
    output: list[Output]
    interrupted: bool
    rest: list[Output]
    answers: list[str]
    later: list[Output]


LINES = TEXTS.map(lambda text: text.replace("\n", ""))
SESSIONS = st.lists(
    st.builds(
        TypedInput,
        TEXTS,
        st.lists(OUTPUTS, max_size=3),
        st.booleans(),
        st.lists(OUTPUTS, max_size=2),
        st.lists(LINES.filter(lambda line: "\r" not in line), max_size=2),
        st.lists(OUTPUTS.filter(lambda output: output.source != "shell"), max_size=2),
    ),
    max_size=4,
)


def record(session: Sequence[TypedInput]) -> str:
    file = MemoryFile()
    seconds = itertools.count()
    began = datetime(2026, 11, 28, tzinfo=UTC)
    recorder = Recorder(file, "$ pyx --sname gus", now=lambda: began + timedelta(milliseconds=next(seconds)))
    prompt = prompt_for("gus@vm", 1)
    for one in session:
        recorder.on_prompt(prompt.first)
        recorder.on_input(prompt, one.source)
        for answer in one.answers:
            recorder.on_answer(answer)
        for output in one.output:
            recorder.on_output(output.text, output.source, output.kind)
        if one.interrupted:
            recorder.on_interrupt()
            for output in one.rest:
                recorder.on_output(output.text, output.source, output.kind)
        recorder.on_prompt(prompt.first)
        for output in one.later:
            recorder.on_output(output.text, output.source, output.kind)
    recorder.close()
    return file.text


def units(output: Sequence[Output]) -> list[OutputUnit]:
    """Returns the units as the node of a replay has them."""
    screen = ScreenOutput()
    for one in output:
        screen.add(EVAL if one.source == "shell" else one.source, one.kind, one.text)
    screen.end_lines()
    return screen.units


def check_claimed(step: Step, output: Sequence[Output]) -> None:
    assert isinstance(step, Input)
    found = match_block(step.block.lines, units(output), Bindings(), VIEW)
    assert found.outcome == "matched", (step.block.lines, units(output))
    assert found.unclaimed == ()


@given(SESSIONS)
@example([TypedInput("'''# ignore", [], False, [], [], [])])
@example([TypedInput("x = 1  # blocks", [], True, [Output("shell", "print", "#\n")], ["x (esc)", " "], [])])
def test_recorded_session_is_parsed_as_it_was_typed_and_shown(session: list[TypedInput]) -> None:
    text = record(session)
    text.encode()
    sessions = parse_transcript(text, "t.pyxt").sessions
    steps = iter(sessions[0].steps if sessions else ())
    if session:
        assert isinstance(next(steps), Start)
    for one in session:
        source = one.source.replace("\r\n", "\n").replace("\r", "\n")
        if source.strip() and not any("\ud800" <= character <= "\udfff" for character in source):
            check_input(steps, source, one)
        elif not source.strip():  # nothing ran: what was shown appeared by itself
            appeared = [*one.output, *(one.rest if one.interrupted else [])]
            if appeared:
                check_claimed(next(steps), appeared)
        if one.later:
            check_claimed(next(steps), one.later)
    assert next(steps, None) is None


def check_input(steps: Iterator[Step], source: str, one: TypedInput) -> None:
    for answer in one.answers:
        typed = next(steps)
        assert isinstance(typed, Type)
        assert typed.text == answer
    step = next(steps)
    assert isinstance(step, Input)
    if one.interrupted:
        assert step.directives == Directives(blocks=True)
        assert step.code.rstrip() == source.rstrip()
        check_claimed(step, one.output)
        assert isinstance(next(steps), SendSignal)
        check_claimed(next(steps), one.rest)
    else:
        assert step.directives == Directives()
        assert step.code == without_directive(source)
        check_claimed(step, one.output)


@given(
    st.lists(OUTPUTS, max_size=4),
    st.sampled_from(FENCES),
    st.sampled_from(["\n", "\r\n"]),
)
def test_updated_block_matches_the_output_it_was_made_of(
    output: list[Output], fence: tuple[str, str], end: str
) -> None:
    opening, closing = fence
    prefix = opening.partition("`" if "`" in opening else "~")[0]
    screen = units(output)
    lines = rewritten([], screen, Bindings(), VIEW)
    inside = ["$ pyx --sname gus", "pyx(gus@vm)1> f()", *lines]
    text = opening + "".join(f"{prefix}{line}\n" for line in inside) + closing
    (session,) = parse_transcript(text.replace("\n", end), "t.md" if opening else "t.pyxt").sessions
    assert len(session.steps) == 2
    check_claimed(session.steps[1], output)


@pytest.mark.parametrize("seed", [1, 2])
def test_recording_of_random_prints_replays(seed: int) -> None:
    dice = random.Random(seed)
    with Host() as host:
        shell = host.shell("gus", "--record", "t.pyxt")
        for _ in range(25):
            text = "".join(dice.choices([piece for piece in PIECES if piece.isprintable()], k=2))
            hidden = "".join(dice.choices([piece for piece in PIECES if piece not in CONFUSING], k=2))
            printed = ascii(text + hidden)
            end = dice.choice(["", ", flush=True", ", end=''", ", end='', flush=True"])
            shell.paste(
                dice.choice(
                    [f"print({printed}{end})", f"print({printed}{end}); 5", f"spawn(print, {printed})"]
                )
            )
        shell.press("\x04")
        assert shell.leaves() == 0
        path = host.home / "t.pyxt"
        result = Replay(ReplayOptions()).play(str(path))
        assert result.passed, f"{result.text}\n{path.read_text()}"
