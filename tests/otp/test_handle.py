"""handle.py, handler_signatures.py, client_functions.py, handler_results.py: methods become handlers."""

from __future__ import annotations

from typing import Any

import pytest

from pyx import GenServer, handle
from pyx.otp.handle import Handler
from pyx.otp.handler_results import Continue, Ignore, NoReply, Reply, Stop, as_result
from pyx.otp.handler_signatures import HandlerSignature


class Shop(GenServer):
    """A server that is not started."""

    @handle.call
    def sell(self, name: str, qty: int = 1, colour: str = "red", *, note: str = "", vip: bool = False) -> str:
        """Sells something."""
        return f"{qty} {colour} {name}{note}{vip}"

    @handle.call
    def many(self, *names: str) -> int:
        return len(names)

    @handle.cast
    def close(self, *, soon: bool) -> None: ...


SELL = HandlerSignature(vars(Shop)["sell"].function)


def test_client_function_has_the_name_and_the_text_of_its_method() -> None:
    client: Any = Shop.sell
    assert client.__name__ == "sell"
    assert client.__doc__ == "Sells something."
    assert client.__wrapped__ is vars(Shop)["sell"].function


def test_client_function_is_shown_with_its_parameters() -> None:
    assert repr(Shop.many) == "<call Shop.many(*names)>"
    assert repr(Shop.many.within(1.0)) == "<call Shop.many(*names)>"
    assert repr(Shop.close) == "<cast Shop.close(*, soon)>"


def test_method_of_an_instance_is_the_method() -> None:
    shop = GenServer.harness(Shop)
    assert shop.sell("shoe", 2) == "2 red shoeFalse"
    assert shop.many("a", "b") == 2


@pytest.mark.parametrize(
    ("args", "kwargs", "request_"),
    [
        (("shoe",), {}, ("sell", "shoe")),
        (("shoe", 2), {}, ("sell", "shoe", 2)),
        ((), {"name": "shoe"}, ("sell", "shoe")),
        (("shoe",), {"qty": 3}, ("sell", "shoe", 3)),
        (("shoe",), {"colour": "blue"}, ("sell", "shoe", 1, "blue")),  # the default before it takes its place
        (("shoe",), {"vip": True}, ("sell", "shoe", 1, "red", {"vip": True})),
        (("shoe", 2), {"note": "!", "vip": True}, ("sell", "shoe", 2, "red", {"note": "!", "vip": True})),
    ],
)
def test_request_of_arguments_and_back(args: Any, kwargs: Any, request_: Any) -> None:
    assert SELL.request("sell", args, kwargs, shown="Shop.f") == request_
    given = SELL.arguments(request_[1:])
    assert given is not None
    function = vars(Shop)["sell"].function
    assert function(None, *given[0], **given[1]) == function(None, *args, **kwargs)


def test_request_without_arguments_is_the_name() -> None:
    assert HandlerSignature(vars(Shop)["many"].function).request("many", (), {}, shown="Shop.f") == "many"


@pytest.mark.parametrize(
    "given", [(), ("a", 1, "red", "more"), ("a", 1, "red", {"nope": 1}), ("a", 1, "red", {}, {})]
)
def test_arguments_that_do_not_fit_are_none(given: Any) -> None:
    assert SELL.arguments(given) is None


def test_keyword_only_argument_that_is_needed_follows_as_a_dict() -> None:
    close = HandlerSignature(vars(Shop)["close"].function)
    assert close.request("close", (), {"soon": True}, shown="Shop.f") == ("close", {"soon": True})
    assert close.arguments(({"soon": True},)) == ((), {"soon": True})
    assert close.arguments(()) is None
    with pytest.raises(TypeError, match="soon"):
        close.request("close", (), {}, shown="Shop.close")


def test_signature_is_shown_without_annotations() -> None:
    assert str(SELL) == "(name, qty=1, colour='red', *, note='', vip=False)"


def test_handler_whose_request_could_not_tell_its_arguments_apart_is_refused() -> None:
    def both(self: Any, *names: str, note: str) -> None: ...

    with pytest.raises(TypeError, match="both"):
        Handler(both, is_call=True)


@pytest.mark.parametrize("wrong", [7, "add", int, None])
def test_only_a_function_is_decorated(wrong: Any) -> None:
    with pytest.raises(TypeError, match="decorates a method"):
        handle.cast(wrong)


def test_handler_under_a_second_name_has_that_name() -> None:
    class Two(GenServer):
        def _put(self) -> str:
            return "put"

        put = handle.call(_put)

    assert Two.put.name == "put"


@pytest.mark.parametrize(
    ("value", "kind"),
    [(NoReply, NoReply), (NoReply(), NoReply), (Stop, Stop), (Ignore, Ignore), (Reply, Reply)],
)
def test_class_of_a_result_is_a_result(value: Any, kind: type) -> None:
    assert isinstance(as_result(value), kind)


@pytest.mark.parametrize("value", [None, 7, "ok", int, Continue, ValueError()])
def test_other_values_are_no_results(value: Any) -> None:
    assert as_result(value) is None


def test_arguments_that_a_handler_does_not_take_are_refused_with_what_it_takes() -> None:
    shop: Any = Shop
    for call, problem in (
        (lambda: shop.close("shop", 1), "Shop.close takes (server, *, soon): too many positional arguments"),
        (
            lambda: shop.many("shop", n=1),
            "Shop.many takes (server, *names): got an unexpected keyword argument",
        ),
    ):
        with pytest.raises(TypeError) as refused:
            call()  # type: ignore[no-untyped-call] # a lambda
        assert str(refused.value).startswith(problem)


def test_function_without_self_is_refused() -> None:
    def sell() -> None: ...

    with pytest.raises(TypeError, match="takes no `self`"):
        Handler(sell, is_call=True)


@pytest.mark.parametrize("wrong", [KeyError, ["KeyError"], (KeyError(),), (int,)])
def test_raises_is_a_tuple_of_exceptions(wrong: Any) -> None:
    def sell(self: Any) -> None: ...

    with pytest.raises(TypeError, match=r"raises is a tuple of exceptions, as \(KeyError,\), not "):
        handle.call(raises=wrong)(sell)


def test_handle_alone_is_refused() -> None:
    decorator: Any = handle
    with pytest.raises(TypeError, match=r"decorated with @handle.call or @handle.cast"):
        decorator(lambda self: None)


@pytest.mark.parametrize("name", ["init", "terminate", "start_link"])
def test_handler_with_the_name_of_a_callback_or_a_start_is_refused(name: str) -> None:
    def sell(self: Any) -> None: ...

    with pytest.raises(TypeError, match=f"Shop.{name} cannot be a handler: GenServer has its own {name}"):
        type("Shop", (GenServer,), {name: handle.call(sell)})
