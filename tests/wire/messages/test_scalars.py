"""scalars.py: Big ints, dates and time zones arrive as they were sent."""

from __future__ import annotations

import subprocess
import sys
import zoneinfo
from datetime import UTC, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgpack
import pytest

from pyx.errors import DecodeError, EncodeError
from pyx.signals import Payload
from pyx.terms import Raised
from pyx.wire.codec import decode, encode
from pyx.wire.messages import format


def opened(kind: int, *parts: object) -> Any:
    return decode(Payload(msgpack.packb([format.tag(kind), *parts])), None)


class TestBigInts:
    def test_int_of_any_size_is_exact(self) -> None:
        for value in (2**64, -(2**63) - 1, 2**71 - 1, 2**71, -(2**71), -(2**71) - 1, 10**5000):
            assert decode(Payload(encode(value)), None) == value


class TestRaised:
    def test_frames_arrive_too(self) -> None:
        sent = Raised("ValueError", "no", "Traceback ...", frames=(("shop.py", 7, "total", 1),))
        got = decode(Payload(encode(sent)), None)
        assert got == sent
        assert got.frames == sent.frames

    @pytest.mark.parametrize(
        "frames", [7, [7], [["shop.py", 7, "total"]], [["shop.py", 7, "total", None]], [[b"", 7, "total", 1]]]
    )
    def test_frames_of_another_shape_are_refused(self, frames: object) -> None:
        with pytest.raises(DecodeError):
            opened(format.RAISED, "ValueError", "no", "", frames)


class TestTimeZones:
    def test_known_zone_arrives_as_itself(self) -> None:
        moment = datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin"))
        again = decode(Payload(encode(moment)), None)
        assert again.tzinfo is ZoneInfo("Europe/Berlin")
        assert (again.fold, again.utcoffset()) == (1, timedelta(hours=1))

    def test_utc_arrives_as_the_singleton(self) -> None:
        assert decode(Payload(encode(datetime(2024, 1, 1, tzinfo=UTC))), None).tzinfo is UTC

    @pytest.mark.parametrize(
        "key", ["../../etc/passwd", "/etc/passwd", "Europe", "x" * 500, "", "\0", "posixrules/"]
    )
    def test_unknown_time_zone_keeps_its_name_and_offset(self, key: str) -> None:
        value = opened(format.DATETIME, 2024, 1, 1, 0, 0, 0, 0, 0, 3_600_000_000, key, True)
        assert value == datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=1), key))
        assert value.tzname() == key

    def test_zone_of_a_peer_is_decoded_without_an_import(self) -> None:
        payload = encode(datetime(2024, 7, 1, tzinfo=ZoneInfo("Europe/Berlin")))
        program = f"""
import sys
from pyx.signals import Payload
from pyx.wire.codec import decode, load_for_peers
before = "zoneinfo" in sys.modules
load_for_peers()
loaded = set(sys.modules)
print(before, decode(Payload({payload!r}), None), set(sys.modules) - loaded)
"""
        ran = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
        )
        assert ran.stdout.strip() == "False 2024-07-01 00:00:00+02:00 set()"

    def test_time_zone_without_a_name_is_refused(self) -> None:
        source = next(Path(root, "Europe/Berlin") for root in zoneinfo.TZPATH)
        with source.open("rb") as file:
            nameless = ZoneInfo.from_file(file)
        with pytest.raises(EncodeError, match="has a time zone without a name"):
            encode(time(1, tzinfo=nameless))
