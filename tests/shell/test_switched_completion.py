"""switched_completion.py, local_completion.py: Tab belongs to the prompt that is shown."""

from __future__ import annotations

from pyx.shell.call_signature import CallSignature
from pyx.shell.completion import Completion
from pyx.shell.switched_completion import SwitchedCompletion


class Names:
    def __init__(self, name: str) -> None:
        self._name = name

    def complete(self, text: str, cursor: int) -> Completion:
        return Completion(cursor - len(text), [self._name])

    def signature(self, callee: str) -> CallSignature | None:
        return CallSignature(callee, [self._name])


def test_prompt_that_is_shown_is_asked() -> None:
    switched = SwitchedCompletion(Names("local"))
    assert switched.complete("x", 1) == (0, ["local"])
    switched.remote = Names("remote")
    assert switched.complete("x", 1) == (0, ["remote"])
    assert switched.signature("f") == ("f", ["remote"])
    switched.remote = None
    assert switched.signature("f") == ("f", ["local"])
