"""Draws `docs/session.svg`, the picture in the README: `python docs/session_svg.py`.

The session of the README is played with real nodes by `pyx replay`.  If they show what the README says, it is
drawn: each node as a terminal, its lines in the order of the session, where the viewer animates SVG.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html import escape
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = "README.md"
PICTURE: Final = ROOT / "docs" / "session.svg"

_CHARACTER: Final = 7.8
"""Width of a character at 13 px; `textLength` holds each line to it, whatever font the viewer has."""
_LINE: Final = 19
_MARGIN: Final = 16
_TITLE: Final = 30
_STEP_SECONDS: Final = 0.7

_FENCE: Final = re.compile(r"^```pyx\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_START: Final = re.compile(r"\$ pyx --sname (\w+)")
_PROMPT: Final = re.compile(r"(pyx\((\w+)@\w+\)\d+>)(.*)")
_ERROR: Final = re.compile(r"[A-Z]\w*: ")

_STYLE: Final = """\
    text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; white-space: pre }
    .shown { fill: #c9d1d9 } .title { fill: #8b949e } .prompt { fill: #7ee787 } .typed { fill: #f0f6fc }
    .error { fill: #ff7b72 }
    g { animation: appear 1ms both }
    @keyframes appear { from { visibility: hidden } }
    @media (prefers-reduced-motion: reduce) { g { animation: none } }
"""


class Terminal:
    """What one node shows."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: list[tuple[int, str]] = []
        """The number of a step of the session, and a line that this step showed, from top to bottom."""
        self.prompt: tuple[int, str] | None = None
        """The empty prompt at which the session looked last; it stands below all lines."""


def replay() -> None:
    """Plays the sessions of the page; raises CalledProcessError if one of them shows something else."""
    subprocess.run(
        [sys.executable, "-m", "pyx", "replay", PAGE],
        cwd=ROOT,
        env={"PYX_TIMEOUT_SCALE": "10", **os.environ},  # the machine may be busy with other tests
        check=True,
        stdout=subprocess.PIPE,
    )


def terminals(page: str) -> list[Terminal]:
    """The terminals of the sessions in the Markdown text *page*, in the order in which they start."""
    found: dict[str, Terminal] = {}
    current = Terminal("")
    step = 0
    for line in filter(None, "".join(_FENCE.findall(page)).splitlines()):
        start, prompt = _START.match(line), _PROMPT.match(line)
        step += bool(start or prompt)
        if start:
            current = found[start.group(1)] = Terminal(start.group(1))
        elif prompt:
            current = found[prompt.group(2)]
            current.prompt = None if prompt.group(3) else (step, f"{line} █")
            if current.prompt:
                continue
        current.lines.append((step, line))
    return list(found.values())


def draw(shown: list[Terminal]) -> str:
    """The SVG with these terminals, one below the other."""
    columns = max(len(line) for terminal in shown for _, line in terminal.lines)
    width = round(columns * _CHARACTER) + 2 * _MARGIN
    parts: list[str] = []
    top = 0
    for terminal in shown:
        lines = [*terminal.lines, terminal.prompt] if terminal.prompt else terminal.lines
        height = _TITLE + len(lines) * _LINE + _MARGIN
        parts.append(f'  <rect y="{top}" width="{width}" height="{height}" rx="8" fill="#0d1117"/>')
        parts += [
            f'  <circle cx="{_MARGIN + 4 + 16 * number}" cy="{top + 15}" r="5" fill="{colour}"/>'
            for number, colour in enumerate(("#ff5f56", "#ffbd2e", "#27c93f"))
        ]
        parts.append(
            f'  <text x="{_MARGIN + 58}" y="{top + 19}" class="title">{escape(terminal.name)}</text>'
        )
        for row, (step, line) in enumerate(lines):
            delay = f"animation-delay: {step * _STEP_SECONDS:.1f}s"
            parts.append(f'  <g style="{delay}">{_drawn(line, top + _TITLE + row * _LINE + 14)}</g>')
        top += height + 12
    size = f'width="{width}" height="{top - 12}" viewBox="0 0 {width} {top - 12}"'
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">\n'
        f"  <title>A session of {' and '.join(terminal.name for terminal in shown)}</title>\n"
        f"  <style>\n{_STYLE}  </style>\n{body}\n</svg>\n"
    )


def _drawn(line: str, baseline: int) -> str:
    if prompt := _PROMPT.match(line):
        typed = _text(prompt.group(3).lstrip(), len(prompt.group(1)) + 1, baseline, "typed")
        return _text(prompt.group(1), 0, baseline, "prompt") + typed
    kind = "typed" if line.startswith("$ ") else "error" if _ERROR.match(line) else "shown"
    return _text(line, 0, baseline, kind)


def _text(text: str, column: int, baseline: int, kind: str) -> str:
    place = (
        f'x="{_MARGIN + column * _CHARACTER:.1f}" y="{baseline}" textLength="{len(text) * _CHARACTER:.1f}"'
    )
    return f'<text {place} xml:space="preserve" class="{kind}">{escape(text)}</text>'


def picture() -> str:
    """Plays the README's session and returns the SVG of it."""
    replay()
    return draw(terminals((ROOT / PAGE).read_text()))


if __name__ == "__main__":
    PICTURE.write_text(picture())
