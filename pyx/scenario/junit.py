"""Results as JUnit's XML, which every CI reads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from pyx.errors import PyxError
from pyx.shell.atomic_files import write_whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyx.scenario.replay import FileResult

_NO_XML: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(path: str, results: Sequence[FileResult]) -> None:
    """Writes one test case for each file.  Raises PyxError: *path* cannot be written."""
    failed = sum(1 for result in results if result.readable and not result.passed)
    broken = sum(1 for result in results if not result.readable)
    suite = ET.Element(
        "testsuite",
        name="pyx replay",
        tests=str(len(results)),
        failures=str(failed),
        errors=str(broken),
        skipped=str(sum(1 for result in results if not result.played)),
        time=f"{sum(result.seconds for result in results):.3f}",
    )
    for result in results:
        folder, _, file = _NO_XML.sub("?", result.path).rpartition("/")
        case = ET.SubElement(
            suite, "testcase", classname=folder.replace("/", "."), name=file, time=f"{result.seconds:.3f}"
        )
        if not result.played:
            ET.SubElement(case, "skipped", message=result.not_here)
        if not result.passed:
            text = _NO_XML.sub("?", result.text)
            kind = "failure" if result.readable else "error"
            ET.SubElement(case, kind, message=text.split("\n", 1)[0]).text = text
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    try:
        write_whole(path, ET.tostring(root, encoding="utf-8", xml_declaration=True))
    except OSError as error:
        msg = f"cannot write {path}: {error.strerror}"
        raise PyxError(msg) from None
