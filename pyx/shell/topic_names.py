"""The topics and the instances of PubSub and Presence on this node, for completion."""

from __future__ import annotations

import sys


def topic_names() -> list[str]:
    """Returns the topics with a subscriber here, or with a presence on any node."""
    if "pyx.pubsub.instances" not in sys.modules:  # loaded by the first use of either
        return []
    from pyx.pubsub.instances import known_topics

    return known_topics()


def instance_names(kind: str) -> list[str]:
    """Returns the instances of `"pubsub"`, or of `"presence"`."""
    if "pyx.pubsub.instances" not in sys.modules:
        return [kind]  # the one that is always there
    from pyx.pubsub.instances import known_instances

    return known_instances(kind)
