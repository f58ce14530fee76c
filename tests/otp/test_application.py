"""application.py, application_callbacks.py, application_errors.py: a tree of processes under one name."""

from __future__ import annotations

import sys
import threading
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from pyx import (
    Application,
    ApplicationAlreadyStarted,
    ApplicationInvalid,
    ApplicationNotStarted,
    Pid,
    Process,
    StartFailed,
    Supervisor,
    aio,
    child,
    receive,
    self,
    send,
)
from pyx.execution.interrupts import interrupt_main_thread
from pyx.otp import application
from pyx.otp.application import running_application
from tests.local_nodes import HANG, end_of, until, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyx.runtime.local_node import LocalNode

NAME = "shop_of_a_test"


async def waits(name: str) -> None:
    Process.register(self(), name)
    message = await aio.receive("end", "crash")
    if message == "crash":
        raise ValueError("boom")


@pytest.fixture
def shop(node: LocalNode, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """Makes a module whose function `application` is the given one; returns what starts it."""

    def make(function: Any, name: str = NAME) -> str:
        module = ModuleType(name)
        module.__dict__["application"] = function
        monkeypatch.setitem(sys.modules, name, module)
        return f"{name}:application"

    yield make
    for name in Application.started():
        Application.stop(name)


def test_children_are_started_below_a_supervisor(shop: Callable[..., str]) -> None:
    pid = Application.start(shop(lambda: [child(waits, "one", id="one"), child(waits, "two", id="two")]))
    assert Application.started() == [NAME]
    until(lambda: Process.whereis("two") is not None)
    top = Supervisor.which_children(pid)[0][1]
    assert isinstance(top, Pid)
    assert [row[0] for row in Supervisor.which_children(top)] == ["two", "one"]


def test_supervisor_that_the_function_starts_is_the_top(shop: Callable[..., str]) -> None:
    def application() -> Pid:
        return Supervisor.start_link([child(waits, "one")], strategy="one_for_all", name="top")

    pid = Application.start(shop(application))
    assert Supervisor.which_children(pid)[0][1] == Process.whereis("top")


def test_second_start_is_refused(shop: Callable[..., str]) -> None:
    what = shop(list)
    Application.start(what)
    with pytest.raises(ApplicationAlreadyStarted) as refused:
        Application.start(what)
    assert refused.value.reason == ("already_started", NAME)


def test_stop_ends_the_tree_and_a_second_one_is_refused(
    shop: Callable[..., str], node: LocalNode, caplog: pytest.LogCaptureFixture
) -> None:
    what = shop(lambda: [child(waits, "one")])
    pid = Application.start(what)
    until(lambda: Process.whereis("one") is not None)
    assert Application.stop(what) == "ok"
    assert Process.whereis("one") is None
    assert end_of(node, pid) == "noproc"
    assert Application.started() == []
    with pytest.raises(ApplicationNotStarted) as refused:
        Application.stop(NAME)
    assert refused.value.reason == ("not_started", NAME)
    assert caplog.text == ""
    Application.start(what)


def test_application_ends_with_its_top_supervisor_and_the_log_says_so(
    shop: Callable[..., str], caplog: pytest.LogCaptureFixture
) -> None:
    def application() -> Pid:
        return Supervisor.start_link(
            [child(waits, "one")], strategy="one_for_one", max_restarts=0, name="top"
        )

    Application.start(shop(application))
    running = running_application(NAME)
    assert running is not None
    until(lambda: Process.whereis("one") is not None)
    send("one", "crash")
    assert running.ended.wait(HANG)
    assert Application.started() == []
    lines = [record.getMessage() for record in caplog.records if "raised" not in record.getMessage()]
    assert lines == [
        "supervisor top gives up: 1 end in 5 s, the last of waits (ValueError: boom)",
        f"application {NAME} has ended, with its top supervisor",
    ]


def test_application_whose_top_was_killed_has_ended(shop: Callable[..., str]) -> None:
    def application() -> Pid:
        return Supervisor.start_link([], strategy="one_for_one", name="top")

    Application.start(shop(application))
    running, top = running_application(NAME), Process.whereis("top")
    assert running is not None
    assert top is not None
    Process.exit(top, "kill")
    assert running.ended.wait(HANG)
    assert Application.started() == []


def test_application_goes_on_when_its_starter_ends(shop: Callable[..., str], node: LocalNode) -> None:
    what, started = shop(list), threading.Event()

    def starter() -> None:
        Application.start(what)
        started.set()

    pid, _ = node.processes.spawn(starter, ())
    assert started.wait(HANG)
    end_of(node, pid)
    assert Application.started() == [NAME]


class Interrupting:
    """A child whose start is interrupted by Ctrl-C, and goes on when the whole start is given up."""

    go_on = threading.Event()
    after: ClassVar[set[str]] = set()
    """The names of processes that are to be there first."""

    @classmethod
    def start_link(cls) -> Pid:
        until(lambda: cls.after <= set(Process.registered()))
        interrupt_main_thread()
        running = running_application(NAME)
        assert running is not None
        until(lambda: running.is_stopping)
        wait_for(cls.go_on)
        return Supervisor.start_link([], strategy="one_for_one")


def test_interrupted_start_stops_in_reverse_order_what_it_has_started(
    shop: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Interrupting, "after", {"one", "two"})
    stopped: list[str] = []

    def keep(name: str) -> None:
        Process.flag("trap_exit", True)
        Process.register(self(), name)
        stopped.append(f"{name}: {receive()[2]}")

    Interrupting.go_on.set()
    children = [child(keep, "one", id="one"), child(keep, "two", id="two"), Interrupting]
    what = shop(lambda: children)
    with pytest.raises(KeyboardInterrupt):
        Application.start(what)
    assert stopped == ["two: shutdown", "one: shutdown"]
    assert Process.registered() == []
    children.pop()
    Application.start(what)


def test_interrupted_start_that_hangs_is_killed(
    shop: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application, "_LONGEST_START_SECONDS", 0)
    monkeypatch.setattr(Interrupting, "go_on", threading.Event())
    masters: list[Pid] = []

    def hangs() -> list[Any]:
        masters.append(self())
        return [Interrupting]

    with pytest.raises(KeyboardInterrupt):
        Application.start(shop(hangs))
    assert not Process.is_alive(masters[0])
    assert Application.started() == []
    Interrupting.go_on.set()


def raises() -> None:
    raise ValueError("boom")


def fails() -> Any:
    return [child(Wrong)]


class Wrong:
    @staticmethod
    def start_link() -> None:
        raise ValueError("boom")


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (raises, "Raised(ValueError: boom)"),
        (fails, "('shutdown', ('failed_to_start_child', 'Wrong', Raised(ValueError: boom)))"),
        (
            lambda: 3,
            "Raised(TypeError: the function of the application shop_of_a_test returned 3: it returns",
        ),
        (
            type("Three", (), {"start": lambda _: 3}),
            "Raised(TypeError: start() of the application shop_of_a_test returned 3: it returns",
        ),
    ],
)
def test_application_that_fails_says_why_and_can_be_started_again(
    function: Any, why: str, shop: Callable[..., str]
) -> None:
    with pytest.raises(StartFailed) as failed:
        Application.start(shop(function))
    assert repr(failed.value.reason).startswith(why)
    assert Application.started() == []
    Application.start(shop(list))


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("shop", "an application is named by its module and function, not 'shop'"),
        (":f", "an application is named by"),
        ("shop:", "an application is named by"),
        (3, "an application is named by its module and function, not 3"),
        ("no_such_module_xyz:application", "there is no module no_such_module_xyz"),
        ("os.no_such:application", "there is no module os.no_such"),
        ("os:no_such", "there is no function or class no_such in the module os"),
        ("os:sep", "there is no function or class sep in the module os"),
    ],
)
def test_what_names_no_function_is_refused(what: Any, why: str, node: LocalNode) -> None:
    with pytest.raises(ApplicationInvalid, match=why):
        Application.start(what)
    assert Application.started() == []


def test_applications_are_listed_in_the_order_of_their_start(shop: Callable[..., str]) -> None:
    for name in ("shop_b", "shop_a"):
        Application.start(shop(list, name))
    assert Application.started() == ["shop_b", "shop_a"]


# ---------------------------------------------------------------- a class, which is told of the stop


told: list[Any] = []


def what_is_up() -> bool:
    return Process.whereis("one") is not None


class Told:
    """An application that notes its callbacks, and whether its tree is up."""

    def start(self) -> Any:
        told.append("start")
        self.started = "started"
        return Supervisor.start_link([child(waits, "one")], strategy="one_for_one", max_restarts=0)

    def prep_stop(self) -> None:
        told.append(("prep_stop", what_is_up(), self.started))

    def stop(self) -> None:
        told.append(("stop", what_is_up(), self.started))


def test_class_is_told_before_and_after_its_tree_is_stopped(shop: Callable[..., str]) -> None:
    told.clear()
    Application.start(shop(Told))
    until(what_is_up)
    assert Application.stop(NAME) == "ok"
    assert told == ["start", ("prep_stop", True, "started"), ("stop", False, "started")]


def test_class_is_told_of_a_tree_that_ends_by_itself(shop: Callable[..., str]) -> None:
    told.clear()
    Application.start(shop(Told))
    until(what_is_up)
    running = running_application(NAME)
    assert running is not None
    send("one", "crash")
    assert running.ended.wait(HANG)
    assert told == ["start", ("prep_stop", False, "started"), ("stop", False, "started")]


def test_class_whose_tree_did_not_start_is_told_nothing(shop: Callable[..., str]) -> None:
    class Fails(Told):
        def start(self) -> Any:
            raise ValueError("no shop")

    told.clear()
    with pytest.raises(StartFailed, match="ValueError: no shop"):
        Application.start(shop(Fails))
    assert told == []


def test_callback_that_raises_is_logged_and_stops_nothing(
    shop: Callable[..., str], caplog: pytest.LogCaptureFixture
) -> None:
    class Raises(Told):
        def prep_stop(self) -> None:
            raise ValueError("boom")

    told.clear()
    Application.start(shop(Raises))
    assert Application.stop(NAME) == "ok"
    assert told == ["start", ("stop", False, "started")]
    assert f"application {NAME}: prep_stop() raised an exception\nTraceback" in caplog.text
    assert "ValueError: boom" in caplog.text


def test_what_cannot_be_an_application_is_refused(shop: Callable[..., str]) -> None:
    async def later() -> list[Any]:
        return []

    class Later(Told):
        async def stop(self) -> None:  # type: ignore[override]
            pass

    for code, why in (
        (later, "later is an async def"),
        (Later, r"Later\.stop is an async def"),
    ):
        with pytest.raises(ApplicationInvalid, match=why):
            Application.start(shop(code))
    with pytest.raises(ApplicationInvalid, match="named by its module and function, not 5"):
        Application.stop(5)  # type: ignore[arg-type]
    assert Application.started() == []
