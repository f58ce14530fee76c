"""suggestions.py: What was meant by a name that does not exist: OTP's words, and close names."""

from __future__ import annotations

import builtins
import operator
from types import SimpleNamespace
from typing import Any

import pytest

import pyx
from pyx.execution import tracebacks
from pyx.execution.suggestions import OTP_ATTRIBUTES, OTP_NAMES, with_suggestion
from pyx.terms import parse_pid


def last_line(source: str, **names: Any) -> str:
    """Returns the last line of the traceback of *source*, as a prompt shows it."""
    public = {name: getattr(pyx, name) for name in pyx.__all__}
    try:
        exec(compile(source, "<pyx 1>", "exec"), {"__builtins__": {**vars(builtins), **public}, **names})
    except Exception as error:
        return tracebacks.text_of(tracebacks.trim(error)).splitlines()[-1]
    raise AssertionError


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("Process.alive(1)", "type object 'Process' has no attribute 'alive'. Did you mean: 'is_alive'?"),
        ("Node.alive()", "type object 'Node' has no attribute 'alive'. Did you mean: 'is_alive'?"),
        ("rpc.block_call", "module 'pyx.rpc' has no attribute 'block_call'. Did you mean: 'call'?"),
        ("rpc.pinfo", "module 'pyx.rpc' has no attribute 'pinfo'. Did you mean: 'Process.info'?"),
        (
            "Process.spawn",
            "type object 'Process' has no attribute 'spawn'. Did you mean: 'spawn', a word of its own?",
        ),
        ("pg.members('a')", "type object 'pg' has no attribute 'members'. Did you mean: 'get_members'?"),
        (
            "GenServer.start_lnk",
            "type object 'GenServer' has no attribute 'start_lnk'. Did you mean: 'start_link'?",
        ),
        ("self.nod", "'Pid' object has no attribute 'nod'. Did you mean: 'node'?"),
        (
            "class Shop(GenServer): pass\nShop.exit",
            "type object 'Shop' has no attribute 'exit'. Did you mean: 'stop'?",
        ),
    ],
)
def test_attribute_that_pyx_calls_otherwise_is_named(source: str, line: str) -> None:
    assert last_line(source, self=parse_pid("0.5.0")) == f"AttributeError: {line}"


@pytest.mark.parametrize(
    ("source", "meant"),
    [
        ("spwan(1)", "Did you mean: 'spawn'?"),
        ("prnit(1)", "Did you mean: 'print'?"),
        ("whereis('stock')", "Did you mean: 'Process.whereis'?"),
        ("nil", "Did you mean: 'None'?"),
        ("IEx.pry()", "Did you mean: 'breakpoint'?"),
        ("def f(price):\n    return prce\nf(1)", "Did you mean: 'price'?"),
        ("math.pi", "Did you forget to import 'math'"),
    ],
)
def test_name_that_is_close_or_a_word_of_otp_is_named_once(source: str, meant: str) -> None:
    line = last_line(source)
    assert line.removesuffix("?").endswith(meant.removesuffix("?"))
    assert line.count("Did you") == 1


@pytest.mark.parametrize(
    ("source", "meant"), [("from math import sqr", "sqrt"), ("from pyx import NodeBsuy", "NodeBusy")]
)
def test_name_that_a_module_lacks_is_named_once(source: str, meant: str) -> None:
    line = last_line(source)
    assert line.startswith("ImportError: cannot import name")
    assert line.endswith(f". Did you mean: '{meant}'?")
    assert line.count("Did you") == 1


def test_other_import_errors_are_pythons_alone() -> None:
    assert last_line("from math import xyzzy_plugh").endswith(")")
    assert last_line("raise ImportError('a')") == "ImportError: a"


def test_line_of_ipython_is_answered_with_that_of_python() -> None:
    assert last_line("%debug") == "SyntaxError: invalid syntax. Did you mean: import pdb; pdb.pm()"
    assert last_line("1 +") == "SyntaxError: invalid syntax"


def test_keyword_that_python_3_14_suggests_gives_way_to_the_helper() -> None:
    error = SyntaxError("invalid syntax", ("<pyx 1>", 1, 3, "i self()", 1, 5))
    line = with_suggestion(error, "SyntaxError: invalid syntax. Did you mean 'if'?")
    assert line == "SyntaxError: invalid syntax. Did you mean: i(self())"


def test_nothing_is_suggested_for_a_name_like_no_other() -> None:
    assert last_line("xyzzy_plugh") == "NameError: name 'xyzzy_plugh' is not defined"
    assert last_line("''.xyzzy_plugh") == "AttributeError: 'str' object has no attribute 'xyzzy_plugh'"


def test_attributes_are_found_without_code_of_the_user() -> None:
    class Shop:
        price = 1

        @property
        def stock(self) -> None:
            raise AssertionError

    shop = Shop()
    vars(shop)["owner"] = 2
    assert last_line("shop.pric", shop=shop).endswith("Did you mean: 'price'?")
    assert last_line("shop.ownr", shop=shop).endswith("Did you mean: 'owner'?")
    assert last_line("shop.stok", shop=shop).endswith("Did you mean: 'stock'?")


def test_error_that_code_raises_by_itself_is_shown_as_it_is() -> None:
    assert last_line("raise NameError('spwan')") == "NameError: spwan"
    assert last_line("class E(AttributeError): pass\nraise E('x')", __name__="shop") == "shop.E: x"


def test_all_that_is_suggested_exists_and_what_it_is_suggested_for_does_not() -> None:
    public = SimpleNamespace(**{name: getattr(pyx, name) for name in pyx.__all__}, **vars(builtins))
    public.None_, public.True_, public.False_ = None, True, False
    for word, meant in OTP_NAMES.items():
        assert word not in pyx.__all__
        operator.attrgetter(f"{meant}_" if meant in {"None", "True", "False"} else meant)(public)
    for owner, words in OTP_ATTRIBUTES.items():
        place = operator.attrgetter(owner.removeprefix("otp."))(public)
        for word, meant in words.items():
            assert not hasattr(place, word), f"{owner}.{word}"
            assert hasattr(place, meant) or operator.attrgetter(meant)(public), f"{owner}.{meant}"
