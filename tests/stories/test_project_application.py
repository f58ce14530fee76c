"""project_application.py, declared_application.py: a project's application at a prompt and as a service."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stories.host import Host

SHOP = """\
from pyx import Process, Supervisor, child, receive, self, send, spawn, spawn_link

class Keeper:
    @staticmethod
    def start_link(name):
        pid = spawn_link(keeper, name, self())
        receive(("ready", pid))
        return pid

def keeper(name, supervisor):
    Process.register(self(), name)
    Process.flag("trap_exit", True)
    print(f"{name} starts", flush=True)
    send(supervisor, ("ready", self()))
    match receive():
        case ("EXIT", _, reason):
            print(f"{name} stops: {reason}", flush=True)
        case "crash":
            raise ValueError("boom")

def application():
    children = [child(Keeper, "stock", id="stock"), child(Keeper, "till", id="till")]
    within = {"max_restarts": 1, "max_seconds": 600}
    return Supervisor.start_link(children, strategy="one_for_one", name="shop", **within)

def other():
    raise RuntimeError("no shop today")

def failing():
    return [child(Keeper, "stock", id="stock"), Broken]

class Broken:
    @staticmethod
    def start_link():
        raise OSError("disk is full")

def crash_twice():
    import time
    from pyx import send
    for _ in range(2):
        while Process.whereis("stock") is None:
            time.sleep(0.01)
        pid = Process.whereis("stock")
        send(pid, "crash")
        while Process.whereis("stock") == pid:
            time.sleep(0.01)
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "shop.py").write_text(SHOP)
    declare(tmp_path, "shop:application")
    return tmp_path


def declare(folder: Path, application: str) -> None:
    (folder / "pyproject.toml").write_text(f'[tool.pyx]\napplication = "{application}"\n')


class TestPrompt:
    def test_application_is_started_before_the_first_prompt_and_stopped_after_the_last(
        self, host: Host, shop: Path
    ) -> None:
        shell = host.shell("app0", cwd=shop)
        assert shell.type("Application.started()") == "['shop']"
        assert "stock starts\ntill starts" in shell.screen
        assert shell.type("[row[0] for row in Supervisor.which_children('shop')]") == "['till', 'stock']"
        shell.enter("exit()")
        assert shell.leaves() == 0
        assert "till stops: shutdown\nstock stops: shutdown" in shell.screen

    def test_prompt_goes_on_when_the_application_ends(self, host: Host, shop: Path) -> None:
        shell = host.shell("app1", cwd=shop)
        shell.type("shop.crash_twice()")
        shell.sees("supervisor shop gives up: 2 ends in 600 s, the last of stock (ValueError: boom)")
        shell.sees("application shop has ended, with its top supervisor")
        shell.comes_to("Application.started()", "[]")

    def test_no_start_leaves_it(self, host: Host, shop: Path) -> None:
        shell = host.shell("app2", "--no-start", cwd=shop)
        assert shell.type("Application.started()") == "[]"
        assert shell.type("bool(Application.start('shop:application'))").endswith("True")

    def test_other_folder_is_named_by_its_option(self, host: Host, shop: Path) -> None:
        shell = host.shell("app3", "-S", str(shop))
        assert shell.type("Application.started()") == "['shop']"

    @pytest.mark.parametrize("words", [("-e", "print('done')"), ("done.py",)])
    def test_program_does_not_start_it(self, words: tuple[str, ...], host: Host, shop: Path) -> None:
        (shop / "done.py").write_text("print('done')\n")
        done = host.run(*words, cwd=shop)
        assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")


class TestService:
    def test_sigterm_stops_the_tree_in_reverse_order(self, host: Host, shop: Path) -> None:
        service = host.starts("--sname", "app6@vm", "--no-halt", cwd=shop)
        service.sees("till starts")
        service.blocks()
        service.kill(signal.SIGTERM)
        assert service.leaves() == 143
        assert service.screen == ("stock starts\ntill starts\ntill stops: shutdown\nstock stops: shutdown")

    def test_ctrl_c_stops_the_tree_too(self, host: Host, shop: Path) -> None:
        service = host.starts("--no-halt", cwd=shop)
        service.sees("till starts")
        service.blocks()
        service.press("\x03")
        assert service.leaves() == 130
        assert "till stops: shutdown\nstock stops: shutdown" in service.screen

    def test_service_whose_top_supervisor_gives_up_ends_with_one_clear_line(
        self, host: Host, shop: Path
    ) -> None:
        (shop / "shop.py").write_text(
            SHOP.replace("def application():\n", "def application():\n    spawn(crash_twice)\n")
        )
        done = host.run("--sname", "app7@vm", "--no-halt", cwd=shop)
        assert done.returncode == 1
        lines = [line for line in done.stderr.splitlines() if line.startswith("[error]")]
        assert [line for line in lines if "raised" not in line][1:] == [
            "[error] supervisor shop gives up: 2 ends in 600 s, the last of stock (ValueError: boom)",
            "[error] application shop has ended, with its top supervisor",
        ]
        assert "till stops: shutdown" in done.stdout

    def test_peer_sees_the_tree_of_a_service(self, lone_host: Host, shop: Path) -> None:
        service = lone_host.starts("--sname", "shop@vm", "--no-halt", cwd=shop)
        service.sees("till starts")
        ops = lone_host.shell("ops")
        tree = ops.type('Supervisor.tree(("shop", "shop"))')
        assert tree.startswith("('shop', 'shop') (one_for_one, 1 restart in 600 s)\n├── stock #PID<")
        assert "\n└── till #PID<" in tree

    def test_application_that_is_stopped_by_hand_leaves_the_service_running(
        self, lone_host: Host, shop: Path
    ) -> None:
        service = lone_host.starts("--sname", "shop@vm", "--no-halt", cwd=shop)
        service.sees("till starts")
        ops = lone_host.shell("ops")
        assert ops.type('rpc.call("shop", "pyx", "Application.stop", ["shop"])') == "'ok'"
        assert ops.type('Node.ping("shop")') == "'pong'"
        service.kill(signal.SIGTERM)
        assert service.leaves() == 143


class TestFailures:
    @pytest.mark.parametrize(
        ("application", "stderr"),
        [
            ("nope:application", "pyx: there is no module nope, for the application nope:application\n"),
            (
                "shop:nope",
                "pyx: there is no function or class nope in the module shop, for the application shop:nope\n",
            ),
        ],
    )
    def test_application_that_does_not_exist_is_one_line(
        self, application: str, stderr: str, host: Host, shop: Path
    ) -> None:
        declare(shop, application)
        done = host.run("--no-halt", cwd=shop)
        assert (done.returncode, done.stdout, done.stderr) == (2, "", stderr)

    def test_project_file_with_another_form_is_one_line_and_a_hint(self, host: Host, shop: Path) -> None:
        declare(shop, "shop")
        done = host.run("--no-halt", cwd=shop)
        assert done.returncode == 2
        assert done.stderr == (
            "pyx: pyproject.toml: application in [tool.pyx] is 'shop', and not a module and a function\n"
            'hint: application = "shop:application"\n'
        )

    def test_function_that_raises_shows_the_frames_of_the_user_alone(self, host: Host, shop: Path) -> None:
        declare(shop, "shop:other")
        done = host.run("--no-halt", cwd=shop)
        assert done.returncode == 1
        assert done.stderr.startswith(
            "pyx: the application shop did not start: RuntimeError: no shop today\nTraceback"
        )
        assert done.stderr.count("File ") == 1

    def test_child_that_does_not_start_is_named(self, host: Host, shop: Path) -> None:
        declare(shop, "shop:failing")
        done = host.run("--no-halt", cwd=shop)
        assert done.returncode == 1
        first, *_ = done.stderr.splitlines()
        assert first == "pyx: the application shop did not start: Broken: OSError: disk is full"
        assert done.stdout == "stock starts\nstock stops: shutdown\n"

    def test_module_with_a_slip_shows_where(self, host: Host, shop: Path) -> None:
        (shop / "shop.py").write_text("def application(:\n")
        done = host.run("--no-halt", cwd=shop)
        assert done.returncode == 1
        assert done.stderr.startswith("pyx: the application shop:application did not start:\n")
        assert "SyntaxError" in done.stderr

    def test_prompt_is_not_shown(self, host: Host, shop: Path) -> None:
        declare(shop, "shop:other")
        shell = host.starts("--sname", "app5@vm", cwd=shop)
        assert shell.leaves() == 1
        assert "did not start: RuntimeError: no shop today" in shell.screen
        assert "pyx(app5@vm)" not in shell.screen
