"""`pyx completion bash|zsh|fish`: prints what a shell needs to complete the words behind `pyx`.

At each Tab the script asks `pyx completion SHELL LINE`.  The answer is a line that says which paths complete
the word (`-`, `files` or `directories`), and a line for each word: the word, a tab, a few words of help.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from pyx.completions.command_words import SHELLS, grammar
from pyx.completions.next_word import next_word
from pyx.errors import PyxError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

HELP: Final = """\
usage: pyx completion bash|zsh|fish

Print the completion of commands, options, nodes and files behind `pyx`, for one shell:

  bash  eval "$(pyx completion bash)"                        in ~/.bashrc
  zsh   eval "$(pyx completion zsh)"                         in ~/.zshrc, after compinit
  fish  pyx completion fish > ~/.config/fish/completions/pyx.fish
"""

_BASH: Final = """\
_pyx_completion() {
    local line="${COMP_LINE:0:COMP_POINT}" path="${COMP_WORDS[COMP_CWORD]#=}" kind word paths=""
    COMPREPLY=()
    {
        read -r kind || return
        while IFS=$'\\t' read -r word _; do
            COMPREPLY+=("$word")
        done
    } < <(pyx completion bash "$line" 2>/dev/null)
    case "$kind" in
        files) paths="$(compgen -f -- "$path")" ;;
        directories) paths="$(compgen -d -- "$path")" ;;
    esac
    [[ -n "$paths" ]] || return
    compopt -o filenames 2>/dev/null
    while IFS= read -r word; do
        COMPREPLY+=("$word")
    done <<< "$paths"
}
complete -F _pyx_completion pyx
"""

_ZSH: Final = """\
_pyx_completion() {
    local line="${(j: :)${(@)words[1,CURRENT]}}" kind
    local -a answer found shown
    answer=("${(@f)$(pyx completion zsh "$line" 2>/dev/null)}")
    kind="${answer[1]}"
    local one
    for one in "${(@)answer[2,-1]}"; do
        [[ -n "$one" ]] || continue
        found+=("${one%%$'\\t'*}")
        shown+=("${one/$'\\t'/  -- }")
    done
    (( ${#found} )) && compadd -l -d shown -- "${(@)found}"
    [[ "$PREFIX" == --*=* ]] && compset -P '*='
    case "$kind" in
        files) _files ;;
        directories) _files -/ ;;
    esac
}
compdef _pyx_completion pyx
"""

_FISH: Final = """\
function __pyx_completion
    set -l answer (pyx completion fish (commandline -cp) 2>/dev/null)
    test (count $answer) -gt 1; and printf '%s\\n' $answer[2..-1]
    switch "$answer[1]"
        case files
            __fish_complete_path (commandline -ct)
        case directories
            __fish_complete_directories (commandline -ct)
    end
end
complete -c pyx -f -a '(__pyx_completion)'
"""

SCRIPTS: Final = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}

_BREAKS: Final = "@:="
"""Where bash begins a new word: it takes what stands behind the last of these."""


class CompletionUsage(PyxError):
    """The words behind `pyx completion` ask for nothing that it has."""


def completion(words: Sequence[str]) -> str:
    """Returns what *words*, those behind `pyx completion`, ask for.

    Raises:
        CompletionUsage: they name no shell.
    """
    match words:
        case ["-h" | "--help"]:
            from pyx.cli_parser import fitted_help  # not for the words of a line

            return fitted_help(HELP)
        case [shell] if shell in SCRIPTS:
            return SCRIPTS[shell]
        case [shell, line] if shell in SCRIPTS:
            return answer(shell, line)
    msg = f"completion takes one shell: {', '.join(SHELLS)}"
    raise CompletionUsage(
        msg, hint='eval "$(pyx completion bash)" in ~/.bashrc; pyx completion --help shows more'
    )


def answer(shell: str, line: str) -> str:
    """Returns the answer to a script's question about *line*, which ends where the cursor is."""
    words = split(line)
    typed = words[1:] or [""]
    found = next_word(grammar(typed[0] if len(typed) > 1 else ""), typed)
    pairs = list(found.words)
    if found.others == "nodes":
        before = words[-1].removesuffix(found.typed)  # the flag of `--remsh=`
        pairs += [(before + name, "node") for name in node_names() if name.startswith(found.typed)]
    kind = found.others if found.others in {"files", "directories"} else "-"
    lines = [kind, *("\t".join(pair).rstrip() for pair in cut(shell, words[-1], pairs))]
    return "".join(f"{one}\n" for one in lines)


def split(line: str) -> list[str]:
    """Returns the words of a line; the last one is empty behind a blank.  Open quotes are closed."""
    line = line.removesuffix("\\")
    for end in ("", "'", '"'):
        try:
            words = shlex.split(line + end)
        except ValueError:  # a quote is open
            continue
        return [*words, ""] if not words or (not end and line[-1:].isspace()) else words
    return [*line.split(), ""]  # a quote in other quotes


def cut(shell: str, current: str, pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Returns the pairs as *shell* takes them: bash without the part of the word before its last break."""
    if shell != "bash":
        return list(pairs)
    before = max((current.rfind(mark) + 1 for mark in _BREAKS), default=0)
    return [(word[before:], text) for word, text in pairs]


def node_names() -> list[str]:
    """Returns the nodes of this user on this host; none where they cannot be listed."""
    import socket

    from pyx.net.directory import HostDirectory
    from pyx.terms import host_of, short_host

    host = short_host(socket.gethostname())
    try:
        entries = HostDirectory.as_it_is().entries()
    except (PyxError, OSError):
        return []
    return [entry.name.partition("@")[0] if host_of(entry.name) == host else entry.name for entry in entries]
