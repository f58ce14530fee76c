"""cli.py, cli_parser.py, cli_checks.py, foreign_options.py, __main__.py: The command line and its errors."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest

import pyx
from pyx.cli import main
from tests.blocked import until_blocked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A home and a directory of sockets of this test's own."""
    (tmp_path / "home").mkdir()
    return {
        **{key: value for key, value in os.environ.items() if not key.startswith(("PYX_", "XDG_"))},
        "HOME": str(tmp_path / "home"),
        "PYX_RUNTIME_DIR": str(tmp_path / "run"),
        "PYTHONPATH": str(Path(pyx.__file__).parents[1]),
    }


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path) -> Run:
    def run(*words: str, stdin: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pyx", *words],
            input=stdin,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**environment, **variables},
            timeout=60,
            check=False,
        )

    return run


def test_version_loads_no_large_package(environment: dict[str, str]) -> None:
    code = (
        "import sys; from pyx.cli import main; print(main(['--version']), "
        "sorted(set('asyncio prompt_toolkit msgpack pygments ssl'.split()) & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    assert done.stdout == f"pyx {pyx.__version__}\n0 []\n"


def test_help_ends_with_examples(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit) as leaving:
        main(["--help"])
    assert leaving.value.code == 0
    examples = capsys.readouterr().out.partition("\nexamples:\n")[2].splitlines()
    assert len(examples) > 3
    assert all(line.startswith("  pyx ") for line in examples)


def test_help_describes_each_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit):
        main(["--help"])
    commands = capsys.readouterr().out.partition("\ncommands:\n")[2].partition("\n\n")[0].splitlines()
    assert [line.split()[:2] for line in commands[:-1]] == [
        ["pyx", "new"],
        ["pyx", "replay"],
        ["pyx", "names"],
        ["pyx", "doctor"],
        ["pyx", "completion"],
    ]


@pytest.mark.parametrize("command", [[], ["new"], ["replay"], ["names"], ["doctor"], ["completion"]])
def test_help_fits_narrow_terminals(
    command: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = []
    for columns in (60, 200):
        monkeypatch.setenv("COLUMNS", str(columns))
        with contextlib.suppress(SystemExit):
            main([*command, "--help"])
        text = capsys.readouterr().out
        assert max(map(len, text.splitlines())) <= columns
        texts.append("".join(text.split()))
    assert texts[0] == texts[1]


class TestUsage:
    @pytest.mark.parametrize(
        ("words", "error"),
        [
            (["--bogus"], "pyx: there is no option --bogus\nhint: pyx --help shows the options\n"),
            (
                ["-O", "x.py"],
                "pyx: there is no option -O\nhint: it is an option of Python: `python -O -m pyx ...`\n",
            ),
            (
                ["-pa", "ebin"],
                (
                    "pyx: there is no option -pa\n"
                    "hint: `-S DIR` finds the modules of DIR; PYTHONPATH holds for all of Python\n"
                ),
            ),
            (["-remsh", "server"], "pyx: -r: there is no file emsh\nhint: --remsh NODE, with two dashes\n"),
            (
                ["--snmae", "gus"],
                "pyx: there is no option --snmae\nhint: did you mean --sname? pyx --help shows the options\n",
            ),
            (["relay", "a.md"], "pyx: there is no file relay\nhint: did you mean pyx replay?\n"),
            (["help"], "pyx: there is no file help\nhint: did you mean pyx --help?\n"),
            (["-m"], "pyx: -m needs the name of a module\n"),
            (["-m", "no_such_module"], "pyx: there is no module no_such_module\n"),
            (
                ["."],
                (
                    "pyx: . is a directory without a __main__.py\n"
                    "hint: pyx -S . is a prompt with the modules there\n"
                ),
            ),
            (
                ["--sname"],
                "pyx: argument --sname: expected one argument\nhint: pyx --help shows the options\n",
            ),
            (["no_such_file.py"], "pyx: there is no file no_such_file.py\n"),
            (["--", "-x"], "pyx: there is no file -x\n"),
            (["-S", "nowhere"], "pyx: -S: there is no directory nowhere\n"),
            (
                ["--hidden"],
                (
                    "pyx: --hidden, --cookie, --cookie-file and --seed need a named node\n"
                    "hint: add --sname NAME\n"
                ),
            ),
            (
                ["--remsh", "server", "-e", "1"],
                (
                    "pyx: --remsh cannot be combined with -c, -e, -m, -r, FILE or --no-halt: "
                    "the code runs on another node\n"
                ),
            ),
            (
                ["--rpc-eval", "server", "1", "file.py"],
                "pyx: there is no file file.py\n",
            ),
            (
                ["--remsh", "server", "--rpc-eval", "server", "1"],
                (
                    "pyx: --remsh and --rpc-eval cannot be combined: "
                    "the one shows a prompt, the other a value\n"
                ),
            ),
            (
                ["--record", "gus.pyxt", "-e", "1"],
                (
                    "pyx: --record cannot be combined with -c, -e, -i, -m, -r, FILE or --no-halt: "
                    "it records typed input\n"
                ),
            ),
            (
                ["--record", "gus.pyxt"],
                "pyx: --record needs a terminal: it records typed input, and stdin is not a terminal\n",
            ),
            (
                ["new", "--sub", "shop"],
                "pyx: there is no option --sub\nhint: pyx new --help shows what there is\n",
            ),
            (
                ["replay", "--jiter"],
                (
                    "pyx: there is no option --jiter\n"
                    "hint: did you mean --jitter? pyx replay --help shows the options\n"
                ),
            ),
            (["new"], "pyx: new takes one name\nhint: pyx new shop, or pyx new shop --sup\n"),
            (
                ["new", "class"],
                (
                    "pyx: 'class' cannot be the name of a module\n"
                    "hint: use ASCII letters, digits and _, such as my_shop\n"
                ),
            ),
        ],
    )
    def test_wrong_usage_is_one_line_and_a_hint(self, words: list[str], error: str, run: Run) -> None:
        done = run(*words)
        assert (done.returncode, done.stdout, done.stderr) == (2, "", error)

    def test_tick_out_of_range_is_refused(self, run: Run) -> None:
        done = run("--tick", "soon")
        assert done.returncode == 2
        assert "'soon' is not a number of seconds from 0.1 to 86400" in done.stderr

    @pytest.mark.parametrize("mib", ["0", "-1", "1025", "1.5", "64MiB", "", "٣"])
    def test_max_message_out_of_range_is_refused(self, mib: str, run: Run) -> None:
        done = run(f"--max-message={mib}", "--sname", "gus")
        sentence = f"pyx: argument --max-message: {mib!r} is not a number of MiB from 1 to 1024\n"
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == f"{sentence}hint: pyx --help shows the options\n"

    @pytest.mark.parametrize("name", ["", "a b", "gus@", "@vm", "ümlaut"])
    def test_invalid_node_name_is_one_line_with_the_reason(self, name: str, run: Run) -> None:
        done = run("--sname", name, "-e", "1")
        assert done.returncode == 2
        assert done.stderr.startswith(f"pyx: {name!r} is not a node name: ")
        assert done.stderr.count("\n") == 1


class TestScripts:
    def test_two_dashes_end_the_options(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "-e").write_text("import sys; print(sys.argv)")
        done = run("-e", "print('first')", "--", "-e", "--", "--help")
        assert (done.returncode, done.stdout) == (0, "first\n['-e', '--', '--help']\n"), done.stderr
        done = run("-c", "import sys; print(sys.argv)", "--", "x")
        assert (done.returncode, done.stdout) == (0, "['-c', '--', 'x']\n"), done.stderr

    def test_code_runs_in_one_namespace_and_echoes_nothing(self, run: Run) -> None:
        done = run("-e", "x = 1", "-e", "x", "-e", "print(x + 1)")
        assert (done.returncode, done.stdout, done.stderr) == (0, "2\n", "")

    def test_uncaught_exception_ends_with_a_traceback_and_1(self, run: Run) -> None:
        done = run("-e", "print('a')", "-e", "1 / 0", "-e", "print('b')")
        assert (done.returncode, done.stdout) == (1, "a\n")
        assert done.stderr.startswith(
            'Traceback (most recent call last):\n  File "<-e>", line 1, in <module>\n'
        )
        assert done.stderr.endswith("ZeroDivisionError: division by zero\n")

    def test_program_from_a_pipe_runs(self, run: Run) -> None:
        done = run(stdin="def f():\n    return 5\nprint(f())\nf()\n")
        assert (done.returncode, done.stdout, done.stderr) == (0, "5\n", "")

    def test_file_has_its_name_arguments_and_neighbours(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "apps").mkdir()
        (tmp_path / "apps" / "neighbour.py").write_text("here = 'neighbour'\n")
        (tmp_path / "apps" / "app.py").write_text(
            "import sys, neighbour\nprint(__name__, sys.argv, neighbour.here)\n"
        )
        done = run("apps/app.py", "--flag", "x")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == "__main__ ['apps/app.py', '--flag', 'x'] neighbour\n"

    def test_c_takes_the_rest_of_the_line_as_arguments(self, run: Run) -> None:
        code = "import sys; print(sys.argv, x); 1 / 0"
        done = run("-e", "x = 1", "-c", code, "--sname", "-e")
        assert (done.returncode, done.stdout) == (1, "['-c', '--sname', '-e'] 1\n")
        assert done.stderr.splitlines()[1] == '  File "<-c>", line 1, in <module>'

    def test_m_runs_a_module_of_a_package_as_the_program(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "shop").mkdir()
        (tmp_path / "shop" / "__init__.py").write_text("print('shop')")
        (tmp_path / "shop" / "stock.py").write_text(
            "import sys\nfrom . import price\nimport shop.stock\n"
            "print(__name__, __spec__.name, sys.argv[1:], sys.modules['shop.stock'].__name__, price.of)"
        )
        (tmp_path / "shop" / "price.py").write_text("of = 100")
        (tmp_path / "shop" / "__main__.py").write_text("from .price import of\nprint(__package__)\n1 / 0\n")
        done = run("-m", "shop.stock", "-i", "nike")
        assert done.stdout == "shop\n__main__ shop.stock ['-i', 'nike'] __main__ 100\n"
        done = run("-m", "shop")
        assert (done.returncode, done.stdout) == (1, "shop\nshop\n")
        assert [line.partition(",")[0] for line in done.stderr.splitlines()[:2]] == [
            "Traceback (most recent call last):",
            f'  File "{tmp_path}/shop/__main__.py"',
        ]

    def test_directory_and_zip_file_run_their_main(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "shop").mkdir()
        (tmp_path / "shop" / "__main__.py").write_text(
            "import sys, price; print(sys.argv, price.of, __package__ == '')"
        )
        (tmp_path / "shop" / "price.py").write_text("of = 100")
        with ZipFile(tmp_path / "shop.zip", "w") as packed:
            for file in (tmp_path / "shop").glob("*.py"):
                packed.write(file, file.name)
        with ZipFile(tmp_path / "empty.zip", "w") as packed:
            packed.writestr("price.py", "")
        assert run("shop", "-e").stdout == "['shop', '-e'] 100 False\n"
        assert run("shop.zip", "-e").stdout == "['shop.zip', '-e'] 100 True\n"
        assert run("empty.zip").stderr == "pyx: empty.zip is a zip file without a __main__.py\n"

    def test_r_loads_files_before_the_program(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "parts").mkdir()
        (tmp_path / "parts" / "price.py").write_text("print(__name__)\nof = 100")
        (tmp_path / "broken.py").write_text("1 / 0")
        (tmp_path / "parts" / "json.py").write_text("")
        done = run(
            "-r", "parts/price.py", "-e", "print(price.of, rpc.call(Node.self(), 'price', '__dir__') != 0)"
        )
        assert done.stdout.splitlines()[0] == "price"
        assert done.stdout.splitlines()[1].startswith("100 ")
        done = run("-r", "broken.py", "-e", "print('never')")
        assert (done.returncode, done.stdout, done.stderr.splitlines()[-1]) == (
            1,
            "",
            "ZeroDivisionError: division by zero",
        )
        done = run("-r", "parts/json.py", "-e", "1")
        assert (done.returncode, done.stderr.splitlines()[-1]) == (2, "hint: rename json.py")

    def test_bare_module_name_in_a_file_is_a_name_error(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "stock.py").write_text("x = 5\n")
        (tmp_path / "app.py").write_text("print(stock.x)\n")
        assert "NameError" in run("app.py").stderr
        assert run("-e", "print(stock.x)").stdout == "5\n"

    @pytest.mark.parametrize(
        ("code", "status"),
        [("exit(7)", 7), ("exit()", 0), ("raise SystemExit('no')", 1), ("raise KeyboardInterrupt", 130)],
    )
    def test_exit_code_is_that_of_the_code(self, code: str, status: int, run: Run) -> None:
        assert run("-e", code).returncode == status

    def test_program_is_a_process(self, run: Run) -> None:
        done = run("-e", "send(self(), 'hi'); print(receive(timeout=60), self())")
        assert done.stdout == "hi #PID<0.1.0>\n"

    def test_top_level_await_works(self, run: Run) -> None:
        assert run("-e", "import asyncio; print(await asyncio.sleep(0, 7))").stdout == "7\n"

    def test_program_loads_no_prompt_toolkit_and_no_pygments(self, run: Run) -> None:
        done = run("-e", "import sys; print({'prompt_toolkit', 'pygments'} & set(sys.modules))")
        assert done.stdout == "set()\n"

    def test_program_ends_when_its_reader_leaves(self, environment: dict[str, str], tmp_path: Path) -> None:
        child = subprocess.Popen(
            [sys.executable, "-m", "pyx", "-e", "while True: print('y')"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=tmp_path,
            text=True,
        )
        assert child.stdout is not None
        assert child.stderr is not None
        assert child.stdout.readline() == "y\n"
        child.stdout.close()
        with child.stderr:
            assert (child.wait(timeout=60), child.stderr.read()) == (1, "")

    def test_i_shows_a_prompt_afterwards(self, run: Run) -> None:
        done = run("-i", "-e", "x = 5", stdin="x\nexit(4)\n")
        assert (done.returncode, done.stdout) == (4, "pyx(1)> x\n5\npyx(2)> exit(4)\n")

    def test_i_shows_a_prompt_after_an_error_and_not_after_an_exit(self, run: Run) -> None:
        done = run("-i", "-e", "1 / 0", stdin="import sys; str(sys.last_exc)\n")
        assert (done.returncode, done.stdout.splitlines()[1]) == (0, "'division by zero'")
        done = run("-i", "-e", "exit(3)", stdin="1\n")
        assert (done.returncode, done.stdout) == (3, "")

    def test_code_is_utf_8_under_an_ascii_locale(self, run: Run) -> None:
        ascii_alone = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
        assert run("-e", "print(len('é'))", **ascii_alone).stdout == "1\n"


class TestNodes:
    def test_taken_name_exits_with_3(self, run: Run, service: subprocess.Popen[str]) -> None:
        done = run("--sname", "billing", "-e", "1")
        assert done.returncode == 3
        assert done.stderr.startswith("pyx: the name billing@")
        assert done.stderr.endswith(f" is in use by another node (pid {service.pid})\n")

    def test_service_is_reachable_and_ends_on_sigterm(self, run: Run, service: subprocess.Popen[str]) -> None:
        done = run("--sname", "gus", "-e", "print(Node.ping('billing'))")
        assert (done.stdout, done.stderr) == ("pong\n", "")
        until_blocked(service.pid)
        service.send_signal(signal.SIGTERM)
        assert service.wait(timeout=60) == 143
        done = run("--sname", "billing", "-e", "print('the name is free')")
        assert done.stdout == "the name is free\n"

    def test_ctrl_c_ends_a_service_with_130(self, service: subprocess.Popen[str]) -> None:
        until_blocked(service.pid)
        service.send_signal(signal.SIGINT)
        assert service.wait(timeout=60) == 130

    def test_cookie_flag_is_warned_about(self, run: Run) -> None:
        done = run("--sname", "gus", "--cookie", "secret", "-e", "1")
        assert done.returncode == 0
        assert done.stderr.count("ps") == 1

    @pytest.fixture
    def service(self, environment: dict[str, str], tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
        with subprocess.Popen(
            [sys.executable, "-m", "pyx", "--sname", "billing", "--no-halt", "-e", "print('ready')"],
            stdout=subprocess.PIPE,
            env=environment,
            cwd=tmp_path,
            text=True,
        ) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            yield child
            child.kill()


def test_new_makes_a_project_that_runs_as_a_node(run: Run) -> None:
    done = run("new", "shop")
    assert (done.returncode, done.stderr) == (0, "")
    assert "cd shop" in done.stdout
    done = run(
        "-S", "shop", "--sname", "shop", "-e", "shop.start(); send('shop', 'add'); print(shop.count())"
    )
    assert (done.stdout, done.stderr) == ("1\n", "")
