"""The topics and the instances of PubSub and Presence on this node, for completion."""

from __future__ import annotations

import sys

from pyx.runtime.local_node import this_node


def topic_names() -> list[str]:
    """Returns the topics with a subscriber here, or with a presence on any node."""
    if "pyx.pubsub.instance_names" not in sys.modules:  # loaded by the first use of either
        return []
    from pyx.pubsub.instance_names import known_topics

    return known_topics()


def instance_names(kind: str) -> list[str]:
    """Returns the instances of `"pubsub"`, or of `"presence"`."""
    if "pyx.pubsub.instance_names" not in sys.modules:
        return [kind]  # the one that is always there
    from pyx.pubsub.instance_names import known_instances

    with this_node().kernel_call as kernel:
        return known_instances(kernel, "PubSub" if kind == "pubsub" else "Presence")
