"""The cookie, the secret that the nodes of a cluster share, and its file.  See `key.py` for its key.

`~/.pyx.cookie` is made on first use, and accepted only if no other user can have read it.  A file named by
the user (`--cookie-file`, PYX_COOKIE_FILE) may be a symlink, a pipe or a mounted secret: it may belong to
another user, and its group may read it, but other users may not, and its owner alone may write it. Differs
from Erlang: 256 random bits instead of 20 letters, and a refused file comes with the command to type.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import hashlib
import hmac
import os
import secrets
import shlex
import stat
from pathlib import Path
from typing import Final, NoReturn

from pyx.errors import CookieUnsafe, PyxError
from pyx.net.error_words import system_text
from pyx.net.home_directory import home_directory

_MAX_COOKIE_BYTES: Final = 4096
_NAME_ANOTHER: Final = "name a file that holds the cookie: --cookie-file F, or PYX_COOKIE_FILE=F"


class Cookie:
    """The text of a cookie; `repr` and `str` show a fingerprint only.

    Raises:
        TypeError: *text* is not a str.
        ValueError: the text cannot be encoded; the sentence does not contain it.
    """

    __slots__ = ("text",)
    text: str

    def __init__(self, text: str) -> None:
        if type(text) is not str:
            msg = f"a cookie is a str, not of type {type(text).__name__}"
            raise TypeError(msg)
        try:
            _bytes(text)
        except UnicodeEncodeError:
            raise ValueError("a cookie cannot hold a lone surrogate: UTF-8 has no bytes for it") from None
        object.__setattr__(self, "text", text)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a Cookie is frozen")

    def __eq__(self, other: object) -> bool:
        if type(other) is not Cookie:
            return NotImplemented
        return hmac.compare_digest(_bytes(self.text), _bytes(other.text))

    def __hash__(self) -> int:
        return hash((Cookie, self.text))

    def __repr__(self) -> str:
        return f"Cookie(sha256 {hashlib.sha256(_bytes(self.text)).hexdigest()[:4]}…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Cookie cannot be pickled or sent")


def make_cookie(random: bytes) -> Cookie:
    """Returns a new cookie of 32 *random* bytes."""
    assert len(random) == 32
    return Cookie("pyx1-" + base64.urlsafe_b64encode(random).rstrip(b"=").decode("ascii"))


def given_cookie(text: str) -> Cookie:
    """Returns the cookie of a command line or program, stripped like one in a file.

    Raises:
        PyxError: the text is empty, or has characters that cannot be encoded.
    """
    stripped = text.strip()
    if not stripped:
        msg = "the given cookie is empty"
        raise PyxError(msg, hint="is a variable not set? leave the option out to use ~/.pyx.cookie")
    try:
        _bytes(stripped)
    except UnicodeEncodeError as error:
        msg = "the given cookie has characters that cannot be encoded as text"
        raise PyxError(msg, hint="use letters, digits and - only") from error
    return Cookie(stripped)


def given_cookie_file(file: str | None) -> str | None:
    """Returns the cookie file named by the user: *file*, else $PYX_COOKIE_FILE, else None.

    Raises:
        PyxError: *file* is empty.
    """
    if file is not None and not file:
        msg = "the name of the cookie file is empty"
        raise PyxError(msg, hint="is a variable not set? leave the option out to use ~/.pyx.cookie")
    return file or os.environ.get("PYX_COOKIE_FILE") or None


def home_cookie_path() -> str:
    """Returns the path of this user's own cookie file.

    Raises:
        PyxError: the user has no home directory.
    """
    home = home_directory()
    if home is None:
        msg = (
            f"there is no home directory for ~/.pyx.cookie: HOME is not set, and user {os.getuid()} has no "
            "entry in the password database"
        )
        raise PyxError(msg, hint=_NAME_ANOTHER)
    return str(home / ".pyx.cookie")


def read_given_cookie(path: str) -> Cookie:
    """Returns the cookie in a file named by the user; waits for the writer of a pipe.

    Raises:
        CookieUnsafe: users other than owner and group can read the file, or users other than its owner
        write it. PyxError: the file cannot be read.
    """
    try:
        _check_given(path, Path(path).stat())  # before the wait for a pipe
        with Path(path).open("rb") as file:
            _check_given(path, os.fstat(file.fileno()))
            return _cookie_in(path, file.read(_MAX_COOKIE_BYTES + 1))
    except (OSError, ValueError) as error:
        raise _cannot("read", path, error) from error


def _check_given(path: str, status: os.stat_result) -> None:
    if status.st_mode & 0o027 and not stat.S_ISDIR(status.st_mode):  # a directory cannot be read anyway
        problem = f"is open to others (mode {stat.S_IMODE(status.st_mode):04o})"
        hint = f"chmod g-w,o= {shlex.quote(path)} (a mounted secret: give it the mode 0440)"
        raise CookieUnsafe(path, problem, hint=hint)


def read_home_cookie(path: str) -> Cookie:
    """Returns the cookie of the user's home directory, made if there is none.

    Raises:
        CookieUnsafe: other users can read or write the file, or own it; the hint is a command.
        PyxError: the file cannot be read or made (no such directory, no space left, ...).
    """
    try:
        try:
            return read_private_file(path)
        except FileNotFoundError:
            make_file(path, make_cookie(secrets.token_bytes(32)))
            return read_private_file(path)
    except OSError as error:
        raise _cannot("read or make", path, error) from error


def read_private_file(path: str, option: str = "--cookie-file") -> Cookie:
    """Returns the cookie in a file of this user's that others cannot read; *option* names another file.

    Raises:
        CookieUnsafe: other users can read or write the file, or own it, or it holds no cookie.
        OSError: it cannot be opened.
    """
    # NOFOLLOW and NONBLOCK: a planted link is not followed, a pipe not waited for.  All checks are made on
    # the opened file.
    quoted = shlex.quote(path)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ELOOP:
            hint = f"name its target with {option}, or remove it: rm {quoted}"
            raise CookieUnsafe(path, "is a symbolic link", hint=hint) from error
        if error.errno == errno.EACCES:
            raise CookieUnsafe(
                path, "is not readable for this user", hint=f"sudo chown {os.geteuid()} {quoted}"
            ) from error
        raise
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise CookieUnsafe(path, "is not a regular file", hint=f"move it away: mv {quoted} {quoted}.old")
        if status.st_uid != os.geteuid():
            problem = f"belongs to user {status.st_uid}, not to this user ({os.geteuid()})"
            raise CookieUnsafe(path, problem, hint=f"sudo chown {os.geteuid()} {quoted}")
        if status.st_mode & 0o077:
            problem = f"is open to others (mode {stat.S_IMODE(status.st_mode):04o})"
            raise CookieUnsafe(path, problem, hint=f"chmod 400 {quoted}")
        return _cookie_in(path, file.read(_MAX_COOKIE_BYTES + 1))


def _cookie_in(path: str, content: bytes) -> Cookie:
    hint = f"write one line of text into it, or remove it: rm {shlex.quote(path)}"
    if len(content) > _MAX_COOKIE_BYTES:
        raise CookieUnsafe(path, f"holds more than {_MAX_COOKIE_BYTES} bytes", hint=hint)
    try:
        text = content.decode().strip()
    except UnicodeDecodeError as error:
        raise CookieUnsafe(path, "is not UTF-8 text", hint=hint) from error
    if not text:
        raise CookieUnsafe(path, "is empty", hint=hint)
    return Cookie(text)


def make_file(path: str, cookie: Cookie) -> None:
    """Makes the file of a cookie, which this user alone can read, if there is none; raises OSError."""
    # Written to a draft, flushed, then linked: the name always leads to a complete cookie, however many nodes
    # start at once and whenever the power fails.  The loser of a race reads the winner's file.
    target = Path(path)
    draft = target.with_name(f"{target.name}.{os.getpid()}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o400)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(f"{cookie.text}\n".encode())
            file.flush()
            os.fsync(descriptor)
        with contextlib.suppress(FileExistsError):
            os.link(draft, target)
    finally:
        draft.unlink()


def _cannot(do: str, path: str, error: OSError | ValueError) -> PyxError:
    return PyxError(f"cannot {do} the cookie file {path}: {system_text(error)}", hint=_NAME_ANOTHER)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
