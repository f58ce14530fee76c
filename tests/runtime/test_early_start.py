"""early_start.py: A call of a loaded function means the same, found early or by its process."""

from __future__ import annotations

import contextvars
import functools
import sys
import threading
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from pyx import Exit, Node, RemoteError, RpcError, RpcUndefined, aio, receive, rpc
from pyx import self as own_pid
from pyx.core.effects import StartProcess
from pyx.execution.context import current
from pyx.runtime.early_start import EARLY_BYTES, loaded_call
from pyx.signals import Payload
from pyx.terms import Incarnation, Pid
from pyx.wire.codec import encode
from tests.local_nodes import LocalNodes, Running, as_process, in_kernel, until, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.runtime.local_node import LocalNode

variable = contextvars.ContextVar("variable", default="fresh")


def add(a: int, b: int = 1) -> int:
    """A plain function."""
    return a + b


async def add_slowly(a: int, b: int = 1) -> int:
    """An `async def` that waits."""
    await aio.sleep(0)
    return a + b


async def add_at_once(a: int, b: int = 1) -> int:
    """An `async def` that never waits."""
    return a + b


def fail(*_: Any) -> None:
    """Raises."""
    raise LookupError("no such product")


async def fail_slowly(*_: Any) -> None:
    """Raises after a wait."""
    await aio.sleep(0)
    raise LookupError("no such product")


def leave(*_: Any) -> None:
    """Ends with a reason of its own."""
    raise Exit("closed")


async def leave_slowly(*_: Any) -> None:
    """Ends with a reason of its own."""
    raise Exit("closed")


def returns_no_data(*_: Any) -> Any:
    """Its result cannot be sent."""
    return threading.Lock()


def generate(a: int) -> Any:
    """A generator function."""
    yield a


async def nothing() -> None:
    """Takes nothing, returns nothing."""


async def generate_slowly(a: int) -> Any:
    """An asynchronous generator function."""
    yield a


@functools.wraps(add_slowly)
def decorated(*args: Any) -> Any:
    """A `def` that returns a coroutine."""
    return add_slowly(*args)


class Adder:
    """A callable object."""

    def __call__(self, a: int) -> int:
        return a + 1


class SlowAdder:
    """A callable object whose call is an `async def`."""

    async def __call__(self, a: int) -> int:
        return a + 1


class Till:
    """A class is called too, and its functions are found by dots."""

    @staticmethod
    def add(a: int) -> int:
        """A function of a class."""
        return a + 1


def whoami() -> tuple[Any, str, str]:
    """The process that runs it, as it sees itself."""
    runner = current.get()
    assert runner is not None
    seen = variable.get()
    variable.set("used")
    return own_pid(), seen, runner.process.kind


async def whoami_slowly() -> tuple[Any, str, str]:
    """As `whoami`."""
    return whoami()


SHOP = {
    "add": add,
    "add_slowly": add_slowly,
    "add_at_once": add_at_once,
    "fail": fail,
    "fail_slowly": fail_slowly,
    "leave": leave,
    "leave_slowly": leave_slowly,
    "returns_no_data": returns_no_data,
    "nothing": nothing,
    "generate": generate,
    "generate_slowly": generate_slowly,
    "decorated": decorated,
    "part": functools.partial(add_slowly, b=1),
    "adder": Adder(),
    "slow_adder": SlowAdder(),
    "Till": Till,
    "whoami": whoami,
    "whoami_slowly": whoami_slowly,
    "length": len,
    "word": "a word",
    "__hidden__": add,
}


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A loaded module with a function of each kind."""
    module = ModuleType("shop")
    module.__dict__.update(SHOP)
    monkeypatch.setitem(sys.modules, "shop", module)
    return module


@pytest.fixture
def two(both_ways: bool, nodes: LocalNodes, shop: ModuleType) -> tuple[LocalNode, LocalNode]:
    return nodes.start("a"), nodes.start("b")


def outcome(function: str, *args: Any) -> Any:
    """What the call of a function of the shop returns or raises, in a word or two."""
    try:
        return rpc.call("b", "shop", function, list(args))
    except RemoteError as error:
        return error.type, error.text.partition(" at 0x")[0]
    except RpcError as error:
        return type(error).__name__


MEANINGS: list[tuple[str, tuple[Any, ...], Any]] = [
    ("add", (1, 2), 3),
    ("add_slowly", (1, 2), 3),
    ("add_at_once", (1,), 2),
    ("decorated", (1, 2), 3),
    ("part", (1,), 2),
    ("adder", (1,), 2),
    ("slow_adder", (1,), 2),
    ("Till.add", (1,), 2),
    ("length", ("abc",), 3),
    ("fail", (), ("LookupError", "no such product")),
    ("fail_slowly", (), ("LookupError", "no such product")),
    ("leave", (), ("Exit", "closed")),
    ("leave_slowly", (), ("Exit", "closed")),
    ("add", (), ("TypeError", "add() missing 1 required positional argument: 'a'")),
    ("add_slowly", (), ("TypeError", "add_slowly() missing 1 required positional argument: 'a'")),
    ("nothing", (1,), ("TypeError", "nothing() takes 0 positional arguments but 1 was given")),
    ("nothing", (), None),
    ("word", (), "RpcUndefined"),
    ("missing", (), "RpcUndefined"),
    ("missing.at.all", (), "RpcUndefined"),
]  # fmt: skip


@pytest.mark.usefixtures("two")
class TestMeaning:
    @pytest.mark.parametrize(("function", "args", "meaning"), MEANINGS)
    def test_call_returns_or_raises(self, function: str, args: tuple[Any, ...], meaning: Any) -> None:
        assert outcome(function, *args) == meaning
        assert outcome(function, *args) == meaning

    @pytest.mark.parametrize("function", ["returns_no_data", "generate", "generate_slowly", "Till"])
    def test_result_that_is_not_data_is_refused(self, function: str) -> None:
        kind, text = outcome(function, *([1] if function.startswith("generate") else []))
        assert kind == "EncodeError"
        assert text.startswith("cannot send result")

    @pytest.mark.parametrize("function", ["whoami", "whoami_slowly"])
    def test_each_call_is_a_process_with_a_fresh_context(self, function: str) -> None:
        first, second = outcome(function), outcome(function)
        assert first[1:] == second[1:] == ("fresh", "call")
        assert first[0] != second[0]

    @pytest.mark.parametrize("function", ["add", "add_slowly", "add_at_once"])
    def test_keyword_arguments_arrive(self, function: str) -> None:
        assert rpc.call("b", "shop", function, [1], kwargs={"b": 5}) == 6
        with pytest.raises(RemoteError, match="unexpected keyword argument 'c'"):
            rpc.call("b", "shop", function, [1], kwargs={"c": 5})

    def test_large_argument_arrives(self) -> None:
        assert outcome("length", "x" * 2 * EARLY_BYTES) == 2 * EARLY_BYTES

    def test_traceback_has_the_frames_of_the_function_alone(self) -> None:
        for function in ("fail", "fail_slowly"):
            with pytest.raises(RemoteError) as failed:
                rpc.call("b", "shop", function)
            assert f"in {function}" in failed.value.traceback
            assert "/pyx/" not in failed.value.traceback


@pytest.mark.usefixtures("two")
class TestChangesBetweenTwoCalls:
    def test_function_that_was_defined_anew_is_called(self, shop: ModuleType) -> None:
        assert outcome("add", 1) == 2
        shop.__dict__["add"] = lambda a: a - 1
        assert outcome("add", 1) == 0
        shop.__dict__["add"] = add_slowly
        assert outcome("add", 1) == 2

    def test_name_with_dots_is_an_attribute_of_an_attribute(self, shop: ModuleType) -> None:
        vars(shop)["Till.sub"] = add
        assert outcome("Till.sub", 1) == "RpcUndefined"

    def test_function_that_was_removed_is_undefined(self, shop: ModuleType) -> None:
        assert outcome("add_slowly", 1) == 2
        del shop.__dict__["add_slowly"]
        assert outcome("add_slowly", 1) == "RpcUndefined"

    def test_module_that_was_loaded_anew_is_used(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert outcome("add", 1) == 2
        anew = ModuleType("shop")
        anew.__dict__["add"] = add_at_once
        monkeypatch.setitem(sys.modules, "shop", anew)
        assert outcome("add", 2) == 3
        assert outcome("fail") == "RpcUndefined"

    def test_module_that_was_unloaded_is_imported_again(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
    ) -> None:
        assert outcome("add", 1) == 2
        (tmp_path / "shop.py").write_text("async def add(a):\n    return a * 10\n")
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "shop")
        assert outcome("add", 1) == 10
        assert outcome("add", 2) == 20

    def test_module_that_is_blocked_is_undefined(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "shop", None)
        assert outcome("add", 1) == "RpcUndefined"


class TestProcess:
    def test_loaded_async_def_starts_without_a_thread_of_the_pool(
        self, two: tuple[LocalNode, LocalNode], both_ways: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _, b = two
        jobs: list[Callable[[], None]] = []
        run = b.pool.run
        monkeypatch.setattr(b.pool, "run", lambda job: (jobs.append(job), run(job)))
        assert outcome("add_slowly", 1) == 2
        assert len(jobs) == (0 if both_ways else 1)
        assert outcome("add", 1) == 2
        assert len(jobs) == (1 if both_ways else 2)

    @pytest.mark.parametrize("function", ["add", "add_slowly"])
    def test_process_killed_before_it_starts_does_not_run(
        self, two: tuple[LocalNode, LocalNode], function: str, shop: ModuleType
    ) -> None:
        _, b = two
        ran: list[Any] = []
        kinds: dict[str, Any] = {"add": ran.append, "add_slowly": _noting(ran)}
        shop.__dict__[function] = kinds[function]
        process, _ = in_kernel(b, b.kernel.process_signals.process_started, "call")
        in_kernel(b, b.kernel.process_signals.exit, Pid(0), process.pid, "kill")
        payload = Payload(encode(("shop", function, [1])), Incarnation("a@test", 1))
        b.processes.start_for_peer(StartProcess(process, payload))
        until(lambda: process.runner is None)
        assert ran == []

    @pytest.mark.parametrize("function", ["receive", "receive_slowly"])
    def test_process_killed_while_it_runs_answers_with_the_reason(
        self, two: tuple[LocalNode, LocalNode], function: str, shop: ModuleType
    ) -> None:
        a, b = two
        shop.__dict__.update(receive=receive, receive_slowly=aio.receive)
        calling = Running(a, lambda: outcome(function))
        until(lambda: any(process.waiting for process in b.kernel.tables.processes.all()))
        (process,) = b.kernel.tables.processes.all()
        in_kernel(b, b.kernel.process_signals.exit, Pid(0), process.pid, "kill")
        assert calling.outcome() == ("Exit", "killed")

    @pytest.mark.parametrize("function", ["receive", "receive_slowly"])
    def test_caller_killed_as_it_waits_leaves_no_request(
        self, two: tuple[LocalNode, LocalNode], function: str, shop: ModuleType
    ) -> None:
        a, b = two
        shop.__dict__.update(receive=receive, receive_slowly=aio.receive)
        calling = Running(a, lambda: rpc.call("b", "shop", function))
        until(lambda: any(process.waiting for process in b.kernel.tables.processes.all()))
        in_kernel(a, a.kernel.process_signals.exit, Pid(0), calling.pid, "kill")
        until(lambda: not a.kernel.pending)
        (process,) = b.kernel.tables.processes.all()
        b.sending.send(process.pid, "too late")
        until(lambda: not b.kernel.tables.processes.all())

    @pytest.mark.parametrize("function", ["fail", "fail_slowly"])
    def test_cast_that_fails_is_reported_as_a_crash(
        self, two: tuple[LocalNode, LocalNode], function: str
    ) -> None:
        a, b = two
        shown: list[str] = []
        is_shown = threading.Event()

        def show(text: str, _: Any) -> None:
            shown.append(text)
            is_shown.set()

        a.output.writer._write = show
        assert rpc.cast("b", "shop", function) is True
        wait_for(is_shown)
        assert "LookupError: no such product" in "".join(shown)
        until(lambda: not b.kernel.tables.processes.all())

    @pytest.mark.parametrize(("function", "kind"), [("whoami", "def"), ("whoami_slowly", "async def")])
    def test_spawned_process_shows_its_kind_and_its_call(
        self, two: tuple[LocalNode, LocalNode], function: str, kind: str, shop: ModuleType
    ) -> None:
        a, b = two
        go_on, seen = threading.Event(), threading.Event()

        def hold() -> None:
            seen.set()
            wait_for(go_on)

        async def hold_slowly() -> None:
            hold()

        shop.__dict__.update(whoami=hold, whoami_slowly=hold_slowly)
        as_process(a, lambda: Node.spawn("b", "shop", function, []))
        wait_for(seen)
        (process,) = b.kernel.tables.processes.all()
        assert (process.kind, process.initial_call) == (kind, ("shop", function, 0))
        go_on.set()
        until(lambda: not b.kernel.tables.processes.all())


def _noting(ran: list[Any]) -> Any:
    async def note(value: Any) -> None:
        ran.append(value)

    return note


def found(node: LocalNode, *call: Any) -> bool:
    """True if that call of a peer is found early."""
    return loaded_call(Payload(encode(call), Incarnation("a@test", 1)), node.kernel) is not None


@pytest.mark.usefixtures("shop")
class TestWhatIsFound:
    @pytest.mark.parametrize("function", ["add", "add_slowly", "generate", "decorated", "length"])
    def test_functions_are_found(self, node: LocalNode, function: str) -> None:
        assert found(node, "shop", function, [1])

    @pytest.mark.parametrize(
        "call",
        [
            ("shop", "add", [], {1: 2}),
            ("shop", "add", [], [("a", 1)]),
            ("shop", "add", [], {}, ("source",)),
            ("shop", "part", []),
            ("shop", "adder", []),
            ("shop", "Till", []),
            ("shop", "Till.add", [1]),
            ("shop", "word", []),
            ("shop", "missing", []),
            ("shop", "__hidden__", []),
            ("shop", "add", ["x" * EARLY_BYTES]),
            ("nowhere", "add", []),
            ("__main__", "add", []),
            ("Process", "list", []),
            ("shop", "add", (1,)),
            ("shop", "add"),
            ("shop", 7, []),
            (7, "add", []),
        ],
    )
    def test_all_else_is_left_to_the_process(self, node: LocalNode, call: tuple[Any, ...]) -> None:
        assert not found(node, *call)

    def test_torn_payload_is_left_to_the_process(self, node: LocalNode) -> None:
        assert loaded_call(Payload(b"\xc1", Incarnation("a@test", 1)), node.kernel) is None

    def test_module_that_is_being_imported_is_left_to_the_process(
        self, node: LocalNode, shop: ModuleType
    ) -> None:
        spec = ModuleSpec("shop", None)
        shop.__spec__ = spec
        assert found(node, "shop", "add", [])
        spec._initializing = True  # type: ignore[attr-defined]
        assert not found(node, "shop", "add", [])

    def test_module_of_another_name_than_one_of_python_is_left_to_the_process(
        self, node: LocalNode, shop: ModuleType, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "shop-1", shop)
        assert not found(node, "shop-1", "add", [])

    def test_no_code_of_a_module_runs(
        self, node: LocalNode, monkeypatch: pytest.MonkeyPatch, shop: ModuleType
    ) -> None:
        ran: list[str] = []

        class Lazy(ModuleType):
            def __getattribute__(self, name: str) -> Any:
                ran.append(name)
                return add

        shop.__dict__["__getattr__"] = ran.append
        assert not found(node, "shop", "missing", [])
        monkeypatch.setitem(sys.modules, "lazy", Lazy("lazy"))
        ran.clear()
        assert not found(node, "lazy", "add", [])
        assert ran == []

    @pytest.mark.parametrize(
        ("policy", "marked", "unmarked"),
        [("open", True, True), ("exported", True, False), ("off", False, False)],
    )
    def test_policy_decides(
        self, node: LocalNode, shop: ModuleType, policy: str, marked: bool, unmarked: bool
    ) -> None:
        def exported() -> None: ...

        shop.__dict__["exported"] = rpc.export(exported)
        node.kernel.tables.set_policy(policy)
        assert found(node, "shop", "exported", []) == marked
        assert found(node, "shop", "add", []) == unmarked


def test_undefined_function_of_a_loaded_module_is_named(two: tuple[LocalNode, LocalNode]) -> None:
    with pytest.raises(RpcUndefined, match="b@test has no function missing in module shop"):
        rpc.call("b", "shop", "missing")
