"""exception_table.py: The blocks around an instruction, as the compiler has recorded them."""

from __future__ import annotations

import dis
from typing import TYPE_CHECKING

from pyx.execution.exception_table import is_still_protected

if TYPE_CHECKING:
    from collections.abc import Callable


def call() -> None:
    """The call at which the tested code is interrupted."""


def marker() -> None:
    """Marks the instructions that a test asks about."""


def protection_after_the_call(code_of: Callable[..., object]) -> list[bool]:
    """Returns for each `marker` in *code_of* whether it is protected by the block around the call."""
    code = code_of.__code__
    instructions = list(dis.get_instructions(code))
    loaded = next(at for at, found in enumerate(instructions) if found.argval == "call")
    calling = next(found.offset for found in instructions[loaded:] if found.opname == "CALL")
    return [
        is_still_protected(code, calling, found.offset) for found in instructions if found.argval == "marker"
    ]


class TestCallInBlock:
    def test_call_in_a_block_is_protected_until_the_block_ends(self) -> None:
        def code() -> None:
            try:
                call()
                marker()
            finally:
                pass
            marker()

        assert protection_after_the_call(code) == [True, False]

    def test_call_in_a_block_is_protected_in_inner_blocks_too(self) -> None:
        def code() -> None:
            try:
                call()
                try:
                    try:
                        marker()
                    finally:
                        marker()
                except ValueError:
                    marker()
            except TypeError:
                marker()

        *inside, outside = protection_after_the_call(code)
        assert all(inside)
        assert not outside

    def test_call_in_a_block_is_not_protected_in_the_cleanup(self) -> None:
        def code() -> None:
            try:
                call()
            finally:
                marker()

        assert protection_after_the_call(code) == [False, False]  # after a value, and after an exception

    def test_call_in_a_return_statement_is_not_protected_in_the_cleanup(self) -> None:
        def code() -> None:
            try:
                return call()
            finally:
                marker()

        assert not any(protection_after_the_call(code))


class TestCallOutsideBlocks:
    def test_call_outside_blocks_needs_no_protection(self) -> None:
        def code() -> None:
            call()
            marker()
            try:
                marker()
            finally:
                marker()

        assert all(protection_after_the_call(code))
