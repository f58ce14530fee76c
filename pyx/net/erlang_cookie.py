"""The cookie of Erlang's dialect, and its file; never that of pyx's own dialect.

Erlang's proof of it can be guessed at by any process that sees one handshake.  Its file is where `erl` looks
for it: `~/.erlang.cookie`, else `$XDG_CONFIG_HOME/erlang/.erlang.cookie`.  Where there is none, it is made
first, by this node: a cookie that `erl` makes has 36 random bits at most, whatever its length (`auth.erl`
draws its letters from one generator of that width).
"""

from __future__ import annotations

import os
import re
import secrets
import string
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pyx.errors import CookieUnsafe, PyxError
from pyx.net.cookie import Cookie, make_file, read_private_file
from pyx.net.home_directory import home_directory

if TYPE_CHECKING:
    from collections.abc import Iterator

_OPTION: Final = "--beam-cookie-file"
_ALPHABET: Final = string.ascii_letters + string.digits
_LENGTH: Final = 20
"""Characters of a cookie, as `erl` makes it; of 62 letters and digits they have 119 random bits."""
_OF_ERL: Final = re.compile(f"[A-Z]{{{_LENGTH}}}")


def read_erlang_cookie(file: str | None) -> Cookie:
    """Returns the cookie in *file*, or in Erlang's own, which is made if there is none.

    Raises:
        CookieUnsafe: other users can read or write the file, or own it, or it holds no cookie.
        PyxError: it cannot be read or made.
    """
    if file is not None and not file:
        msg = "the name of the cookie file of Erlang's dialect is empty"
        raise PyxError(msg, hint=f"is a variable not set? leave {_OPTION} out to use ~/.erlang.cookie")
    path = file or erlangs_file()
    try:
        try:
            cookie = read_private_file(path, _OPTION)
        except FileNotFoundError:
            if file is not None:
                raise
            make_file(path, Cookie("".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))))
            cookie = read_private_file(path, _OPTION)
    except OSError as error:
        msg = f"cannot read or make the cookie file {path}: {error.strerror or error}"
        raise PyxError(msg, hint=f"name a file that holds the cookie: {_OPTION} F") from error
    if not (cookie.text.isascii() and cookie.text.isprintable()):
        raise CookieUnsafe(path, "holds characters that Erlang does not take", hint="use letters and digits")
    return cookie


def erlangs_file() -> str:
    """Returns the path of Erlang's own cookie file, or where it would be; raises PyxError without a home."""
    home = home_directory()
    if home is None:
        msg = "there is no home directory for ~/.erlang.cookie"
        raise PyxError(msg, hint=f"name a file that holds the cookie: {_OPTION} F")
    own = home / ".erlang.cookie"
    of_xdg = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "erlang" / ".erlang.cookie"
    return str(own if own.exists() or not of_xdg.exists() else of_xdg)


def weaknesses(cookie: Cookie, own: Cookie, *, beyond: bool) -> Iterator[str]:
    """Yields a sentence for each reason to make another cookie.

    Args:
        cookie: of Erlang's dialect.
        own: of pyx's own dialect.
        beyond: True if other hosts can see or reach the connections.
    """
    if cookie == own:
        yield "the cookie of Erlang nodes is also that of pyx nodes: one overheard handshake gives it away"
    if len(cookie.text) < _LENGTH:
        length = len(cookie.text)
        yield f"the length of the cookie of Erlang nodes is {length}; one under {_LENGTH} can be guessed"
    elif beyond and _OF_ERL.fullmatch(cookie.text):
        yield (
            "the cookie of Erlang nodes looks like one that erl made, which has 36 random bits at most: "
            "remove ~/.erlang.cookie on all hosts, and copy the one that pyx makes"
        )
