"""pasted_transcript.py: Sessions without their prompts."""

from __future__ import annotations

import pytest

from pyx.shell.pasted_transcript import without_prompts

PYTHON = ">>> 1 + 1\n2\n>>> for i in x:\n...     print(i)\n...\n1\n...\n>>> i"
IPYTHON = "In [1]: x = 1\n\nIn [12]: def f():\n    ...:     return x\n    ...: \n\nIn [13]: f()\nOut[13]: 1\n"
PYX = (
    "pyx 0.1.0 (Python 3.11.7), h() for help\npyx(1)> x = 1\npyx(gus@vm)2> if x:\n...(gus@vm)2>     x\n"
    "...(gus@vm)2>\n#PID<0.5.0> says\npyx(b@vm via gus@vm)1> x\n1\n"
)


@pytest.mark.parametrize(
    ("session", "inputs"),
    [
        (PYTHON, "1 + 1\nfor i in x:\n    print(i)\n\ni"),
        (IPYTHON, "x = 1\ndef f():\n    return x\n\nf()"),
        (PYX, "x = 1\nif x:\n    x\n\nx"),
        ("    >>> a\n    ... b\n    1", "a\nb"),
        (">>> x", "x"),
        (">>>", ""),
        (">>> s = '''\n... >>> x\n... '''", "s = '''\n>>> x\n'''"),
        ("pyx(gus@vm)3> spawn(print)", "spawn(print)"),
        ("pyx(1)> print('>>> no')\n>>> no\n... no\npyx(2)> 7\n7", "print('>>> no')\n7"),
        (">>> print('pyx(1)> no')\npyx(1)> no\n>>> 7", "print('pyx(1)> no')\n7"),
        ("iex(gus@vm)1> Node.list()\n[]\niex(gus@vm)2> (\n...(gus@vm)2> self())", "Node.list()\n(\nself())"),
    ],
)
def test_prompts_and_output_of_a_session_are_left_out(session: str, inputs: str) -> None:
    assert without_prompts(session) == inputs


@pytest.mark.parametrize(
    "code",
    [
        "x = 1\n",
        "x >>1",
        "s = '>>> x'",
        's = """\n>>> x\n1\n"""\n',
        "def f():\n    '''\n    >>> f()\n    '''\n    ...\n",
        "class A:\n    ...\n",
        "x[...]\n... == x",
        "",
    ],
)
def test_other_text_is_left_alone(code: str) -> None:
    assert without_prompts(code) == code
