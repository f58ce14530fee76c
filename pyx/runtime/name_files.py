"""The lock and the socket of a short name: looked at each second, restored and logged.

See `net/name_claim.py` for the files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyx.errors import PyxError
from pyx.execution.node_log import log
from pyx.net.directory_log import DirectoryLog

if TYPE_CHECKING:
    from pyx.net.directory import HostDirectory
    from pyx.net.endpoint import Endpoint
    from pyx.net.name_claim import NameClaim


class NameFiles:
    """The files by which new nodes find one with a short name: other programs may remove them.

    Args:
        directory: where they are.
        claim: of the name.
        name: the full name.
    """

    def __init__(self, directory: HostDirectory, claim: NameClaim, name: str) -> None:
        self._directory = directory
        self._claim = claim
        self._log = DirectoryLog(name)

    def restore(self, endpoint: Endpoint) -> None:
        """Makes what is missing anew, and logs that, or why it cannot."""
        try:
            restored = self._claim.restore()
        except PyxError as error:
            line = self._log.failed(error, self._directory.path)
        else:
            if restored is None:
                return
            if restored.listening is not None:
                endpoint.listen_on(restored.listening)
            line = self._log.restored(restored.gone, self._directory.path)
        if line is not None:
            log.log(line.level, "%s", line.text)
