"""`pyx new shop`: the project, its test, its shell."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from tests.inner_pytest import run_pytest

if TYPE_CHECKING:
    from tests.stories.host import Host


def test_new_project_runs_and_its_test_passes(lone_host: Host) -> None:
    done = lone_host.run("new", "shop")
    assert (done.returncode, done.stderr) == (0, "")
    assert "cd shop" in done.stdout
    shop = lone_host.home / "shop"
    assert {path.name for path in shop.iterdir()} == {"pyproject.toml", "shop.py", "tests", "README.md"}

    tested = run_pytest(shop, environment=lone_host.environment())
    assert tested.returncode == 0, tested.stdout
    assert "1 passed" in tested.stdout

    shell = lone_host.shell("shop", cwd=shop)
    assert shell.type("shop.start()").startswith("imported shop\n#PID<0.")
    assert shell.type('send("shop", "add")') == "'add'"
    assert shell.type("shop.count()") == "1"
    other = lone_host.shell("other")
    assert other.type('send(("shop", "shop"), "add")') == "'add'"
    shell.comes_to("shop.count()", "2")


def test_pyx_new_overwrites_nothing(lone_host: Host) -> None:
    (lone_host.home / "shop").mkdir()
    done = lone_host.run("new", "shop")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "pyx: shop exists already\nhint: choose another name, or remove it first\n"
    assert list((lone_host.home / "shop").iterdir()) == []


def test_name_of_a_python_module_is_refused(lone_host: Host) -> None:
    for name, problem in (
        ("class", "cannot be the name of a module"),
        ("json", "is the name of a module of Python"),
    ):
        done = lone_host.run("new", name)
        assert done.returncode == 2
        assert problem in done.stderr


def test_new_application_runs_with_the_prompt_and_as_a_service(lone_host: Host) -> None:
    done = lone_host.run("new", "shop", "--sup")
    assert (done.returncode, done.stderr) == (0, "")
    shop = lone_host.home / "shop"

    # What its README says.
    shell = lone_host.shell("shop", cwd=shop)
    assert shell.type('shop.Counter.add("shop")') == "imported shop\n1"
    assert shell.type("Application.started()") == "['shop']"
    other = lone_host.shell("other")
    assert other.type('GenServer.call(("shop", "shop"), ("add", 3))') == "4"
    shell.enter("exit()")
    assert shell.leaves() == 0

    service = lone_host.starts("--sname", "shop@vm", "--no-halt", cwd=shop)
    other.comes_to('Node.ping("shop")', "'pong'")
    assert other.type('GenServer.call(("shop", "shop"), ("add", 3))') == "3"
    service.blocks()
    service.kill(signal.SIGTERM)
    assert service.leaves() == 143
