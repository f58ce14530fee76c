"""A transcript of several node shells is a test: text goes in, a verdict and a diff come out.

In: `*.pyxt` files and ```` ```pyx ```` fences in Markdown, typed by people or written by `--record`.  Out:
real `pyx` processes driven over framed pipes (`shell/frames.py` is their end), a report of the one step that
failed, JUnit files, pytest items, files rewritten by `--update`.

    sources         which files are played; the text of one
    fences          the blocks of a Markdown file
    transcript      text to steps, or a complaint with line and column
    commands        the `$ ` lines
    directives      the comment at the end of an input (`# eventually`)
    complaint       a problem and its place in the file
    steps           what a transcript asks for, as values
    tokens          what is volatile in a text: pids, references, addresses, ports
    renaming        the file's names for them <-> what they are this time
    characters      what a terminal makes of a line, and what a text file does not keep
    expectation     one expected line against one shown
    wildcards       `[..]`, `*` and `?`
    expressions     a user's regular expression, in a child process
    echo            an echo, compared as a Python value
    units           what a screen shows in one piece
    shown           pieces of text to the units of a screen
    matching        a block against several sources
    unordered       a block in any order
    stage           the directory and HOME of a replay
    copying         what lies beside a scenario, copied there
    leftovers       what a runner that was killed has left
    nodes           one OS process for each node, and its frames
    cast            the nodes of a scenario, and what is asked of all at once
    player          plays the steps
    visit           `--stop-at`: a person takes over a node's shell
    report          a failure as its reader wants it
    visible         differences that the eye does not see
    update          rewrites what failed
    replay          many files: jobs, repetitions, progress
    junit           results as XML
    command         `pyx replay`
    pytest_plugin   the same files under pytest
    record          a live session to a transcript
    blocks          events of a session to blocks
    recording       the file of a recording, and its first line
    merge           several recordings joined

Never imported here: `cli`, and of the node only what the shell shows of itself: a scenario knows a node by
its prompt and its screen, as a person does.
"""
