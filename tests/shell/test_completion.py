"""completion.py, input_scanner.py, argument_names.py, child_names.py: Candidates, without running code."""

from __future__ import annotations

import builtins
import sys
from types import ModuleType
from typing import Any, NoReturn

import pytest

from pyx import DynamicSupervisor, GenServer, Supervisor, Sys, child, handle, receive
from pyx.shell.child_names import child_names
from pyx.shell.completion import NameSources, complete
from tests.otp.supervised import in_process
from tests.shell.completed import completed


class Shop(GenServer):
    @handle.call
    def sell(self, name: str, quantity: int = 1) -> int:
        return quantity

    @handle.cast
    def close(self) -> None: ...

    @property
    def name(self) -> NoReturn:
        raise AssertionError


class Plain:
    klass = 1

    def __init__(self) -> None:
        self.mine = 1
        self._hidden = 2

    def method(self) -> None: ...


class TestNames:
    def test_word_completes_to_globals_builtins_and_keywords(self) -> None:
        assert completed("pri") == ["print"]
        assert completed("x = prod", {"product": 1, "produce": 2}) == ["produce", "product"]
        assert completed("whi") == ["while"]
        assert completed("matc") == ["match"]

    def test_word_completes_to_project_modules_that_are_not_imported_yet(self) -> None:
        assert completed("produ", modules=["product_stock"]) == ["product_stock"]

    def test_word_in_a_call_completes_to_parameters(self) -> None:
        def spawned(stock: int, *, quantity: int) -> None: ...

        assert completed("spawned(quan", {"spawned": spawned}) == ["quantity="]
        assert completed("sorted([], revers") == ["reverse=", "reversed"]
        assert completed("'a'.split(maxs") == ["maxsplit="]
        assert completed("open('x', enc") == ["encoding="]

    def test_underscored_names_are_offered_after_a_typed_underscore(self) -> None:
        names = {"_private": 1, "public": 2}
        assert "_private" not in completed("", names)
        assert completed("_p", names) == ["_private"]
        assert "__import__" not in completed("_", names)
        assert "__import__" in completed("__im", names)

    def test_comment_and_number_have_no_candidates(self) -> None:
        assert completed("x # pri") == []
        assert completed("12") == []

    def test_start_is_the_first_character_of_the_word(self) -> None:
        assert complete("x = pri + 1", 7, NameSources({}, vars(builtins))) == (4, ["print"])


class TestAttributes:
    def test_attributes_of_an_instance_its_class_and_a_class(self) -> None:
        assert completed("a.m", {"a": Plain()}) == ["method", "mine"]
        assert completed("Plain.", {"Plain": Plain}) == ["klass", "method"]
        assert completed("a._h", {"a": Plain()}) == ["_hidden"]

    def test_attributes_of_a_module_and_of_its_members(self) -> None:
        module = ModuleType("stock")
        module.item = Plain()  # type: ignore[attr-defined]
        assert completed("stock.it", {"stock": module}) == ["item"]
        assert completed("stock.item.mi", {"stock": module}) == ["mine"]
        assert completed("f(stock.item.mi", {"stock": module}) == ["mine"]

    def test_attributes_of_items_and_slots(self) -> None:
        class Slotted:
            __slots__ = ("inner",)

            def __init__(self) -> None:
                self.inner = Plain()

        names: dict[str, Any] = {"a": [{"k": Plain()}], "s": Slotted()}
        assert completed("a[0]['k'].mi", names) == ["mine"]
        assert completed("s.in", names) == ["inner"]
        assert completed("s.inner.mi", names) == ["mine"]

    def test_unknown_value_has_no_attributes(self) -> None:
        assert completed("nope.x") == []
        assert completed("f().x") == []
        assert completed("a.nope.x", {"a": Plain()}) == []
        assert completed("(1 +.x") == []

    def test_attributes_of_a_public_class_with_static_methods(self) -> None:
        class Node:
            @staticmethod
            def ping(node: str) -> str:
                return node

        assert completed("Node.p", {"Node": Node}) == ["ping"]
        assert "__code__" in completed("Node.ping.__co", {"Node": Node})


def explode(*_args: Any) -> NoReturn:
    msg = "a hook ran"
    raise AssertionError(msg)


class Meta(type):
    __getattribute__ = explode
    __dir__ = explode
    __instancecheck__ = explode
    __subclasscheck__ = explode


class Mine(metaclass=Meta):
    """A class whose every hook raises."""

    __getattribute__ = explode
    __getattr__ = explode
    __dir__ = explode
    __eq__ = explode
    __hash__ = None  # type: ignore[assignment]
    __bool__ = explode
    __len__ = explode
    __iter__ = explode
    __getitem__ = explode
    __call__ = explode
    __repr__ = explode
    __class__ = property(explode)
    prop = property(explode)
    named = 5


class Descriptor:
    __get__ = explode
    __set__ = explode


class DictHook:
    __dict__ = property(explode)
    desc = Descriptor()
    visible = 1


class TestHooks:
    @pytest.fixture
    def names(self) -> dict[str, Any]:
        return {
            "mine": object.__new__(Mine),
            "Mine": Mine,
            "hook": DictHook(),
            "held": [object.__new__(Mine)],
        }

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("mine.na", ["named"]),
            ("mine.pr", ["prop"]),
            ("Mine.na", ["named"]),
            ("held[0].na", ["named"]),
            ("mine.prop.", []),
            ("mine[", None),
            ("mine['", []),
            ("mine(", None),
            ("f(mine, na", None),
            ("hook.vis", ["visible"]),
            ("hook.desc.", []),
            ("Node.ping(mine, '", []),
        ],
    )
    def test_no_hook_runs(self, names: dict[str, Any], text: str, found: list[str] | None) -> None:
        candidates = completed(text, names)
        if found is not None:
            assert candidates == found

    def test_keys_with_hooks_are_neither_compared_nor_offered(self) -> None:
        class Key:
            def __hash__(self) -> int:
                return hash("key")

            __eq__ = explode
            __repr__ = explode

        assert completed("d['k", {"d": {Key(): 1, "kind": 2}}) == ["kind"]
        assert completed("d['key'].x", {"d": {Key(): 1}}) == []

    def test_completion_imports_nothing(self) -> None:
        before = set(sys.modules)
        completed("import antigra")
        completed("antigravity.f")
        completed("from antigravity import f")
        assert set(sys.modules) == before


class TestStrings:
    NODES = ("a@vm", "server@vm")
    REGISTERED = ("product_stock", "pos")

    @pytest.mark.parametrize(
        "text",
        [
            'Node.ping("',
            'rpc.call("',
            "rpc.multicall(['a@vm', '",
            "rpc.pmap(['a@vm', '",
            "GenServer.multi_call(['",
            'send(("pos", "',
            'Process.send_interval(("pos", "',
            'await aio.rpc.call("',
            'top("',
            'ps("',
            'remsh("',
        ],
    )
    def test_string_argument_completes_to_node_names(self, text: str) -> None:
        assert completed(text, nodes=self.NODES, registered=self.REGISTERED) == ["a@vm", "server@vm"]

    @pytest.mark.parametrize(
        "text",
        [
            'send("',
            'send(("',
            'Process.whereis("',
            'x = [1, send(("',
            'Process.send("',
            'Process.send_interval("',
            'rpc.abcast(None, "',
        ],
    )
    def test_string_argument_completes_to_registered_names(self, text: str) -> None:
        assert completed(text, nodes=self.NODES, registered=self.REGISTERED) == ["pos", "product_stock"]

    @pytest.mark.parametrize(
        "text",
        [
            'GenServer.call("',
            'await aio.GenServer.call("',
            'GenServer.call(("',
            'GenServer.multi_call(["a@vm"], "',
            'Supervisor.tree("',
            'Supervisor.terminate_child("',
            'Task.Supervisor.async_(("',
            'Agent.get("',
            'Sys.get_state("',
            'Registry.lookup("',
            'PartitionSupervisor.via("',
            'Shop.sell("',
            'shops[0].sell("',
            'await Shop.sell.aio("',
            'Shop.sell.request(("',
            'Shop.close("',
        ],
    )
    def test_servers_complete_to_registered_names(self, text: str) -> None:
        names = {"Shop": Shop, "shops": [Shop]}
        assert completed(text, names, nodes=self.NODES, registered=self.REGISTERED) == [
            "pos",
            "product_stock",
        ]

    def test_node_of_a_server_completes_to_node_names(self) -> None:
        text = 'Shop.sell(("pos", "'
        assert completed(text, {"Shop": Shop}, nodes=self.NODES, registered=self.REGISTERED) == [*self.NODES]

    @pytest.mark.parametrize("text", ['Shop.sell("pos", "', 'Shop.sell.within("', 'Shop.name("', 'print(("'])
    def test_other_arguments_are_not_servers(self, text: str) -> None:
        assert completed(text, {"Shop": Shop}, nodes=self.NODES, registered=self.REGISTERED) == []

    def test_client_function_completes_to_its_parameters_and_its_forms(self) -> None:
        assert completed('Shop.sell("shop", quan', {"Shop": Shop}) == ["quantity="]
        assert completed("Shop.sell(sel", {"Shop": Shop}) == []
        assert completed("Shop.sell.wi", {"Shop": Shop}) == ["within"]

    @pytest.mark.parametrize("function", ["terminate_child", "restart_child", "delete_child"])
    def test_children_of_a_supervisor_complete_by_their_ids(self, function: str) -> None:
        children = {"shop": ["stock", "till"]}
        sources = NameSources({}, {}, children=children.__getitem__)
        text = f'Supervisor.{function}("shop", "s'
        assert complete(text, len(text), sources).candidates == ["stock"]
        text = f'Supervisor.{function}(("shop", "b"), "s'
        assert complete(text, len(text), sources).candidates == []

    @pytest.mark.parametrize(
        "text",
        [
            'PubSub.subscribe("',
            'await aio.PubSub.broadcast("',
            'PubSub.broadcast_from(self(), "',
            'PubSub.direct_broadcast("b", "',
            'Presence.track("',
        ],
    )
    def test_topics_complete_to_those_that_are_known(self, text: str) -> None:
        sources = NameSources({}, {}, nodes=lambda: self.NODES, topics=lambda: ["lobby", "orders"])
        assert complete(text, len(text), sources).candidates == ["lobby", "orders"]

    def test_instances_of_pubsub_and_presence_complete_as_keywords(self) -> None:
        sources = NameSources({}, {}, topics=lambda: ["lobby"], instances=lambda kind: [kind, f"my {kind}"])
        for text, found in (
            ('PubSub.subscribe("lobby", pubsub="', ["my pubsub", "pubsub"]),
            ('Presence.list("lobby", presence = "', ["my presence", "presence"]),
            ('child(Presence, name="rooms", pubsub="m', ["my pubsub"]),
            ('PubSub.subscribe(topic="', []),
            ('print(pubsub="', []),
        ):
            assert complete(text, len(text), sources).candidates == found

    def test_start_in_a_string_is_after_the_quote(self) -> None:
        text = 'Node.ping("server@'
        sources = NameSources({}, {}, nodes=lambda: self.NODES)
        assert complete(text, len(text), sources) == (11, ["server@vm"])

    def test_string_argument_of_rpc_completes_to_module_names(self) -> None:
        assert completed('rpc.call("a@vm", "prod', modules=["product_stock"]) == ["product_stock"]

    @pytest.mark.parametrize("text", ['print("', '"', 'send("x", "', 'Node.ping("a@vm") or f("'])
    def test_other_strings_have_no_candidates(self, text: str) -> None:
        assert completed(text, nodes=self.NODES, registered=self.REGISTERED) == []

    def test_subscript_completes_to_dict_keys(self) -> None:
        names = {"item": {"name": "nike", "qty": 3, 7: 1}}
        assert completed('item["', names) == ["name", "qty"]
        assert completed("item['n", names) == ["name"]
        assert completed("item[", names) == ["'name'", "'qty'", "7"]
        assert completed('print(item["q', names) == ["qty"]

    def test_escaped_quote_and_closed_string_are_recognised(self) -> None:
        assert completed(r'"a\"b', nodes=self.NODES) == []
        assert completed('"""a"b\n', nodes=self.NODES) == []
        assert completed('"a" + pri') == ["print"]


@in_process
def test_ids_of_children_are_read_without_asking_the_supervisor() -> None:
    stuck = [child(receive, "end", id=name) for name in ("stock", 7, "till")]
    Supervisor.start_link(stuck, strategy="one_for_one", name="shop")
    DynamicSupervisor.start_link(name="rooms")
    Sys.suspend("shop")
    assert child_names("shop") == ["stock", "till"]
    assert child_names("rooms") == []
    assert child_names("nothing") == []
