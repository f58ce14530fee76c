"""Transcripts of shells as tests: a transcript goes in, a report of the first step that differs comes out.

Input are `*.pyxt` files and ```` ```pyx ```` fences in Markdown, typed by people or written by `--record`.
Each node of a transcript is a real `pyx` process, driven over a pair of pipes (`shell/driver.py` is the other
end), or a real `iex`.  Output are the report, JUnit files, pytest items, and files rewritten by `--update`.

A file of text becomes steps:

    scenario_files          finds the files to play, and reads one
    fences                  the fenced blocks of a Markdown file
    markdown_sessions       which of these are sessions
    transcript              parses text to steps
    commands                parses the commands, which are the `$ ` lines
    comment_directives      parses the comment at the end of an input (`# eventually`)
    parse_error             a problem with its column, and "did you mean"
    steps                   the steps, as values

Steps are played:

    replay                  plays files: jobs, repetitions, progress
    player                  plays the steps of one session
    input_player            evaluates an input, and waits for its prompt and its output
    step_failure            the failure of a step, and what it ends
    running_nodes           the nodes of a session, partitions, barriers
    node_process            one OS process for each node, and its driver messages
    driver_conversation     the bytes of a node of pyx, both ways
    iex_conversation        those of an Elixir node, whose prompts and output become driver messages
    erlang_tools            iex, its host and its EPMD, or why a session cannot be played here
    output_units            pieces of output become the units of a screen
    sandbox                 the directory and HOME of a session, and its removal
    sandbox_copy            copies what is beside a scenario there
    takeover                `--stop-at`: hands a node's shell to the terminal

Expected and actual output are compared:

    match_block             a block with the units of several sources
    match_unordered         a block with `# unordered`
    match_line              one line
    match_echo              an echo, as a Python value
    match_term              a term, as iex prints it
    elixir_echo             terms of Erlang in an echo, as Python writes them
    wildcards               `[..]`, `*` and `?`
    expressions             regular expressions, in a child process that can be stopped
    characters              what a terminal shows of a line, and the escapes of the rest
    bindings                the file's pids, references, addresses and ports, and those of this replay

Results and recordings are written:

    failure_report          the report of a failed step
    junit                   results as JUnit's XML
    update                  the new text of a file whose blocks failed
    recorder                the calls of `--record`, from any thread
    recorded_blocks         recorded events become blocks of a transcript
    record_file             the file of a recording, and its first line
    merge                   joins several recordings
    replay_cli              `pyx replay`
    pytest_plugin           scenarios as items of pytest

Never imported here: `cli`, and of a node only what its shell shows: a scenario knows a node by its prompt and
its screen, as a person does.
"""
