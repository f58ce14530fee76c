"""What went wrong with a connection, in words for a sentence."""

from __future__ import annotations

import os


def in_words(error: Exception) -> str:
    """Returns what the system says of an OSError, and the type and text of any other exception."""
    if isinstance(error, OSError):
        # asyncio words some errors itself; those of the resolver and of TLS have numbers of their own.
        number = error.errno if type(error).__module__ == "builtins" else None
        return os.strerror(number) if number is not None else error.strerror or str(error)
    return f"{type(error).__name__}: {error}"
