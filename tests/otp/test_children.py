"""children.py, child_errors.py: what a supervisor can be given as a child, and what is refused."""

from __future__ import annotations

from types import ModuleType
from typing import Any, ClassVar

import pytest

from pyx.otp.child_errors import ChildNotFound, ChildSpecInvalid
from pyx.otp.children import ChildSpec, child, spec_of, specs_of


class Cache:
    @classmethod
    def start_link(cls, *args: Any, **kwargs: Any) -> None: ...


class Room:
    child_options: ClassVar = {"restart": "transient", "shutdown": 1.0, "id": "room"}

    @classmethod
    def start_link(cls) -> None: ...


class Hall:
    child_options: ClassVar = {"type": "supervisor"}

    @classmethod
    def start_link(cls) -> None: ...


class Garden:
    """Knows how to be a child."""

    @staticmethod
    def child(name: str = "garden", *, trees: int = 0) -> ChildSpec:
        return child(Cache, trees, id=name)


def loop(number: int) -> None: ...


async def aloop() -> None: ...


def test_p23_defaults_are_those_of_otp() -> None:
    spec = child(Cache, "prices", ttl=60)
    assert spec == ChildSpec("Cache", Cache, ("prices",), {"ttl": 60})
    assert (spec.restart, spec.shutdown, spec.type, spec.significant) == ("permanent", 5.0, "worker", False)


def test_id_is_the_name_or_the_qualified_name_unless_it_is_given() -> None:
    assert child(Cache, name="prices").id == "prices"
    assert child(Cache, name="prices", id=7).id == 7
    assert child(loop, 1).id == "loop"
    assert child(Cache, id=0).id == 0


def test_name_is_passed_on_to_start_link() -> None:
    assert child(Cache, name="prices").kwargs == {"name": "prices"}


def test_p23_class_declares_options_that_a_call_overrides() -> None:
    spec = child(Room)
    assert (spec.id, spec.restart, spec.shutdown) == ("room", "transient", 1.0)
    spec = child(Room, id="other", restart="temporary", shutdown=None)
    assert (spec.id, spec.restart, spec.shutdown) == ("other", "temporary", None)


def test_supervisor_has_no_limit_to_stop() -> None:
    assert child(Hall).shutdown is None
    assert child(Hall, shutdown=2).shutdown == 2
    assert child(Cache, type="supervisor").shutdown is None


def test_functions_are_children() -> None:
    assert [spec.is_function for spec in (child(loop, 1), child(aloop), child(Cache))] == [True, True, False]


def test_items_of_a_list_have_short_forms() -> None:
    assert spec_of(Cache) == child(Cache)
    assert spec_of(aloop) == child(aloop)
    assert spec_of((Cache, "prices")) == child(Cache, "prices")
    assert spec_of((Cache, "prices", {"ttl": 60})) == child(Cache, "prices", ttl=60)
    assert spec_of((Cache, {"name": "prices"})).id == "prices"
    assert spec_of((Cache, {1: 2})).args == ({1: 2},)  # a dict of data, and not of names
    assert spec_of((loop, 3)) == child(loop, 3)


def test_what_knows_how_to_be_a_child_says_so() -> None:
    assert spec_of(Garden) == child(Cache, 0, id="garden")
    assert spec_of((Garden, "park", {"trees": 3})) == child(Cache, 3, id="park")
    spec = child(Cache)
    assert spec_of(spec) is spec


@pytest.mark.parametrize("item", ["nope", 3, None, (), ("nope", 1), {"id": 1}, object])
def test_p22_what_cannot_be_a_child_is_refused_with_what_to_give(item: Any) -> None:
    with pytest.raises(ChildSpecInvalid) as refused:
        spec_of(item)
    assert refused.value.reason in {
        ("start_spec", "invalid_child_spec"),
        ("start_spec", "missing_start"),
    }
    assert refused.value.hint is not None


def test_p22_class_without_start_link_is_named() -> None:
    with pytest.raises(ChildSpecInvalid, match="the class object has no start_link"):
        child(object)


def test_child_method_that_returns_something_else_is_refused() -> None:
    class Wrong:
        @staticmethod
        def child() -> int:
            return 3

    with pytest.raises(ChildSpecInvalid, match=r"Wrong.child\(\) returned 3"):
        spec_of(Wrong)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"restart": "always"}, "restart is one of 'permanent', 'transient', 'temporary'"),
        ({"restart": []}, "restart is one of"),
        ({"type": "boss"}, "type is one of"),
        ({"shutdown": -1}, "shutdown is seconds"),
        ({"shutdown": "5"}, "shutdown is seconds"),
        ({"shutdown": True}, "shutdown is seconds"),
        ({"shutdown": float("nan")}, "shutdown is seconds"),
        ({"shutdown": 10**400}, "shutdown is seconds"),
        ({"id": []}, "must be hashable"),
        ({"significant": True}, "a permanent child cannot be significant"),
    ],
)
def test_options_without_a_meaning_are_refused(options: dict[str, Any], word: str) -> None:
    with pytest.raises(ChildSpecInvalid, match=word):
        child(Cache, **options)


def test_declared_options_that_do_not_exist_are_refused() -> None:
    class Wrong:
        child_options: ClassVar = {"restrat": "temporary"}

        @classmethod
        def start_link(cls) -> None: ...

    with pytest.raises(ChildSpecInvalid, match="restrat"):
        child(Wrong)


def test_p5_two_children_of_one_id_are_refused() -> None:
    with pytest.raises(ChildSpecInvalid, match="two children have the id 'a'") as refused:
        specs_of([child(Cache, id="a"), child(loop, 1, id="a")])
    assert refused.value.reason == ("start_spec", ("duplicate_child_name", "a"))


def test_list_of_children_keeps_its_order() -> None:
    assert [spec.id for spec in specs_of([Cache, (loop, 1), Garden])] == ["Cache", "loop", "garden"]
    assert [spec.id for spec in specs_of(iter([Cache]))] == ["Cache"]


@pytest.mark.parametrize("items", ["abc", {"a": 1}, None, 3, child(Cache)])
def test_what_is_not_a_list_of_children_is_refused(items: Any) -> None:
    with pytest.raises(ChildSpecInvalid, match="a supervisor takes a list of children"):
        specs_of(items)


def test_refusal_names_the_child_and_has_the_word_of_otp() -> None:
    refused = ChildNotFound("stock")
    assert (refused.child, refused.reason) == ("stock", "not_found")
    assert str(refused) == "the child 'stock' is not among those of this supervisor"
    assert isinstance(refused, LookupError)


def test_module_that_has_imported_child_is_not_a_child() -> None:
    module = ModuleType("shop")
    vars(module)["child"] = child
    with pytest.raises(ChildSpecInvalid, match="cannot be a child of a supervisor"):
        specs_of([module])
