"""cookies.py, transport.py: Handshakes between nodes with the same and with different cookies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyx.net.cookie import Cookie
from tests.local_nodes import (
    LocalNodes,
    ping,
    until,
)

if TYPE_CHECKING:
    import pytest

    from pyx.runtime.transport import Transport

WEAK = {"cookie": "pyx1-" + "1" * 43}


class TestCookies:
    def test_wrong_cookie_is_logged_with_its_reason_by_the_asking_node(
        self, nodes: LocalNodes, caplog: pytest.LogCaptureFixture
    ) -> None:
        a, _ = nodes.start("a"), nodes.start("b", **WEAK)
        assert ping(a, "b") == "pang"
        assert "cannot connect to b@test: " in caplog.text
        assert "cookie" in caplog.text

    def test_cookie_for_one_peer_overrides_the_cookie_for_all(self, nodes: LocalNodes) -> None:
        a, b = nodes.start("a"), nodes.start("b", **WEAK)
        assert a.transport is not None
        assert b.transport is not None
        a.transport.cookies.set(WEAK["cookie"], "b@test")
        b.transport.cookies.set(WEAK["cookie"], None)
        assert ping(a, "b") == "pong"
        assert a.transport.cookies.cookie == Cookie("pyx1-" + "0" * 43)
        assert a.transport.key_for("c@test") != a.transport.key_for("b@test")

    def test_log_of_refused_connections_is_rate_limited(
        self, nodes: LocalNodes, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("pyx.runtime.rate_limited_log.PAUSE_SECONDS", 0.0)
        a = nodes.start("a")
        assert a.transport is not None

        def refused(transport: Transport) -> None:  # in one turn of the loop, so before any pause is over
            for reason in ("it hung up in TLS", "100% nonsense", "wrong cookie"):
                transport.connection_refused(reason)

        a.transport_loop.call(refused, a.transport)
        until(lambda: len(caplog.records) >= 2)
        assert [record.getMessage() for record in caplog.records] == [
            "refused a connection: it hung up in TLS",
            "refused a connection: wrong cookie (and 1 more since the last line)",
        ]
