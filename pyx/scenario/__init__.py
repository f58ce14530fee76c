"""A transcript of several node shells is a test: text goes in, a verdict and a diff come out.

In: `*.pyxt` files and ```` ```pyx ```` fences in Markdown, typed by people or written by `--record`.  Out:
real `pyx` processes driven over framed pipes (`shell/driver.py` is their end), a report of the one step that
failed, JUnit files, pytest items, files rewritten by `--update`.

    sources                 which files are played; the text of one
    fences                  the blocks of a Markdown file
    transcript              text to steps, or a complaint with line and column
    shell_lines             the `$ ` lines
    directives              the comment at the end of an input (`# eventually`)
    parse_error             a problem and its place in the file
    steps                   what a transcript asks for, as values
    tokens                  what is volatile in a text: pids, references, addresses, ports
    bindings                the file's names for them <-> what they are this time
    characters              what a terminal makes of a line, and what a text file does not keep
    match_line              one expected line against one shown
    wildcards               `[..]`, `*` and `?`
    expressions             a user's regular expression, in a child process
    echo                    an echo, compared as a Python value
    units                   what a screen shows in one piece
    screen_lines            pieces of text to the units of a screen
    match_block             a block against several sources
    unordered               a block in any order
    sandbox                 the directory and HOME of a replay
    sandbox_copy            what lies beside a scenario, copied there
    stale_sandboxes         what a runner that was killed has left
    node_process            one OS process for each node, and its frames
    running_nodes           the nodes of a scenario, and what is asked of all at once
    player                  plays the steps
    takeover                `--stop-at`: a person takes over a node's shell
    failure_report          a failure as its reader wants it
    invisible_differences   differences that the eye does not see
    update                  rewrites what failed
    replay                  many files: jobs, repetitions, progress
    junit                   results as XML
    replay_cli              `pyx replay`
    pytest_plugin           the same files under pytest
    record                  a live session to a transcript
    blocks                  events of a session to blocks
    recording               the file of a recording, and its first line
    merge                   several recordings joined

Never imported here: `cli`, and of the node only what the shell shows of itself: a scenario knows a node by
its prompt and its screen, as a person does.
"""
