"""Small programs that must behave alike under `pyx FILE` and `python FILE`.

Each runs in a folder with the modules `neighbour` and `colorsys`, from the folder above it, with the
arguments `--x y`, and with the lines `one`, `two` and `three` (or those of `TYPED`) on its standard input.
"""

from __future__ import annotations

from typing import Final

PROGRAMS: Final = {
    # Its module and path.
    "main_names": """\
import sys
print(__name__, __doc__, __package__, __spec__, __cached__, __annotations__)
print(__file__, type(__loader__).__name__, __builtins__)
print(sorted(k for k in globals()))
m = sys.modules["__main__"]
print(m.__dict__ is globals(), m.__name__, m)
""",
    "path": """\
import sys, os
print(sys.path[0], sys.argv)
print([p for p in sys.path if p.endswith("bin")])
import neighbour
print(neighbour.here, neighbour.__file__)
""",
    "hides": """\
import colorsys
print(colorsys.__file__)
""",
    "dataclass": """\
from __future__ import annotations
from dataclasses import dataclass
import typing
@dataclass
class P:
    x: int
    y: "P | None" = None
print(P(1), typing.get_type_hints(P))
y: int = 4
print(__annotations__)
""",
    "runpy": """\
import runpy, os, sys
d = runpy.run_path(os.path.join(os.path.dirname(__file__), "neighbour.py"))
print(d["here"], sys.modules["__main__"].__file__ == __file__)
import __main__
print(__main__.d is d)
""",
    "mp_spawn": """\
import multiprocessing as mp
def f(x): return x * 2, __name__
if __name__ == "__main__":
    with mp.get_context("spawn").Pool(2) as p: print(p.map(f, [1, 2]))
""",
    "mp_fork": """\
import multiprocessing as mp
def f(x): return x * 2, __name__
if __name__ == "__main__":
    with mp.get_context("fork").Pool(1) as p: print(p.map(f, [1, 2]))
    q = mp.get_context("fork").Process(target=print, args=("child",)); q.start(); q.join(); print(q.exitcode)
""",
    # Its names.
    "gettext": """\
import gettext
gettext.install("nothing")
print(_("hello"))
""",
    "builtins_patch": """\
import builtins
builtins.answer = 42
print(answer, __builtins__.len([1]))
original = print
builtins.print = lambda *a: original("patched", *a)
print("x")
""",
    "names": """\
for name in ("h", "i", "v", "r", "pid", "ref", "clear", "recompile", "exports", "runtime_info"):
    try: eval(name); print(name, "is there")
    except NameError as e: print(e)
try:
    nope
except NameError as e: print(e, e.name)
""",
    "coding": """\
# coding: latin-1
print("é")
""",
    "last_expr": """\
print("a")
5
"not echoed"
""",
    "contextvars": """\
import contextvars, atexit
v = contextvars.ContextVar("v"); v.set("main")
atexit.register(lambda: print("atexit sees", v.get("lost")))
print(v.get())
""",
    # Its errors.
    "tb": """\
def inner(x):
    return 1 / x
def outer():
    inner(0)
outer()
""",
    "tb_chain": """\
def f():
    try:
        {}["a"]
    except KeyError as e:
        raise ValueError("bad") from e
f()
""",
    "tb_group": """\
def g():
    raise ExceptionGroup("many", [ValueError(1), TypeError("two")])
try:
    g()
except* ValueError as e:
    raise
""",
    "syntax": "x = = 3",
    "str_raises": """\
class E(Exception):
    def __str__(self): raise RuntimeError
raise E
""",
    "warnings": """\
import warnings
warnings.warn("careful")
warnings.warn("old", DeprecationWarning)
""",
    "asyncio_never": """\
async def f(): pass
f()
""",
    "excepthook": """\
import sys
def hook(t, v, tb): print("hooked", t.__name__, v, tb.tb_lineno, tb.tb_frame.f_code.co_name)
sys.excepthook = hook
1/0
""",
    "excepthook_raises": """\
import sys
def hook(t, v, tb): raise TypeError("in the hook")
sys.excepthook = hook
1/0
""",
    "thread_raises": """\
import threading
t = threading.Thread(target=lambda: 1/0, name="T"); t.start()
t.join(); print("end")
""",
    # Its exit.
    "exit_none": "import sys; sys.exit()",
    "exit_big": "import sys; sys.exit(2**70)",
    "exit_true": "import sys; sys.exit(True)",
    "exit_text": 'import sys; sys.exit("a last word")\n',
    "exit_obj": "import sys; sys.exit((1, 2))",
    "exit_strraises": """\
import sys
class X:
    def __str__(self): raise ValueError
sys.exit(X())
""",
    "exit_builtin": "exit(4)",
    "exit_quit": 'quit("bye")\n',
    "os_exit": 'import os; print("x", flush=True); os._exit(9)\n',
    # The work after its last line.
    "atexit": """\
import atexit, sys
atexit.register(print, "first registered")
atexit.register(print, "second registered")
@atexit.register
def bad(): print("from", __name__)
print("end")
sys.exit(3)
""",
    "threads": """\
import threading, time, atexit
atexit.register(print, "atexit")
last_line = threading.Event()
def late():
    last_line.wait(); time.sleep(0.1); print("late", threading.current_thread().name)
threading.Thread(target=late, name="t").start()
threading.Thread(target=lambda: time.sleep(60), daemon=True).start()
print("end"); last_line.set()
""",
    "thread_spawns": """\
import threading, time
def second(): time.sleep(0.1); print("second")
def first(): time.sleep(0.1); print("first"); threading.Thread(target=second).start()
threading.Thread(target=first).start()
raise SystemExit(6)
""",
    "late_nonzero": """\
import threading, time, os
def late(): time.sleep(0.1); os._exit(8)
threading.Thread(target=late).start()
""",
    "weakref_fin": """\
import weakref
class A: pass
a = A(); weakref.finalize(a, print, "finalized")
class D:
    def __del__(self): print("deleted")
d = D()
""",
    # Its standard streams.
    "input": """\
print(input("? "))
import sys
print(sys.stdin.readline(), sys.stdin.read())
""",
    "out_order": """\
import sys, os
print("one"); sys.stdout.flush()
sys.stdout.buffer.write(b"two\\n"); sys.stdout.buffer.flush()
print("three", flush=True)
os.write(1, b"four\\n")
sys.stdout.write("no newline at end")
""",
    "out_with": """\
import sys
with sys.stdout: print("x")
""",
    "out_after_close": """\
import sys
sys.stdout.close()
print("y")
""",
    "out_detach": """\
import sys, io
sys.stdout = io.TextIOWrapper(sys.stdout.detach(), "latin-1")
print("é")
""",
    "out_wrap": """\
import sys, io, codecs
sys.stdout = codecs.getwriter("utf-16-le")(sys.stdout.detach())
print("é")
""",
    "out_reconf": """\
import sys
sys.stdout.reconfigure(encoding="ascii", errors="backslashreplace", line_buffering=True)
print("é", sys.stdout.encoding, sys.stdout.errors, sys.stdout.line_buffering)
""",
    "out_types": """\
import sys, io
for s in (sys.stdin, sys.stdout, sys.stderr):
    print(isinstance(s, io.TextIOBase), s.name, s.encoding, s.errors, s.newlines, s.fileno())
    print(s.isatty(), s.closed, s.readable(), s.writable())
try: sys.stdout.write(5)
except TypeError as e: print(e)
try: sys.stdout.read()
except Exception as e: print(type(e), e)
print("x", file=sys.__stdout__)
print("y", file=sys.__stderr__)
""",
    "out_argparse": """\
import argparse
p = argparse.ArgumentParser()
p.add_argument("-o", type=argparse.FileType("w"), default="-")
p.add_argument("-b", type=argparse.FileType("wb"), default="-")
p.add_argument("rest", nargs="*")
a = p.parse_args()
a.o.write("text\\n"); a.o.flush()
a.b.write(b"bytes\\n"); a.b.flush()
print(a.rest)
p.error("no good")
""",
    "out_redirect": """\
import contextlib, io, sys
f = io.StringIO()
with contextlib.redirect_stdout(f): print("caught")
print("got", repr(f.getvalue()))
with contextlib.redirect_stdout(sys.stderr): print("to stderr")
""",
    "out_subprocess": """\
import subprocess, sys
print("before", flush=True)
subprocess.run([sys.executable, "-c", "print('child')"], stdout=sys.stdout, stderr=sys.stderr)
print("after")
""",
    # The standard library in it.
    "out_logging": """\
import logging, sys
logging.basicConfig(stream=sys.stdout, level=logging.INFO)
logging.info("hi"); logging.getLogger("a.b").warning("w")
""",
    "asyncio": """\
import asyncio
async def main():
    await asyncio.sleep(0.01); print("ran"); return 5
print(asyncio.run(main()))
loop = asyncio.new_event_loop(); asyncio.set_event_loop(loop)
print(loop.run_until_complete(main())); loop.close()
""",
    "unittest": """\
import unittest
class T(unittest.TestCase):
    def test_a(self): pass
    def test_b(self): self.fail("b")
unittest.main()
""",
    "signal": """\
import signal, os, time
signal.signal(signal.SIGTERM, lambda *a: print("term"))
os.kill(os.getpid(), signal.SIGTERM); time.sleep(0.05); print("end")
signal.signal(signal.SIGALRM, lambda *a: print("alarm"))
signal.setitimer(signal.ITIMER_REAL, 0.05); time.sleep(0.2)
print(callable(signal.getsignal(signal.SIGINT)))
""",
    "breakpoint": """\
def f():
    x = 5
    breakpoint()
    return x
f()
print("after")
""",
}

TYPED: Final = {"breakpoint": "n\nn\np 1\nc\n"}
