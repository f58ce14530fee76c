"""codec.py: A decoded value equals the encoded one exactly, for every kind of data."""

from __future__ import annotations

import dataclasses
import enum
import math
import struct
import uuid
from collections import namedtuple
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyx.errors import EncodeError
from pyx.signals import Payload
from pyx.terms import FunctionName, Incarnation, Pid, Raised, Ref, Struct
from pyx.wire.codec import decode, encode, is_flat
from pyx.wire.messages import decode as decoder

if TYPE_CHECKING:
    from collections.abc import Hashable

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")  # hypothesis, of `data`

HERE = Incarnation("here@vm", 7)
THERE = Incarnation("there@vm", 9)


def there_and_back(value: object) -> Any:
    return decode(Payload(encode(value)), None)


# ---------------------------------------------------------------- classes of a user


@dataclasses.dataclass
class Item:
    name: Any
    qty: Any = 1


@dataclasses.dataclass(frozen=True, slots=True)
class Point:
    x: Any
    y: Any


@dataclasses.dataclass
class Nothing:
    pass


@dataclasses.dataclass(slots=True)
class Slotted(Item):
    """Fields in a dict, in slots, from a class variable, and computed after the call."""

    shelf: Any = None
    serial: int = dataclasses.field(init=False, default=0)

    def __post_init__(self) -> None:
        self.serial += 1


class Pair(NamedTuple):
    left: Any
    right: Any = None


class Sum(namedtuple("Sum", "a b")):  # noqa: PYI024 - the other way to make one, with a method
    __slots__ = ()

    def total(self) -> Any:
        return self.a + self.b


class Colour(enum.Enum):
    RED = "r"
    BLUE = "b"
    CRIMSON = "r"  # noqa: PIE796 - an alias


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Word(enum.StrEnum):
    YES = "yes"


class Perm(enum.Flag):
    R = 4
    W = 2
    X = 1


class Mode(enum.IntFlag):
    A = 1
    B = 2


class Shop:
    @dataclasses.dataclass
    class Shelf:
        items: list[Any]

    @staticmethod
    def opening_hours() -> str:
        return "9 to 5"

    def price(self) -> int:
        return 1


def handle_stock() -> None:
    """A function that travels by name."""


# ---------------------------------------------------------------- exact equality


def same(a: Any, b: Any) -> bool:
    """Equal and of the same type all the way down; nan is nan, 0.0 is not -0.0, dicts keep their order."""
    if type(a) is not type(b):
        return False
    if type(a) is float:
        return struct.pack(">d", a) == struct.pack(">d", b) or (math.isnan(a) and math.isnan(b))
    if type(a) is Decimal:
        return bool(a.as_tuple() == b.as_tuple())
    if type(a) in {datetime, time}:
        return a.replace(tzinfo=None) == b.replace(tzinfo=None) and a.fold == b.fold and same_zone(a, b)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if type(a) is dict:
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a.items(), b.items(), strict=True))
    if isinstance(a, (set, frozenset)):
        left = list(b)
        for member in a:
            found = next((i for i, other in enumerate(left) if same(member, other)), None)
            if found is None:
                return False
            del left[found]
        return not left
    if dataclasses.is_dataclass(a) and not isinstance(a, type):
        return all(same(getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(a))
    if isinstance(a, enum.Enum):
        return a is b
    return bool(a == b)


def same_zone(a: Any, b: Any) -> bool:
    if type(a.tzinfo) is ZoneInfo:
        return type(b.tzinfo) is ZoneInfo and bool(a.tzinfo.key == b.tzinfo.key)
    return bool(repr(a.tzinfo) == repr(b.tzinfo)) and type(a.tzinfo) is type(b.tzinfo)


zones = st.one_of(
    st.none(),
    st.just(UTC),
    st.sampled_from(["Europe/Berlin", "America/New_York", "UTC"]).map(ZoneInfo),
    st.builds(
        timezone,
        st.timedeltas(timedelta(hours=-23), timedelta(hours=23)),
    ),
    st.builds(timezone, st.timedeltas(timedelta(hours=-23), timedelta(hours=23)), st.text(max_size=5)),
)
incarnations = st.tuples(st.sampled_from(["a@vm", "b@vm"]), st.integers(1, 2**32 - 1))
pids = st.one_of(
    st.builds(Pid, st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1)),
    st.builds(
        lambda n, s, incarnation: Pid(n, s, *incarnation),
        st.integers(0, 2**28),
        st.integers(0, 9),
        incarnations,
    ),
)
refs = st.one_of(
    st.builds(Ref, st.integers(0, 2**64 - 1)),
    st.builds(lambda n, incarnation: Ref(n, *incarnation), st.integers(0, 2**64 - 1), incarnations),
)
any_text = st.text(st.characters(exclude_categories=[]), max_size=8)
hashable_leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**70), 2**70),
    st.integers(0, 600).map(lambda bits: -(2**bits)),
    st.integers(0, 600).map(lambda bits: 2**bits - 1),
    st.floats(),
    any_text,
    st.binary(max_size=12),
    st.dates(),
    st.times(timezones=zones),
    st.datetimes(timezones=zones, allow_imaginary=True),
    st.timedeltas(),
    st.decimals().filter(lambda value: not value.is_snan()),
    st.uuids(),
    pids,
    refs,
    st.sampled_from([Colour.RED, Level.HIGH, Word.YES, Perm.R, Perm.R | Perm.X, Perm(0), Mode.A | Mode.B]),
    st.sampled_from([len, handle_stock, Item, int, Shop.opening_hours, Shop.price, str.upper, date]),
    st.builds(Raised, any_text, any_text, any_text),
    st.builds(FunctionName, any_text, any_text),
)  # fmt: skip
hashables: st.SearchStrategy[Hashable] = st.recursive(
    hashable_leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(tuple),
        st.frozensets(inner, max_size=3),
        st.builds(Point, inner, inner),
        st.builds(Pair, inner, inner),
        st.builds(Struct, any_text, st.lists(st.tuples(any_text, inner), max_size=3).map(tuple)),
    ),
    max_leaves=6,
)
data = st.recursive(
    st.one_of(hashable_leaves, st.just(Decimal("-sNaN12")), st.just(Nothing())),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(hashables, inner, max_size=3),
        st.sets(hashables, max_size=3),
        st.frozensets(hashables, max_size=3),
        st.builds(Item, inner, inner),
        st.builds(Point, inner, inner),
        st.builds(Slotted, inner, inner, inner),
        st.builds(Pair, inner, inner),
        st.builds(Sum, inner, inner),
        st.builds(Shop.Shelf, st.lists(inner, max_size=2)),
        st.builds(Struct, any_text, st.lists(st.tuples(any_text, inner), max_size=3).map(tuple)),
    ),
    max_leaves=20,
)


class TestExactness:
    @given(data)
    def test_decoded_value_equals_the_encoded_one_exactly(self, value: Any) -> None:
        assert same(there_and_back(value), value)

    @given(data)
    def test_decoded_value_can_be_encoded_again(self, value: Any) -> None:
        assert same(there_and_back(there_and_back(value)), value)

    @pytest.mark.parametrize(
        "value",
        [
            float("nan"), -0.0, True, 1, 1.0, 2**64, -(2**63) - 1, 10**4000, "\ud800", "a\udfffb", b"", "",
            (), [], {}, set(), frozenset(), ((),), [()], {(): {}}, {(1, (2, 3)): "x", frozenset({1}): "y"},
            {1.5: 1, None: 2, "1": 3, b"1": 4, True: 5}, {float("nan"): 1},
            datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin")),
            datetime.max, datetime.min,  # noqa: DTZ901
            time(1, 2, 3, 4, tzinfo=ZoneInfo("Europe/Berlin"), fold=1),
            datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=1), "mine")),
            datetime(2024, 1, 1, tzinfo=timezone(timedelta(seconds=1, microseconds=1))),
            timedelta.min, timedelta.max, date.max, Decimal("-0E-10"), Decimal("Infinity"), Decimal("NaN123"),
            uuid.UUID(int=0), Nothing(), Slotted("a", shelf=3), Sum(1, 2), Colour.CRIMSON, Perm.R | Perm.W,
            [Item("nike", 30)] * 3, {Point(1, Point(2, 3)): "p"}, {Pid(1), Ref(2)}, Shop.Shelf([1]),
            Shop.opening_hours, Shop.price, Shop.Shelf, Struct("a.B", (("x", [1]),)), FunctionName("a", "b"),
        ],
    )  # fmt: skip
    def test_corner_values_are_exact(self, value: Any) -> None:
        assert same(there_and_back(value), value)

    def test_order_of_a_dict_is_kept(self) -> None:
        assert list(there_and_back({"z": 1, "a": 2, "m": 3})) == ["z", "a", "m"]

    @pytest.mark.parametrize("view", [bytearray(b"xy"), memoryview(b"xy"), memoryview(b"axby")[::2]])
    def test_bytearray_and_memoryview_are_refused(self, view: Any) -> None:
        with pytest.raises(EncodeError, match=r"cannot send message\[0\]: .* is not data") as caught:
            encode([view])
        assert caught.value.hint == "send bytes(x)"
        assert there_and_back([bytes(view)]) == [bytes(view)]

    def test_exception_arrives_as_raised(self) -> None:
        assert there_and_back(("DOWN", ValueError("no"))) == ("DOWN", Raised("ValueError", "no"))
        assert there_and_back(KeyError()) == Raised("KeyError", "")

    def test_payload_decoded_twice_shares_nothing(self) -> None:
        payload = Payload(encode({"stock": [Item("nike")]}))
        first, second = decode(payload, None), decode(payload, None)
        first["stock"][0].name = "adidas"
        assert second == {"stock": [Item("nike")]}

    def test_later_changes_of_the_value_do_not_reach_the_payload(self) -> None:
        stock = [1]
        payload = Payload(encode(stock))
        stock.append(2)
        assert decode(payload, None) == [1]

    def test_new_combination_of_flags_is_made_on_arrival(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(globals(), "Fresh", enum.Flag("Fresh", "A B", module=__name__, qualname="Fresh"))
        payload = Payload(encode(globals()["Fresh"](3)))
        monkeypatch.setitem(globals(), "Fresh", enum.Flag("Fresh", "A B", module=__name__, qualname="Fresh"))
        opened = decode(payload, None)
        assert opened is globals()["Fresh"](3)
        assert opened.name == "A|B"

    def test_uuid_keeps_its_safety(self) -> None:
        for safety in uuid.SafeUUID:
            assert there_and_back(uuid.UUID(int=5, is_safe=safety)).is_safe is safety


class TestDepth:
    @pytest.mark.parametrize(
        "wrap",
        [
            lambda inner: [inner],
            lambda inner: (inner,),
            lambda inner: frozenset([inner]),
            lambda inner: {0: inner},
            Item,
            Pair,
            lambda inner: Struct("a.B", (("x", inner),)),
        ],
        ids=["list", "tuple", "frozenset", "dict", "dataclass", "namedtuple", "Struct"],
    )
    def test_depth_of_256_is_allowed_and_257_refused(self, wrap: Any) -> None:
        value: Any = 1
        for _ in range(256):
            value = wrap(value)
        payload = Payload(encode(value))
        opened = decode(payload, None)
        assert encode(opened) == payload.data
        with pytest.raises(TypeError, match=r"message: .* nests deeper than 256 containers"):
            encode(wrap(value))

    def test_wide_message_is_not_too_deep(self) -> None:
        value = [((),) for _ in range(2000)]
        assert there_and_back(value) == value

    def test_key_may_nest_as_deep_as_a_value(self) -> None:
        key: Any = 1
        for _ in range(255):
            key = (key,)
        assert there_and_back({key: "x"}) == {key: "x"}
        assert there_and_back({key}) == {key}


class TestPids:
    """A pid or reference without a node belongs to the node that encoded it."""

    def test_own_pids_stay_local_inside_a_node(self) -> None:
        assert there_and_back((Pid(5), Ref(6))) == (Pid(5), Ref(6))
        assert decode(Payload(encode(Pid(5))), HERE) == Pid(5)

    def test_pids_without_a_node_belong_to_the_origin(self) -> None:
        payload = Payload(encode({(Pid(5, 1),): [Ref(6)]}), THERE)
        assert decode(payload, HERE) == {(Pid(5, 1, *THERE),): [Ref(6, *THERE)]}

    def test_pid_that_comes_back_is_local(self) -> None:
        payload = Payload(encode((Pid(5, 0, *HERE), Ref(6, *HERE))), THERE)
        assert decode(payload, HERE) == (Pid(5), Ref(6))

    def test_pid_of_an_earlier_incarnation_stays_foreign(self) -> None:
        earlier = Pid(5, 0, HERE.name, HERE.creation + 1)
        assert decode(Payload(encode(earlier), THERE), HERE) == earlier

    def test_pid_of_a_third_node_stays_foreign(self) -> None:
        third = Pid(5, 0, "third@vm", 3)
        assert decode(Payload(encode(third), THERE), HERE) == third
        assert decode(Payload(encode(third)), None) == third

    def test_pids_decoded_before_are_kept_in_a_bounded_number(self) -> None:
        pids = [Pid(number, 0, *THERE) for number in range(1, 3000)]
        assert decode(Payload(encode(pids)), HERE) == pids
        assert decoder._pid.cache_info().currsize == 1024
        assert decode(Payload(encode(pids)), HERE) == pids

    def test_origin_of_one_payload_does_not_leak_into_the_next(self) -> None:
        data = encode(Pid(5))
        assert decode(Payload(data, THERE), HERE) == Pid(5, 0, *THERE)
        assert decode(Payload(data, HERE), HERE) == Pid(5)
        assert decode(Payload(data), None) == Pid(5)


class TestFlat:
    @pytest.mark.parametrize("value", [None, True, 1, 2.0, "a", b"b", Pid(1), Ref(1), (), (1, "a", Pid(1))])
    def test_scalars_and_tuples_of_them_are_flat(self, value: Any) -> None:
        assert is_flat(value)

    @pytest.mark.parametrize("value", [[], {}, ((),), ([],), Level.LOW, Pair(1), bytearray(), {1}, len])
    def test_other_values_are_not_flat(self, value: Any) -> None:
        assert not is_flat(value)

    def test_object_of_an_unhashable_class_is_not_flat(self) -> None:
        class Meta(type):
            __hash__ = None  # type: ignore[assignment]

        class Odd(metaclass=Meta):
            pass

        assert not is_flat(Odd())
        assert not is_flat((1, Odd()))
