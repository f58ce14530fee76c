"""The prompt: reads typed text, evaluates it, shows values and failures.

Whole statements come in from a terminal, lines from a pipe, messages from a runner, and lines printed by
processes.  Everything that is shown goes through one writer.

    app                one run of `pyx`, from options to an exit code
    shell_options      the options of one run
    start_collections  no garbage collections while modules are loaded
    frontend           the side that faces the user: standard streams, terminal, console
    driver             the frontend of a shell that a runner drives (`scenario`)
    driver_requests    what a runner may ask besides inputs
    loop               read, evaluate, show; the prompt; terminals of plain lines
    python_conventions  what programs find at Python's own prompt: `sys.ps1`, hooks, `sys.last_exc`
    number_patterns    what `receive(0)` waits for, said after a second
    evaluate           whether an input is complete, and its outcome
    render             a value as text
    theme              the colours of a prompt, by roles
    traceback_colours  tracebacks in the colours of a theme
    wrapping           text broken at blanks for narrow terminals
    screen             the one writer of a terminal or a pipe: the queue of its lines
    text_writer        text into a stream, by its descriptor and encoding
    terminal           the editor of a person's terminal
    editor_keys        its keys
    hint_line          the line below the input: the signature of a call, vi's mode
    signature_hint     that signature, fitted to the columns
    indentation        the blanks that the next line begins with
    pasted_transcript  a pasted session without its prompts
    prompt_signals     signals while the editor reads: none is lost
    tty                the terminal's line discipline, and sys.stdin of a prompt
    completion         the candidates at the cursor
    import_names       those in an import statement
    file_names         files and directories in a string
    call_signature     the parameters of what is called at the cursor
    static_values      the value of an expression, or its class, without running code
    partial_values     what stands for a value of which only a part is known
    return_types       the class of what a call returns
    argument_names     which arguments of pyx's functions are names of something
    child_names        the children of a supervisor by their ids
    topic_names        topics, and the instances of PubSub and Presence
    input_scanner      open brackets, strings and comments before the cursor
    helpers            h, i, v, flush, pid, r, exports ...
    help_pages         the texts of `h` and `exports`
    name_lookup        `h("Process.info")`: what a name means; keywords
    loaded_files       `c("file.py")`: a file of any directory as a module
    source_editor      `edit(x)`: the source of a thing in the user's editor
    directories        `ls`, `cd`, `pwd`
    old_servers        which servers still run a class as it was before a reload
    prompt_names       the public names of pyx, which every prompt has; those that are loaded late
    pyx_calls          pyx's own functions, called on another node for the shell
    process_table      `ps()`: the processes of a node
    top_table          `top()`: the busiest processes of a node
    node_table         `nodes()`: the connected nodes
    text_table         rows of text in columns
    facts              facts about values and processes, for the helpers
    help_question      `x?` and `x??`: documentation and source
    timed_call         `tc`: how long a call takes
    documentation      signatures and docstrings as the helpers show them
    history            the typed statements that are kept
    history_file       the file of the history: its format, its lock
    redaction          cookies kept out of history and recordings
    record_hooks       reports what is typed and shown to a recorder (`--record`)
    log_handler        pyx's log on stderr
    standard_streams   standard streams that were closed, replaced or cannot be written
    atomic_files       files written whole or not at all
    project            the user's modules: found, bound, reloaded
    module_folder      the modules of a folder
    new_project        `pyx new NAME`
    settings_files        `[tool.pyx]` in pyproject.toml, and the user's config.toml
    before_prompt         settings, modules and start files, before the first prompt
    prompt_settings       what they say about a prompt
    preload               the modules that they import before the first prompt
    start_files           what runs before the first prompt: the user's `start.py`, a project's `.pyx.py`
    start_file_answers    which files of projects may run
    own_file              files that another user could have written are refused
    user_directories      where the user's own files are
    declared_cluster      where the project says that other nodes are looked for
    declared_application  what pyproject.toml names as the project's application
    project_application   the application of a project: before the first prompt, and as a service
    program            the source of a program, run as `python` does
    program_files      what a program comes from: a file, a zip file, a module; what `-r` loads before it
    program_exit       Python's end of a program, before its node stops
    remote_shells      the remote shells of one terminal, and its jobs
    remote_shell       the prompt of a remote shell
    remote_connection  a remote shell as its client sees it: inputs go there, answers come back
    remote_questions   what the editor of a remote shell asks the other node while a line is typed
    remote_session     a remote shell on the node that it is attached to
    remote_evaluator   the process there that evaluates inputs
    remote_names       what such an input sees
    remote_command     what such an input asks of the shell where it was typed
    remote_eval        `pyx --rpc-eval NODE EXPR`
    hidden_name        a name for a node that only asks another one
    local_completion   completion of the shell's own inputs
    switched_completion  completion by the shell whose prompt is shown
    termination        how signals and lost output end a run
    interception       what takes an input before the prompt does
    network_load       `nl`: a module's source on all nodes
    breakpoint_questions  the questions of processes that met a breakpoint

Never imported here: `core`, `wire` and `net`, except the search for the home directory (the shell uses what a
user uses: `node`, `process`, `rpc`, `primitives`, and of `runtime` its process and this node), `scenario`,
`cli`.
"""
