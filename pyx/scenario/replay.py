"""Plays whole files: sessions one after the other, repetitions, updates, several files at a time.

Whatever goes wrong with a file is the result of that file: the others are played all the same.
Not here: one session (`player.py`), words on the command line (`replay_cli.py`).
"""

from __future__ import annotations

import random
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from pyx.errors import PyxError, TranscriptError
from pyx.scenario import stale_sandboxes
from pyx.scenario.failure_report import describe
from pyx.scenario.invisible_differences import without_controls
from pyx.scenario.player import Player, Settings
from pyx.scenario.sandbox import Sandbox, parent_folder
from pyx.scenario.transcript import read_transcript
from pyx.scenario.update import Updater
from pyx.shell.atomic_files import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyx.scenario.node_process import NodeProcess
    from pyx.scenario.steps import Step, Transcript, TranscriptSession
    from pyx.scenario.units import Unit


_MOST_NOT_COPIED: Final = 5


class Result(NamedTuple):
    """How a file went.  `text` is "" for a file that passed, else what to show."""

    path: str
    steps: int
    seconds: float
    text: str
    readable: bool = True
    updated: bool = False
    skipped: int = 0
    """Blocks of a Markdown file that hold a prompt and are not played, as they are not ```` ```pyx ````."""

    @property
    def passed(self) -> bool:
        """True if every step was as the file says."""
        return not self.text


class ReplayOptions(NamedTuple):
    """What is asked of a replay.  `seed` starts the delays of `jitter`; `show` gets lines of what runs."""

    repeat: int = 1
    jitter: bool = False
    seed: int | None = None
    update: bool = False
    stop_at: int | None = None
    show: Callable[[str], None] | None = None
    converse: Callable[[Player], None] | None = None
    """Called where `stop_at` stopped."""


class Replay:
    """Plays files; `abort` ends whatever runs, from any thread."""

    def __init__(self, wishes: ReplayOptions) -> None:
        stale_sandboxes.clear(parent_folder())
        self._wishes = wishes
        self._playing: set[Player] = set()
        self._lock = threading.Lock()
        self._aborted = False

    def run(self, files: Sequence[str], jobs: int, done: Callable[[Result], None]) -> list[Result]:
        """Plays *files*, *jobs* at a time; *done* is called with each result as it comes."""
        if jobs == 1 or len(files) == 1:
            results = []
            for file in files:
                results.append(self.play(file))
                done(results[-1])
            return results
        with ThreadPoolExecutor(jobs) as pool:
            futures = [pool.submit(self.play, file) for file in files]
            try:
                for future in as_completed(futures):
                    done(future.result())
            except BaseException:
                self.abort()
                raise
            return [future.result() for future in futures]

    def abort(self) -> None:
        """Ends all nodes; what is being played fails."""
        with self._lock:
            self._aborted = True
            playing = list(self._playing)
        for player in playing:
            player.cast.nodes.kill()

    def play(self, path: str) -> Result:
        """Plays one file, as often as wished, up to its first failure.

        Raises:
            PyxError: what was asked for cannot be done, whatever the file; OutputLost is one of these.
        """
        began = time.monotonic()
        try:
            return self._play(path, began)
        except TranscriptError as error:
            hint = f"hint: {error.hint}\n" if error.hint else ""
            return Result(path, 0, 0.0, f"{error}\n{hint}", readable=False)
        except PyxError:
            raise
        except Exception as error:
            return Result(path, 0, time.monotonic() - began, f"FAIL {path}  {_sentence(error)}\n")

    def _play(self, path: str, began: float) -> Result:
        transcript = read_transcript(path)
        steps = sum(len(session.steps) for session in transcript.sessions)
        mender = Updater(transcript.text) if self._wishes.update else None
        text = ""
        for time_ in range(1, self._wishes.repeat + 1):
            text = "" if self._aborted else self._play_once(transcript, mender)
            if self._aborted:
                text = f"{path} was interrupted\n"
                break
            if text:
                if self._wishes.repeat > 1:
                    text += f"    this was repetition {time_} of {self._wishes.repeat}\n"
                break
        updated = mender is not None and bool(mender.edits)
        if mender is not None and updated and not text:
            text = _rewrite(path, transcript.text, mender.text())
            updated = not text
            if updated:
                text = self._play_once(read_transcript(path), None)
                if text:
                    text = f"{path} was updated, but does not pass at once: this step is not stable\n{text}"
        seconds = time.monotonic() - began
        return Result(path, steps, seconds, text, updated=updated, skipped=transcript.skipped)

    def _play_once(self, transcript: Transcript, mender: Updater | None) -> str:
        seed = self._wishes.seed
        if self._wishes.jitter and seed is None:
            seed = random.SystemRandom().getrandbits(32)
        settings = Settings(jitter=seed if self._wishes.jitter else None, stop_at=self._wishes.stop_at)
        for session in self._wanted(transcript.sessions):
            text = self._play_session(transcript.path, session, settings, mender)
            if text:
                return text + (f"    again: --jitter --seed {seed}\n" if self._wishes.jitter else "")
        return ""

    def _wanted(self, sessions: Sequence[TranscriptSession]) -> Sequence[TranscriptSession]:
        """All of them, or the one that the line to stop at belongs to."""
        line = self._wishes.stop_at
        if line is None:
            return sessions
        begun = [session for session in sessions if session.steps[0].line <= line]
        return begun[-1:] or sessions[:1]

    def _play_session(
        self, path: str, session: TranscriptSession, settings: Settings, mender: Updater | None
    ) -> str:
        stage = Sandbox(Path(path).absolute().parent)
        show = self._wishes.show
        voice = _ProgressPrinter(show) if show is not None else None
        mend = mender.mend if mender is not None else None
        if voice is not None:
            player = Player(session, stage, settings, began=voice.began, heard=voice.heard, mend=mend)
        else:
            player = Player(session, stage, settings, mend=mend)
        with self._lock:
            self._playing.add(player)
            if self._aborted:
                player.cast.nodes.kill()
        failure = None
        try:
            failure = player.run()
            if failure is not None:
                text = describe(failure, player, path, str(stage.root / "logs"))
                return text + _not_copied(stage.left_out)
            if self._wishes.converse is not None and settings.stop_at is not None:
                self._wishes.converse(player)
            return ""
        finally:
            with self._lock:
                self._playing.discard(player)
            player.close()
            if failure is None or self._aborted:
                stage.remove()
            else:
                stage.keep()


def _rewrite(path: str, before: str, after: str) -> str:
    """Writes the updated text of a file; returns why it did not, "" where it did."""
    try:
        if Path(path).read_bytes() != before.encode():
            return f"{path} was changed while it was played: it is not updated\n"
        write_whole(path, after.encode())
    except (OSError, UnicodeEncodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        return f"{path} cannot be updated, and is as it was: {reason}\n"
    return ""


class _ProgressPrinter:
    """Says what happens, as a transcript."""

    def __init__(self, show: Callable[[str], None]) -> None:
        self._show = show
        self._node = ""

    def began(self, step: Step) -> None:
        self._node = getattr(step, "node", "")
        for line in step.shown:
            self._show(line)

    def heard(self, node: NodeProcess, unit: Unit) -> None:
        mark = "" if node.name == self._node else f"  [{node.name}] "
        for line in unit.lines:
            self._show(mark + without_controls(line))


def _not_copied(names: Sequence[str]) -> str:
    """The lines of a report about what its nodes did not find beside the scenario."""
    lines = [f"    not copied: {name}\n" for name in names[:_MOST_NOT_COPIED]]
    if len(names) > _MOST_NOT_COPIED:
        lines.append(f"    not copied: {len(names) - _MOST_NOT_COPIED} more\n")
    return "".join(lines)


class ReplayOutputLost(PyxError):
    """What was to be shown cannot be written: `quietly` where the reader has left, and nothing is to be said.

    It ends a run: its results would be lost too.
    """

    def __init__(self, error: OSError) -> None:
        self.quietly = isinstance(error, BrokenPipeError)
        super().__init__(f"cannot write to stdout: {error.strerror or error}")


def show_line(line: str) -> None:
    """Writes a line to stdout, whatever characters it has.

    Raises:
        OutputLost: it cannot be written.
    """
    if sys.stdout is None:  # it was closed before the start
        return
    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        sys.stdout.flush()
    except OSError as error:
        raise ReplayOutputLost(error) from None


def _sentence(error: Exception) -> str:
    """What ended a file: an error of the system, or a fault of the runner, with its place."""
    if isinstance(error, OSError):
        name = f": {error.filename}" if error.filename is not None else ""
        return f"it cannot be played: {error.strerror or error}{name}"
    place = traceback.extract_tb(error.__traceback__)[-1]
    told = f"{type(error).__name__}: {error}".rstrip(": ")
    return f"the runner failed: {told} ({Path(place.filename).name}, line {place.lineno})"
