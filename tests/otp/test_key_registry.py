"""key_registry.py, named_spaces.py, space_owner.py, key_errors.py: keys of this node's processes."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from pyx import (
    Agent,
    AlreadyRegistered,
    CallUndefined,
    EncodeError,
    GenServer,
    NoProcess,
    NotAProcess,
    Process,
    Registry,
    ServerAlreadyStarted,
    StartFailed,
    Supervisor,
    Sys,
    aio,
    receive,
    send,
    spawn,
    spawn_link,
    via,
)
from pyx import self as own_pid
from pyx.otp.children import child
from tests.local_nodes import as_process, until
from tests.otp.servers import Bare

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.runtime.local_node import LocalNode
    from pyx.terms import Pid


def test_r4_keys_of_a_duplicate_registry_are_no_names(node: LocalNode) -> None:
    Registry.start(keys="duplicate", name="D")
    name = Registry.via("D", "key")
    for use in (name.whereis, lambda: GenServer.call(name, 1), lambda: Registry.unregister_name(name.term)):
        with pytest.raises(ValueError, match="has no names for via"):
            use()
    with pytest.raises(StartFailed, match="has no names for via"):
        Bare.start(name=name)
    assert Registry.count("D") == 0


def test_r4_cast_to_a_name_of_no_registry_is_ok(node: LocalNode) -> None:
    def fails(term: Any) -> None:
        raise RuntimeError(term)

    broken: Any = SimpleNamespace(whereis_name=fails)
    for name in (Registry.via("nope", 1), via(broken, 1)):
        assert GenServer.cast(name, "x") == "ok"
        assert Agent.cast(name, repr) == "ok"
        assert asyncio.run(aio.GenServer.cast(name, "x")) == "ok"


@pytest.fixture
def names(node: LocalNode) -> str:
    """A unique registry."""
    as_process(node, lambda: Registry.start(keys="unique", name="U"))
    return "U"


@pytest.fixture
def groups(node: LocalNode) -> str:
    """A duplicate registry."""
    as_process(node, lambda: Registry.start(keys="duplicate", name="D"))
    return "D"


def run(node: LocalNode, program: Callable[[], Any]) -> Any:
    return as_process(node, program)


def holder_of(registry: str, key: Any, value: Any = None) -> Pid:
    """Starts a process that holds a key until it is told to end."""

    def hold(parent: Pid) -> None:
        Registry.register(registry, key, value)
        send(parent, ("held", own_pid()))
        receive("end")

    pid = spawn(hold, own_pid())
    receive(("held", pid), timeout=60)
    return pid


def end(pid: Pid) -> None:
    """Kills a process and waits for its DOWN."""
    ref = Process.monitor(pid)
    Process.exit(pid, "kill")
    receive(("DOWN", ref, ...), ("DOWN", ref, "process", ..., ...), timeout=60)


class TestUnique:
    def test_r1_a_key_is_registered_once_whoever_asks(self, node: LocalNode, names: str) -> None:
        def program() -> None:
            owner = Registry.register(names, "k")
            assert owner == Process.whereis("U")
            with pytest.raises(AlreadyRegistered) as caught:
                Registry.register(names, "k")
            assert (caught.value.registry, caught.value.key, caught.value.pid) == ("U", "k", own_pid())
            other = holder_of(names, "other")
            with pytest.raises(
                AlreadyRegistered, match=r"'other' is registered in 'U' already, by #PID<0\."
            ) as caught:
                Registry.register(names, "other")
            assert caught.value.pid == other
            assert Registry.count(names) == 2

        run(node, program)

    def test_r2_lookup_is_one_pair_or_nothing(self, node: LocalNode, names: str) -> None:
        def program() -> Any:
            Registry.register(names, ("shop", 1), {"qty": 30})
            return Registry.lookup(names, ("shop", 1)) == [(own_pid(), {"qty": 30})], Registry.lookup(
                names, "no"
            )

        assert run(node, program) == (True, [])

    def test_r3_key_is_free_once_its_holder_ended(self, node: LocalNode, names: str) -> None:
        def program() -> Any:
            end(holder_of(names, "k"))
            return (
                Registry.lookup(names, "k"),
                Registry.count(names),
                Registry.register(names, "k") is not None,
            )

        assert run(node, program) == ([], 0, True)

    def test_r5_update_value_is_for_the_owner(self, node: LocalNode, names: str) -> None:
        def program() -> Any:
            Registry.register(names, "k", 1)
            holder_of(names, "other", 1)
            updated = Registry.update_value(names, "k", lambda value: value + 1)
            refused = Registry.update_value(names, "other", lambda value: value + 1)
            missing = Registry.update_value(names, "none", lambda value: value + 1)
            return updated, refused, missing, Registry.values(names, "k", own_pid())

        assert run(node, program) == ((2, 1), "error", "error", [2])

    def test_update_value_that_raises_changes_nothing(self, node: LocalNode, names: str) -> None:
        def program() -> Any:
            Registry.register(names, "k", 1)
            with pytest.raises(ZeroDivisionError):
                Registry.update_value(names, "k", lambda value: value / 0)
            return Registry.lookup(names, "k")[0][1]

        assert run(node, program) == 1

    def test_no_entry_is_added_by_a_registration_that_is_refused(self, node: LocalNode, names: str) -> None:
        def program() -> Any:
            Registry.register(names, "k")
            for _ in range(100):
                with pytest.raises(AlreadyRegistered):
                    Registry.register(names, "k")
            space = node.kernel.tables.spaces["registry U"]
            return Registry.count(names), space.stored, Registry.keys(names, own_pid())

        assert run(node, program) == (1, 1, ["k"])

    def test_keys_are_equal_as_messages_are(self, node: LocalNode, names: str) -> None:
        def program() -> Any:
            for key in (1, 1.0, True, "1", (1,), frozenset({"a", "b"})):
                Registry.register(names, key)
            found = Registry.lookup(names, frozenset({"b", "a"})) != []
            return (
                found,
                Registry.count(names),
                [type(key).__name__ for key in Registry.keys(names, own_pid())],
            )

        assert run(node, program) == (True, 6, ["int", "float", "bool", "str", "tuple", "frozenset"])

    def test_key_or_value_that_is_not_data_is_refused(self, node: LocalNode, names: str) -> None:
        def program() -> None:
            with pytest.raises(TypeError, match="a key is data that is hashable"):
                Registry.register(names, ["k"])
            with pytest.raises(EncodeError):
                Registry.register(names, object())
            with pytest.raises(EncodeError, match="cannot send value: "):
                Registry.register(names, "k", object())
            assert Registry.count(names) == 0

        run(node, program)


class TestNames:
    def test_r4_via_is_a_name_and_keeps_the_value(self, node: LocalNode, names: str) -> None:
        def program() -> Any:
            name = via(Registry, (names, "k", {"v": 1}))
            taken = Registry.register_name(name.term, own_pid()), Registry.register_name(name.term, own_pid())
            send(Registry.via(names, "k"), "hello")
            found = Process.whereis(Registry.via(names, "k")) == own_pid()
            return taken == (None, own_pid()), receive(timeout=60), found, Registry.lookup(names, "k")[0][1]

        assert run(node, program) == (True, "hello", True, {"v": 1})

    def test_r4_send_to_a_key_without_a_holder_raises(self, node: LocalNode, names: str) -> None:
        def program() -> None:
            with pytest.raises(NoProcess, match=r"no process is registered as via\(Registry, \('U', 'k'\)\)"):
                send(Registry.via(names, "k"), "hello")

        run(node, program)

    def test_is_free_after_unregister_name(self, node: LocalNode, names: str) -> None:
        def program() -> Any:
            Registry.register_name((names, "k"), own_pid())
            Registry.unregister_name((names, "k"))
            return Registry.whereis_name((names, "k"))

        assert run(node, program) is None

    @pytest.mark.parametrize("term", ["k", ("U",), ("U", 1, 2, 3)])
    def test_of_another_form_is_refused(self, node: LocalNode, names: str, term: Any) -> None:
        def program() -> None:
            with pytest.raises(TypeError, match=r"a name in a Registry is \(registry, key\)"):
                Process.whereis(via(Registry, term))

        run(node, program)


class TestDuplicate:
    def test_r6_unregister_is_ok_always_and_drops_all_of_the_key(self, node: LocalNode, groups: str) -> None:
        def program() -> Any:
            for value in (1, 2):
                Registry.register(groups, "k", value)
            Registry.register(groups, "other")
            answers = Registry.unregister(groups, "k"), Registry.unregister(groups, "k")
            return answers, Registry.lookup(groups, "k"), Registry.keys(groups, own_pid())

        assert run(node, program) == (("ok", "ok"), [], ["other"])

    def test_r7_a_process_that_registers_twice_is_listed_twice(self, node: LocalNode, groups: str) -> None:
        def program() -> Any:
            for value in (1, 2):
                Registry.register(groups, "k", value)
            values = [value for _, value in Registry.lookup(groups, "k")]
            return (
                values,
                Registry.keys(groups, own_pid()),
                Registry.values(groups, "k", own_pid()),
                Registry.count(groups),
            )

        assert run(node, program) == ([1, 2], ["k", "k"], [1, 2], 2)

    def test_r8_dispatch_runs_in_the_caller_if_there_are_entries(self, node: LocalNode, groups: str) -> None:
        def program() -> Any:
            seen: list[Any] = []
            other = holder_of(groups, "k", "theirs")
            Registry.register(groups, "k", "mine")
            called = Registry.dispatch(groups, "k", lambda entries: seen.append((own_pid(), entries)))
            not_called = Registry.dispatch(groups, "none", seen.append)
            with pytest.raises(ZeroDivisionError):
                Registry.dispatch(groups, "k", lambda entries: len(entries) / 0)
            assert seen == [(own_pid(), [(other, "theirs"), (own_pid(), "mine")])]
            return called, not_called

        assert run(node, program) == ("ok", "ok")

    def test_r9_select_and_unregister_match(self, node: LocalNode, groups: str) -> None:
        def program() -> Any:
            for value in (("web", 1), ("web", 2), ("phone", 1)):
                Registry.register(groups, "gus", value)
            Registry.unregister_match(groups, "gus", ("web", int))
            return [(key, value) for key, pid, value in Registry.select(groups) if pid == own_pid()]

        assert run(node, program) == [("gus", ("phone", 1))]

    def test_values_cannot_be_updated(self, node: LocalNode, groups: str) -> None:
        def program() -> None:
            with pytest.raises(ValueError, match="its keys are not unique"):
                Registry.update_value(groups, "k", len)

        run(node, program)


class TestRegistry:
    def test_r10_listeners_are_told_of_entries(self, node: LocalNode) -> None:
        def program() -> Any:
            Process.register(own_pid(), "ear")
            Registry.start(keys="unique", name="L", listeners=["ear", "nowhere"])
            pid = holder_of("L", "k", {"v": 1})
            registered = receive(("register", ...), ("register", "L", "k", pid, ...), timeout=60)
            end(pid)
            return registered == ("register", "L", "k", pid, {"v": 1}), receive(timeout=60) == (
                "unregister",
                "L",
                "k",
                pid,
            )

        assert run(node, program) == (True, True)

    def test_r11_unknown_registry_is_an_error(self, node: LocalNode) -> None:
        def program() -> None:
            for use in (
                lambda: Registry.register("Nope", 1),
                lambda: Registry.lookup("Nope", 1),
                lambda: Registry.unregister("Nope", 1),
                lambda: Registry.count("Nope"),
                lambda: send(Registry.via("Nope", 1), 1),
            ):
                with pytest.raises(ValueError, match=r"^unknown registry: Nope \("):
                    use()

        run(node, program)

    def test_r12_the_end_of_a_registry_ends_no_holder(self, node: LocalNode, names: str) -> None:
        def program() -> Any:
            Registry.register(names, "k")
            owner = Process.whereis("U")
            assert owner is not None
            end(owner)
            with pytest.raises(ValueError, match="unknown registry"):
                Registry.lookup(names, "k")
            Registry.start(keys="unique", name="U")
            return Registry.lookup(names, "k"), Registry.register(names, "k") == Process.whereis("U")

        assert run(node, program) == ([], True)

    def test_has_one_of_its_name(self, node: LocalNode, names: str) -> None:
        def program() -> None:
            with pytest.raises(ServerAlreadyStarted) as caught:
                Registry.start(keys="duplicate", name="U")
            assert caught.value.pid == Process.whereis("U")

        run(node, program)

    @pytest.mark.parametrize(
        ("options", "error", "words"),
        [
            ({"keys": "some", "name": "X"}, ValueError, 'keys is "unique" or "duplicate", not \'some\''),
            ({"keys": "unique", "name": 1}, TypeError, "the name of a registry is a str, not 1"),
            ({"keys": "unique", "name": ""}, ValueError, "has 1 to 246 characters, not 0"),
            ({"keys": "unique", "name": "X", "listeners": [1]}, TypeError, "a registered name"),
            ({"keys": "unique", "name": "X", "listeners": "ear"}, TypeError, "a list of names, not 'ear'"),
        ],
    )
    def test_of_a_wrong_option_is_refused(
        self, node: LocalNode, options: Any, error: type[Exception], words: str
    ) -> None:
        def program() -> None:
            with pytest.raises(error, match=words):
                Registry.start(**options)

        run(node, program)

    def test_is_linked_to_a_supervisor_that_starts_it(self, node: LocalNode) -> None:
        def program() -> Any:
            def supervise(parent: Pid) -> None:
                spec = child(Registry, keys="unique", name="S")
                send(parent, (spec.id, spec.what.start_link(*spec.args, **spec.kwargs)))
                receive("end")

            supervisor = spawn(supervise, own_pid())
            started, owner = receive(timeout=60)
            ref = Process.monitor(owner)
            Process.exit(supervisor, "shutdown")
            down = receive(("DOWN", ref, "process", ..., ...), timeout=60)
            return started, down[4]

        assert run(node, program) == ("S", "shutdown")

    def test_answers_what_every_server_is_asked(self, node: LocalNode, names: str) -> None:
        def program() -> None:
            Registry.register(names, "k")
            assert Sys.get_state("U") == {"keys": "unique keys", "entries": 1}
            with pytest.raises(CallUndefined):
                GenServer.call("U", "what")
            assert Supervisor.which_children("U") == []
            spec = child(Registry, keys="duplicate", name="D")
            assert (spec.id, spec.type) == ("D", "supervisor")  # [P23]
            assert GenServer.stop("U") == "ok"
            assert Process.whereis("U") is None
            with pytest.raises(ValueError, match="unknown registry"):
                Registry.lookup(names, "k")

        run(node, program)

    def test_throws_messages_for_its_process_away(self, node: LocalNode, names: str) -> None:
        def program() -> Any:
            send("U", "hello")
            return Process.whereis("U")

        pid = run(node, program)
        process = node.kernel.tables.find(pid)
        assert process is not None
        until(lambda: len(process.mailbox) == 0)
        assert process.alive

    def test_keeps_values_of_its_own(self, node: LocalNode, names: str) -> None:
        def program() -> Any:
            put = Registry.put_meta(names, ("limit", 1), {"n": 3})
            return (
                put,
                Registry.meta(names, ("limit", 1)),
                Registry.meta(names, "none"),
                Registry.meta(names, 1, 2),
            )

        assert run(node, program) == ("ok", {"n": 3}, None, 2)

    def test_looks_up_on_any_thread_and_registers_processes_only(self, node: LocalNode, names: str) -> None:
        assert (Registry.lookup(names, "k"), Registry.count(names)) == ([], 0)
        with pytest.raises(NotAProcess):
            Registry.register(names, "k")
        with pytest.raises(NotAProcess):
            Registry.start_link(keys="unique", name="X")

    def test_starts_in_a_coroutine_by_its_twin(self, node: LocalNode) -> None:
        async def start() -> None:
            pid = await aio.Registry.start_link(keys="unique", name="A")
            assert await aio.Registry.start(keys="unique", name="B") == Process.whereis("B")
            assert pid == Process.whereis("A")
            with pytest.raises(ServerAlreadyStarted):
                await aio.Registry.start(keys="unique", name="A")
            send("tester", "started")

        def program() -> Any:
            Process.register(own_pid(), "tester")
            spawn_link(start)
            return receive(timeout=60)

        assert run(node, program) == "started"
