"""program_exit.py: What Python does at its end, done before that: once, in its order, and left where a signal
comes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pyx


def run(program: str) -> tuple[int, str, str]:
    """A Python of its own, as this cannot be undone."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env={**os.environ, "PYTHONPATH": str(Path(pyx.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_threads_and_then_handlers_each_once() -> None:
    program = """
        import atexit, concurrent.futures, threading
        from pyx.shell import program_exit as ending
        last = threading.Event()
        def late():
            last.wait(); print("thread")
        threading.Thread(target=late).start()
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        concurrent.futures.ThreadPoolExecutor(1).submit(last.wait)  # never shut down
        atexit.register(print, "registered first")
        atexit.register(print, "registered last")
        print("last line"); last.set()
        ending.join_threads(); print("joined")
        ending.call_exit_handlers(); print("called")
    """
    assert run(program) == (
        0,
        "last line\nthread\njoined\nregistered last\nregistered first\ncalled\n",
        "",
    )


def test_what_ends_the_wait_ends_that_of_the_interpreter_too() -> None:
    program = """
        import os, signal, threading
        from pyx.shell import program_exit as ending
        heard = threading.Event()
        def interrupt(*_):
            if not heard.is_set():
                heard.set()
                raise KeyboardInterrupt
        def late():
            threading.main_thread().join()
            while not heard.wait(0.01):  # one that comes as a thread falls asleep is not noticed
                os.kill(os.getpid(), signal.SIGINT)
            threading.Event().wait()
        signal.signal(signal.SIGINT, interrupt)
        threading.Thread(target=late).start()
        try:
            ending.join_threads()
        except KeyboardInterrupt:
            print("interrupted")
    """
    assert run(program) == (0, "interrupted\n", "")
