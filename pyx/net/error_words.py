"""The text of a system's error, or of a connection's, for a sentence."""

from __future__ import annotations

import os


def system_text(error: OSError | ValueError) -> str:
    """Returns the system's text of *error*, without number and file; else the text that *error* has."""
    return getattr(error, "strerror", None) or str(error)


def in_words(error: Exception) -> str:
    """Returns the system's text of an OSError, or type and text of another exception."""
    if isinstance(error, OSError):
        # asyncio has texts of its own for some errors; the resolver and TLS have numbers of their own.
        number = error.errno if type(error).__module__ == "builtins" else None
        return os.strerror(number) if number is not None else error.strerror or str(error)
    return f"{type(error).__name__}: {error}"


def connection_broke(error: OSError) -> str:
    """Returns the sentence about an established connection that ended with *error*."""
    return f"the connection broke ({error.strerror or error})"
