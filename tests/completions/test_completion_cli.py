"""completion_cli.py: `pyx completion`, asked by real shells."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pexpect
import pytest

from pyx.completions.completion_cli import HELP, CompletionUsage, answer, completion, cut, split

if TYPE_CHECKING:
    from tests.local_nodes import LocalNodes

SECONDS: Final = 60


@pytest.fixture
def shell_environment(tmp_path: Path) -> dict[str, str]:
    """Of a shell that finds pyx, in a directory with a file and a folder."""
    (tmp_path / "pyx").write_text(f'#!/bin/sh\nexec {sys.executable} -m pyx "$@"\n')
    (tmp_path / "pyx").chmod(0o700)
    (tmp_path / "work" / "a folder").mkdir(parents=True)
    (tmp_path / "work" / "app two.py").touch()
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYX_", "COV"))}
    return {
        **kept,
        "PATH": f"{tmp_path}:{os.defpath}",
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "HOME": str(tmp_path),
        "TERM": "dumb",
    }


def shell(name: str) -> str:
    """The path of a shell; the test is skipped where it is missing."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


class TestWords:
    def test_script_of_each_shell_and_help_are_printed(self) -> None:
        assert "complete -F" in completion(["bash"])
        assert "compdef" in completion(["zsh"])
        assert "complete -c pyx" in completion(["fish"])
        assert completion(["--help"]).split() == HELP.split()

    @pytest.mark.parametrize("words", [[], ["csh"], ["bash", "x", "y"]])
    def test_other_words_are_refused(self, words: list[str]) -> None:
        with pytest.raises(CompletionUsage, match="takes one shell: bash, zsh, fish"):
            completion(words)


class TestAnswer:
    def test_answer_is_a_kind_and_words_with_help(self) -> None:
        assert answer("fish", "pyx --remsh") == "-\n--remsh\tshow a prompt whose code runs on NODE\n"
        assert answer("fish", "pyx --cookie-file ") == "files\n"
        assert answer("fish", "pyx doctor --json --nope=") == "-\n"

    def test_nodes_of_this_host_are_listed(self, nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch) -> None:
        nodes.start("gus")
        nodes.start("ann")
        monkeypatch.setattr("socket.gethostname", lambda: "test")
        assert answer("fish", "pyx --remsh ") == "-\nann\tnode\ngus\tnode\n"
        assert answer("fish", "pyx --remsh=g") == "-\n--remsh=gus\tnode\n"
        assert answer("bash", "pyx --remsh=") == "-\nann\tnode\ngus\tnode\n"
        monkeypatch.setattr("socket.gethostname", lambda: "other")
        assert answer("fish", "pyx doctor g") == "-\ngus@test\tnode\n"

    def test_bash_takes_what_stands_behind_its_last_break(self) -> None:
        assert cut("bash", "gus@t", [("gus@test", "")]) == [("test", "")]
        assert cut("bash", "--rpc=o", [("--rpc=open", "")]) == [("open", "")]
        assert cut("zsh", "gus@t", [("gus@test", "")]) == [("gus@test", "")]

    @pytest.mark.parametrize(
        ("line", "words"),
        [
            ("pyx ", ["pyx", ""]),
            ("pyx do", ["pyx", "do"]),
            ("pyx -S 'a b", ["pyx", "-S", "a b"]),
            ('pyx -e "x y" ', ["pyx", "-e", "x y", ""]),
            ("pyx a\\", ["pyx", "a"]),
            ("pyx 'a\"", ["pyx", 'a"']),
        ],
    )
    def test_line_is_split_as_shells_do(self, line: str, words: list[str]) -> None:
        assert split(line) == words


BASH: Final = """\
eval "$(pyx completion bash)"
ask() {
    COMP_LINE="$1" COMP_POINT=${#1} COMP_WORDS=($1) COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    [[ "$1" != *" " ]] || COMP_CWORD=$((COMP_CWORD + 1))
    $(complete -p pyx | sed 's/.*-F \\([^ ]*\\) .*/\\1/')
    local IFS=,; echo "$1: ${COMPREPLY[*]}"
}
ask "pyx doc"; ask "pyx --rpc "; ask "pyx --cookie-file ap"; ask "pyx -S "
"""


ZSH: Final = """\
autoload -Uz compinit; compinit -D; eval "$(pyx completion zsh)"; \
show() { print -r -- "<$BUFFER>" }; zle -N show; bindkey '^G' show; print rea''dy"""
"""Makes Ctrl-G show what is typed."""


FISH: Final = "pyx completion fish | source; for l in 'pyx doc' 'pyx --rpc e' 'pyx -S '; complete -C $l; end"


class TestShells:
    @pytest.mark.parametrize(
        ("words", "completed"),
        [
            (
                ["bash", "--norc", "-c", BASH],
                [
                    "pyx doc: doctor",
                    "pyx --rpc : open,exported,off",
                    "pyx --cookie-file ap: app two.py",
                    "pyx -S : a folder",
                ],
            ),
            (
                ["fish", "--no-config", "-c", FISH],
                [
                    "doctor\tlook at what a node needs here, or at the way to NODE",
                    "exported",
                    "a folder/\tDirectory",
                ],
            ),
        ],
        ids=["bash", "fish"],
    )
    def test_shell_of_scripts(
        self, words: list[str], completed: list[str], shell_environment: dict[str, str], tmp_path: Path
    ) -> None:
        done = subprocess.run(
            [shell(words[0]), *words[1:]],
            env=shell_environment,
            cwd=tmp_path / "work",
            capture_output=True,
            text=True,
            check=True,
            timeout=SECONDS,
        )
        assert done.stdout.splitlines() == completed, done.stderr

    def test_zsh(self, shell_environment: dict[str, str], tmp_path: Path) -> None:
        terminal = pexpect.spawn(
            shell("zsh"),
            ["-f"],
            env=shell_environment,
            cwd=str(tmp_path / "work"),
            encoding="utf-8",
            timeout=SECONDS,
        )
        terminal.sendline(ZSH)
        terminal.expect_exact("ready\r\n")
        for typed, completed in (
            ("doct", "doctor "),
            ("--rpc=of", "--rpc=off "),
            ("-S a", "-S a\\ folder/"),
            ("--record=ap", "--record=app\\ two.py "),
        ):
            terminal.send(f"\x15pyx {typed}\t\x07")
            terminal.expect_exact(f"<pyx {completed}>")
        terminal.close(force=True)
