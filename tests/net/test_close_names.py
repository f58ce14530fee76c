"""close_names.py: Which node was meant by a name that no node has."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from pyx.errors import PyxError
from pyx.net import epmd_client
from pyx.net.close_names import close_name
from pyx.net.directory import HostDirectory
from pyx.net.tcp_carrier import TcpCarrier
from pyx.net.unix_carrier import UnixCarrier

if TYPE_CHECKING:
    from pyx.wire.epmd import NodeEntry


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("gsu", "gus"),
        ("GUS", "gus"),
        ("biling", "billing"),
        ("billingg", "billing"),
        ("store3", None),
        ("store", None),
        ("sto1re", "store1"),
        ("zz", None),
        ("gus", None),
        ("", None),
    ],
)
def test_close_name_is_that_of_a_slip_of_the_fingers(wrong: str, meant: str | None) -> None:
    assert close_name(wrong, ["gus", "billing", "store1", "store2"]) == meant


def refusal(carrier: UnixCarrier | TcpCarrier, name: str) -> str:
    with pytest.raises(PyxError) as refused:
        asyncio.run(carrier.connect(name))
    return str(refused.value)


def test_running_node_of_this_host_is_suggested_and_neither_a_dead_one_nor_this_one(
    short_directory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ERL_EPMD_PORT", "1")  # none answers there
    directory = HostDirectory(short_directory)
    own, other = directory.claim("ops@vm", 1, 1), directory.claim("gus@vm", 1, 1)
    carrier = UnixCarrier(directory, own)
    assert refusal(carrier, "gsu@vm") == "no node of that name runs on this host (did you mean gus?)"
    assert refusal(carrier, "osp@vm") == "no node of that name runs on this host"
    other.release()
    (own_files := directory.names()).remove("ops@vm")
    assert own_files == []
    assert refusal(carrier, "gsu@vm") == "no node of that name runs on this host"
    own.release()


@pytest.mark.parametrize("answers", [True, False])
def test_node_that_epmd_knows_is_suggested(answers: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    async def look_up(first: str, host: str) -> NodeEntry | None:
        assert (first, host) == ("gsu", "127.0.0.1")
        return None

    async def names(host: str) -> list[tuple[str, int]]:
        assert host == "127.0.0.1"
        if not answers:
            raise PyxError("it has ended meanwhile")
        return [("gus", 5), ("store", 6)]

    monkeypatch.setattr(epmd_client, "look_up", look_up)
    monkeypatch.setattr(epmd_client, "names", names)
    carrier = TcpCarrier("ops@127.0.0.1", hidden=False, listen=None, port=0, trouble=print)
    asked = " (did you mean gus?)" * answers
    assert refusal(carrier, "gsu@127.0.0.1") == f"EPMD on 127.0.0.1 knows no node of that name{asked}"
