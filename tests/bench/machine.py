"""The machine and the versions that a measurement was made with, in one line, and its load."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import os
import platform
import shutil
import subprocess
from pathlib import Path


def today() -> str:
    """The date in UTC."""
    return dt.datetime.now(dt.UTC).date().isoformat()


def load() -> float:
    """The load average of the last minute."""
    return os.getloadavg()[0]


def description() -> str:
    """The processor, its number of cores, the system, and the versions of what is measured."""
    parts = [
        f"{processor()}, {os.cpu_count()} cores",
        f"{platform.system()} {platform.release()}",
        f"{platform.python_implementation()} {platform.python_version()}",
        *(f"{name} {found}" for name in ("uvloop", "msgpack") if (found := version(name))),
    ]
    if release := otp_release():
        parts.append(f"Erlang/OTP {release}")
    return "; ".join(parts)


def processor() -> str:
    """The processor's name where the system tells it, else the architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names and names[0] != "unknown" else platform.machine()


def version(distribution: str) -> str | None:
    """The installed version of a distribution, or None."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def otp_release() -> str | None:
    """The release of the installed Erlang, or None."""
    if shutil.which("erl") is None:
        return None
    program = "io:put_chars(erlang:system_info(otp_release)),halt()."
    asked = subprocess.run(
        ["erl", "-noinput", "-eval", program], capture_output=True, text=True, check=False, timeout=60
    )
    return asked.stdout.strip() or None
