"""Plays files: their sessions one after the other, repetitions, updates, several files at a time.

An error of one file is the result of that file: the others are played all the same.
"""

from __future__ import annotations

import dataclasses
import random
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from pyx.errors import PyxError, TranscriptError
from pyx.scenario.characters import without_controls
from pyx.scenario.erlang_tools import why_not_here
from pyx.scenario.failure_report import describe
from pyx.scenario.player import Player, PlayerSettings
from pyx.scenario.sandbox import Sandbox, clear_stale, parent_folder
from pyx.scenario.transcript import read_transcript
from pyx.scenario.update import Updater
from pyx.shell.atomic_files import write_whole
from pyx.shell.standard_streams import OutputLost

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyx.scenario.node_process import NodeProcess
    from pyx.scenario.output_units import OutputUnit
    from pyx.scenario.steps import Step, Transcript, TranscriptSession


_MOST_NOT_COPIED: Final = 5


class FileResult(NamedTuple):
    """The result of one file.  `text` is "" for a file that passed, else the report."""

    path: str
    steps: int
    seconds: float
    text: str
    readable: bool = True
    updated: bool = False
    skipped: int = 0
    """The number of blocks that hold a prompt and are not played, as they are not ```` ```pyx ````."""
    not_here: str = ""
    """Why sessions could not be played on this host; "" if all were."""
    played: bool = True
    """False if none was, for that reason."""

    @property
    def passed(self) -> bool:
        """True if no step failed."""
        return not self.text


class ReplayOptions(NamedTuple):
    """The options of `pyx replay` that concern playing."""

    repeat: int = 1
    jitter: bool = False
    """Delay messages between nodes at random."""
    seed: int | None = None
    """The seed of these delays; None: a new one for each run."""
    update: bool = False
    stop_at: int | None = None
    """The line to stop at."""
    show: Callable[[str], None] | None = None
    """Called with each line of the steps and their output, as it comes."""
    take_over: Callable[[Player], None] | None = None
    """Called at the line to stop at."""


class Replay:
    """Plays files; any thread may call `abort`."""

    def __init__(self, options: ReplayOptions) -> None:
        clear_stale(parent_folder())
        self._options = options
        self._playing: set[Player] = set()
        self._lock = threading.Lock()
        self._aborted = False

    def run(
        self, files: Sequence[str], jobs: int, on_result: Callable[[FileResult], None]
    ) -> list[FileResult]:
        """Plays *files*, *jobs* at a time; *on_result* is called with each result as it comes."""
        if jobs == 1 or len(files) == 1:
            results = []
            for file in files:
                results.append(self.play(file))
                on_result(results[-1])
            return results
        with ThreadPoolExecutor(jobs) as pool:
            futures = [pool.submit(self.play, file) for file in files]
            try:
                for future in as_completed(futures):
                    on_result(future.result())
            except BaseException:
                self.abort()
                raise
            return [future.result() for future in futures]

    def abort(self) -> None:
        """Kills all nodes; the files that are played fail."""
        with self._lock:
            self._aborted = True
            playing = list(self._playing)
        for player in playing:
            player.nodes.processes.kill()

    def play(self, path: str) -> FileResult:
        """Plays one file, `repeat` times or up to its first failure.

        Raises:
            PyxError: an option cannot be met, for any file.
            OutputLost: stdout cannot be written.
        """
        began = time.monotonic()
        try:
            return self._play(path, began)
        except TranscriptError as error:
            hint = f"hint: {error.hint}\n" if error.hint else ""
            return FileResult(path, 0, 0.0, f"{error}\n{hint}", readable=False)
        except (PyxError, OutputLost):
            raise
        except Exception as error:
            return FileResult(path, 0, time.monotonic() - began, f"FAIL {path}  {_sentence(error)}\n")

    def _play(self, path: str, began: float) -> FileResult:
        transcript = read_transcript(path)
        transcript, not_here = _without_sessions_that_need_more(transcript)
        if not transcript.sessions:
            skipped = transcript.skipped
            return FileResult(path, 0, 0.0, "", skipped=skipped, not_here=not_here, played=False)
        steps = sum(len(session.steps) for session in transcript.sessions)
        updater = Updater(transcript.text) if self._options.update else None
        text = ""
        for time_ in range(1, self._options.repeat + 1):
            text = "" if self._aborted else self._play_once(transcript, updater)
            if self._aborted:
                text = f"{path} was interrupted\n"
                break
            if text:
                if self._options.repeat > 1:
                    text += f"    this was repetition {time_} of {self._options.repeat}\n"
                break
        updated = updater is not None and bool(updater.edits)
        if updater is not None and updated and not text:
            text = _rewrite(path, transcript.text, updater.text())
            updated = not text
            if updated:
                text = self._play_once(_without_sessions_that_need_more(read_transcript(path))[0], None)
                if text:
                    problem = "its output differs each time ([..] matches any text)"
                    text = f"{path} was updated, and fails again: {problem}\n{text}"
        seconds = time.monotonic() - began
        return FileResult(
            path,
            steps,
            seconds,
            text,
            updated=updated,
            skipped=transcript.skipped,
            not_here=not_here,
        )

    def _play_once(self, transcript: Transcript, updater: Updater | None) -> str:
        seed = self._options.seed
        if self._options.jitter and seed is None:
            seed = random.SystemRandom().getrandbits(32)
        settings = PlayerSettings(
            jitter=seed if self._options.jitter else None, stop_at=self._options.stop_at
        )
        for session in self._selected(transcript.sessions):
            text = self._play_session(transcript.path, session, settings, updater)
            if text:
                return text + (
                    f"    repeat these delays: --jitter --seed {seed}\n" if self._options.jitter else ""
                )
        return ""

    def _selected(self, sessions: Sequence[TranscriptSession]) -> Sequence[TranscriptSession]:
        """Returns all sessions, or the one with the line to stop at."""
        line = self._options.stop_at
        if line is None:
            return sessions
        started = [session for session in sessions if session.steps[0].line <= line]
        return started[-1:] or sessions[:1]

    def _play_session(
        self, path: str, session: TranscriptSession, settings: PlayerSettings, updater: Updater | None
    ) -> str:
        sandbox = Sandbox(Path(path).absolute().parent)
        show = self._options.show
        printer = _ProgressPrinter(show) if show is not None else None
        on_mismatch = updater.add_edit if updater is not None else None
        if printer is not None:
            player = Player(
                session,
                sandbox,
                settings,
                on_step=printer.on_step,
                on_output=printer.on_output,
                on_mismatch=on_mismatch,
            )
        else:
            player = Player(session, sandbox, settings, on_mismatch=on_mismatch)
        with self._lock:
            self._playing.add(player)
            if self._aborted:
                player.nodes.processes.kill()
        failure = None
        try:
            failure = player.run()
            if failure is not None:
                text = describe(failure, player, path, str(sandbox.root / "logs"))
                return text + _not_copied(sandbox.left_out)
            if self._options.take_over is not None and settings.stop_at is not None:
                self._options.take_over(player)
            return ""
        finally:
            with self._lock:
                self._playing.discard(player)
            player.close()
            if failure is None or self._aborted:
                sandbox.remove()
            else:
                sandbox.keep()


def _without_sessions_that_need_more(transcript: Transcript) -> tuple[Transcript, str]:
    """Returns the sessions that this host can play, and why it cannot play the others, if there are any."""
    reasons = [why_not_here(session) for session in transcript.sessions]
    left = tuple(one for one, reason in zip(transcript.sessions, reasons, strict=True) if not reason)
    return dataclasses.replace(transcript, sessions=left), next(filter(None, reasons), "")


def _rewrite(path: str, before: str, after: str) -> str:
    """Writes the updated text of a file; returns the problem, "" if there is none."""
    try:
        if Path(path).read_bytes() != before.encode():
            return f"{path} was changed while it was played, and is not updated: replay it again\n"
        write_whole(path, after.encode())
    except (OSError, UnicodeEncodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        return f"{path} cannot be written, and is unchanged: {reason}\n"
    return ""


class _ProgressPrinter:
    """Prints steps and output while they come, as a transcript."""

    def __init__(self, show: Callable[[str], None]) -> None:
        self._show = show
        self._node = ""

    def on_step(self, step: Step) -> None:
        self._node = getattr(step, "node", "")
        for line in step.written:
            self._show(line)

    def on_output(self, node: NodeProcess, unit: OutputUnit) -> None:
        prefix = "" if node.name == self._node else f"  [{node.name}] "
        for line in unit.lines:
            self._show(prefix + without_controls(line))


def _not_copied(names: Sequence[str]) -> str:
    """Returns the lines of a report for the files that were not copied into the sandbox."""
    lines = [f"    not copied: {name}\n" for name in names[:_MOST_NOT_COPIED]]
    if len(names) > _MOST_NOT_COPIED:
        lines.append(f"    not copied: {len(names) - _MOST_NOT_COPIED} more\n")
    return "".join(lines)


def show_line(line: str) -> None:
    """Writes a line to stdout, whatever characters it has.

    Raises:
        OutputLost: stdout cannot be written.
    """
    if sys.stdout is None:  # stdout was closed before the start
        return
    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        sys.stdout.flush()
    except OSError as error:
        raise OutputLost(error) from None


def _sentence(error: Exception) -> str:
    """Returns the text of an error outside the steps: of the system, or a bug of pyx with its place."""
    if isinstance(error, OSError):
        name = f": {error.filename}" if error.filename is not None else ""
        return f"the file cannot be played: {error.strerror or error}{name}"
    place = traceback.extract_tb(error.__traceback__)[-1]
    text = f"{type(error).__name__}: {error}".rstrip(": ")
    return f"the replay itself failed: {text} ({Path(place.filename).name}, line {place.lineno})"
