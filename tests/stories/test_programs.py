"""Programs behave under `pyx FILE` as under `python FILE`: each one of `programs.py` runs under both."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from tests.blocked import until_blocked
from tests.stories.host import PATIENCE_SECONDS, PYX
from tests.stories.programs import PROGRAMS, TYPED

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stories.host import Host

Done = tuple[int, str, str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the programs, with the modules that they import."""
    folder = tmp_path_factory.mktemp("work") / "app"
    folder.mkdir()
    (folder / "neighbour.py").write_text("here = 'neighbour'\n")
    (folder / "colorsys.py").write_text("")  # a name that an installed module has
    for name, source in PROGRAMS.items():
        (folder / f"{name}_.py").write_text(source, "latin-1" if name == "coding" else "utf-8")
    return folder


def run(command: list[str], host: Host, folder: Path, typed: str = "") -> Done:
    """Returns exit code, stdout, and stderr without addresses and frames of Python's importer."""
    done = subprocess.run(
        command,
        input=typed,
        capture_output=True,
        text=True,
        errors="backslashreplace",
        env=host.environment(),
        cwd=folder.parent,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    stderr = re.sub(r'  File "<frozen [^"]+>", line .*\n|(?<= at )0x[0-9a-f]+', "", done.stderr)
    return done.returncode, done.stdout, stderr


DIFFERENT_HERE: Final = {
    "exit_big": sys.version_info >= (3, 12),  # Python shows an error of the exit code once more, at its end
    "exit_strraises": sys.version_info >= (3, 12),
    "thread_spawns": sys.version_info[:2] == (3, 12),  # Python starts no thread while it joins the others
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_behaves_as_under_python(name: str, host: Host, folder: Path) -> None:
    if DIFFERENT_HERE.get(name):
        pytest.skip("this version of Python ends such a program in a way of its own")
    words = [f"app/{name}_.py", "--x", "y"]
    typed = TYPED.get(name, "one\ntwo\nthree\n")
    assert run([PYX, *words], host, folder, typed) == run([sys.executable, *words], host, folder, typed)


@pytest.mark.parametrize("option", ["-I", "-P"])
def test_folder_of_a_program_is_not_searched_where_python_would_not(
    option: str, host: Host, folder: Path
) -> None:
    words = ["app/path_.py", "--x", "y"]
    code, _, stderr = run([sys.executable, option, "-m", "pyx", *words], host, folder)
    assert (code, stderr.splitlines()[-1]) == (1, "ModuleNotFoundError: No module named 'neighbour'")
    assert run([sys.executable, option, *words], host, folder)[0] == 1


class TestWithANode:
    """Work after the last line of a program finds a running node, and a process with its mailbox."""

    def test_late_threads_and_exit_handlers_have_a_running_node(
        self, lone_host: Host, tmp_path: Path
    ) -> None:
        (tmp_path / "late.py").write_text(
            "import atexit, threading\n"
            "from pyx import Node, rpc, self, send, receive\n"
            "def ask(who):\n    print(who, rpc.call('late', 'math', 'sqrt', [16]), Node.self())\n"
            "def own():\n    send(self(), 'mail')\n    print(self(), receive(timeout=60))\n"
            "atexit.register(own)\n"
            "atexit.register(ask, 'handler')\n"
            "last_line = threading.Event()\n"
            "def late():\n    threading.main_thread().join()\n    ask('thread')\n"
            "threading.Thread(target=late).start()\n"
            "print('last line')\n"
        )
        done = lone_host.run("--sname", "late@vm", "late.py", cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == ("last line\nthread 4.0 late@vm\nhandler 4.0 late@vm\n#PID<0.1.0> mail\n")

    def test_monitor_of_a_program_gets_the_reason_normal(self, lone_host: Host, tmp_path: Path) -> None:
        watcher = lone_host.shell("watcher")
        watcher.type("Process.register(self(), 'watcher')")
        (tmp_path / "main.py").write_text(
            "import atexit\n"
            "from pyx import receive, self, send\n"
            "def ask():\n    send(('watcher', 'watcher'), self())\n    receive('go', timeout=60)\n"
            "atexit.register(ask)\n"
        )
        with subprocess.Popen(
            [PYX, "--sname", "program@vm", "main.py"], env=lone_host.environment(), cwd=tmp_path
        ) as child:
            assert watcher.type("who = receive(timeout=60)") == ""
            assert watcher.type("ref = Process.monitor(who)") == ""
            assert watcher.type("send(who, 'go')") == "'go'"
            assert watcher.type("receive(('DOWN', ref, ..., ..., ...), timeout=60)[4]") == "'normal'"
            assert child.wait(PATIENCE_SECONDS) == 0

    @pytest.mark.parametrize(
        ("number", "words"),
        [(signal.SIGTERM, []), (signal.SIGTERM, ["--no-halt"]), (signal.SIGINT, [])],
        ids=["TERM at its end", "TERM of a service", "Ctrl-C at its end"],
    )
    def test_signal_ends_a_program_with_running_threads(
        self, number: signal.Signals, words: list[str], lone_host: Host, tmp_path: Path
    ) -> None:
        (tmp_path / "busy.py").write_text(
            "import atexit, concurrent.futures, sys, threading, time\n"
            "from pyx import Node\n"
            "def for_ever():\n"
            "    if 'waits' in sys.argv: threading.main_thread().join()\n"
            "    print('ready', flush=True)\n"
            "    while True: time.sleep(0.05)\n"
            "concurrent.futures.ThreadPoolExecutor().submit(int).result()\n"
            "atexit.register(lambda: print(Node.self()))\n"
            "threading.Thread(target=for_ever).start()\n"
        )
        with subprocess.Popen(
            [PYX, "--sname", "busy@vm", *words, "busy.py", *([] if words else ["waits"])],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=lone_host.environment(),
            cwd=tmp_path,
        ) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            if words:  # else its main thread joins the other, and looks for signals once a second
                until_blocked(child.pid)
            child.send_signal(number)
            assert child.communicate(timeout=PATIENCE_SECONDS) == ("busy@vm\n", "")
            assert child.returncode == 128 + number


def test_program_has_public_names_that_it_reads_and_does_not_define(host: Host, tmp_path: Path) -> None:
    (tmp_path / "words.py").write_text(
        "class Stock:\n    def ask(self): return receive(timeout=60), self\n"
        "def send_it():\n    send(self(), 'mail')\n"
        "def flush(): return 'mine'\n"
        "import os as spawn\n"
        "send_it()\n"
        "print(Stock().ask()[0], flush(), spawn.sep, {'h', 'rpc', 'send'} & globals().keys())\n"
        "print(CallTimeout.__name__)\n"
    )
    done = host.run("words.py", cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("mail mine / {'send'}\nCallTimeout\n", "")


def test_prompt_after_a_program_has_all_public_names(host: Host, tmp_path: Path) -> None:
    (tmp_path / "first.py").write_text("def f(): return len('four')\n")
    done = host.run("-i", "first.py", stdin="f(), self()\nv(1)[0]\n", cwd=tmp_path)
    assert done.stdout.splitlines()[1::2] == ["(4, #PID<0.1.0>)", "4"]
