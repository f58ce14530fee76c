"""What a shell's own inputs are completed with: the names of its evaluator and its project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyx.nodes import Node
from pyx.process import Process

if TYPE_CHECKING:
    from pyx.shell.call_signature import CallSignature
    from pyx.shell.completion import Completion
    from pyx.shell.evaluate import Evaluator
    from pyx.shell.project import Project
    from pyx.shell.static_values import NameSources


class LocalCompletion:
    """Completes the inputs of *evaluator*."""

    def __init__(self, evaluator: Evaluator, project: Project) -> None:
        self._evaluator = evaluator
        self._project = project

    def complete(self, text: str, cursor: int) -> Completion:
        """Returns the candidates at the cursor."""
        from pyx.shell.completion import complete  # loaded for the first Tab

        return complete(text, cursor, self._sources())

    def signature(self, callee: str) -> CallSignature | None:
        """Returns the parameters of a callee, as it is written; None if they are not known."""
        from pyx.shell.call_signature import call_signature  # loaded for the first call that is typed
        from pyx.shell.static_values import known_value

        return call_signature(known_value(callee, self._sources()), callee)

    def _sources(self) -> NameSources:
        from pyx.shell.child_names import child_names
        from pyx.shell.static_values import NameSources
        from pyx.shell.topic_names import instance_names, topic_names

        return NameSources(
            self._evaluator.names,
            self._evaluator.lower,
            self._project.module_names,
            lambda: Node.list("known", "this"),
            Process.registered,
            children=child_names,
            topics=topic_names,
            instances=instance_names,
        )
