"""The prompt: text typed by a person goes in, values and failures as text come out.

What comes in: whole statements from a terminal (or lines from a pipe, later frames from a runner), and lines
printed by processes.  What goes out: the public faces are called; everything visible goes through one writer.

    app                from options to an exit code: puts the parts together
    loop               read, evaluate, show; the rules for programs without a person
    evaluate           one input: whether it is complete, and its outcome
    error_text         an exception as its author should see it
    render             a value as it may be shown
    screen             the one writer of a terminal or a pipe
    terminal           the editor and its keys; the only file with prompt_toolkit
    prompt_signals     signals while the editor reads: none is lost
    tty_modes          what the terminal does by itself
    narrow_terminal    what fits into a narrow terminal
    completion         what could stand at the cursor
    helpers            h, i, v, flush, pid, r, exports ...
    history            the typed statements that are kept
    history_file       the file they are in
    redaction          cookies kept out of what is written down
    tty_stdin          sys.stdin of a prompt
    scripted_stdin     sys.stdin of a shell without a person
    standard_streams   standard streams that were closed or cannot be written
    atomic_files       files written whole or not at all
    project            the user's modules: found, bound, reloaded
    module_folder      the modules that lie in a folder
    program            a program's file, run as Python runs one
    program_exit       the end of a program, while its node stands
    termination        how signals and lost output end a run
    debugger           `breakpoint()`
    driver             a shell that is driven by a runner (`scenario`)
    runner_interrupt   Ctrl-C for an input that a runner has typed
    record_hooks       what a session shows, told to what records it
    new_project        `pyx new NAME`

Never imported here: `core`, `wire` and `net` (the shell uses what a user uses: `node`, `process`, `rpc`,
`primitives`, and of `runtime` its own seat at the node), `scenario`, `cli`.
"""
