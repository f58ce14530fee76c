"""program_exit.py: Python's own end of a program, done earlier: once, in its order, until a signal comes."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pyx


def run(program: str) -> tuple[int, str, str]:
    """Runs *program* in a Python of its own, as it changes the interpreter's end."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env={**os.environ, "PYTHONPATH": str(Path(pyx.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_threads_are_joined_before_exit_handlers_run_each_once() -> None:
    program = """
        import atexit, concurrent.futures, threading
        from pyx.shell import program_exit
        last = threading.Event()
        def late():
            last.wait(); print("thread")
        threading.Thread(target=late).start()
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        concurrent.futures.ThreadPoolExecutor(1).submit(last.wait)  # never shut down
        atexit.register(print, "registered first")
        atexit.register(print, "registered last")
        print("last line"); last.set()
        program_exit.join_threads(); print("joined")
        program_exit.call_exit_handlers(); print("called")
    """
    assert run(program) == (
        0,
        "last line\nthread\njoined\nregistered last\nregistered first\ncalled\n",
        "",
    )


def test_sigint_that_ends_the_join_ends_that_of_the_interpreter_too() -> None:
    """Though it comes just before the main thread sleeps: its handler is due, and nothing wakes that."""
    program = """
        import _thread, threading, time
        from pyx.shell import program_exit
        def late():
            threading.main_thread().join()
            time.sleep(0.1)  # it sleeps by then; if it does not, the handler runs at once
            _thread.interrupt_main()
            threading.Event().wait()
        threading.Thread(target=late).start()
        try:
            program_exit.join_threads()
        except KeyboardInterrupt:
            print("interrupted")
    """
    assert run(program) == (0, "interrupted\n", "")
