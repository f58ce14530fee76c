"""A transcript of several node shells is a test: text goes in, a verdict and a diff come out.

In: `*.pyxt` files and ```` ```pyx ```` fences in Markdown, typed by people or written by `--record`.  Out:
real `pyx` processes driven over framed pipes (`shell/frames.py` is their end), a report of the one step that
failed, JUnit files, pytest items, files rewritten by `--update`.

    steps          what a transcript asks for, as values
    sources        which files are played; the text of one
    fences         the blocks of a Markdown file
    transcript     text -> steps, or one clear complaint; with commands (`$ ` lines) and directives
    tokens         what is volatile in a text: pids, references, addresses, ports
    renaming       the file's names for them <-> what they are this time
    characters     what a terminal makes of a line, and what a text file does not keep
    expectation    one line; with wildcards, expressions (regular ones, in a child process)
    echo           a Python value
    units          what a screen shows in one piece
    matching       a block against several sources; unordered: in any order
    shown          pieces of text -> the units of a screen
    stage, nodes   the directory and HOME of a replay; one OS process and its frames
    copying        what lies beside a scenario -> its directory
    leftovers      what a runner that was killed has left
    cast           who is on the stage, and what is asked of all at once
    player         plays the steps
    report         a failure as its reader wants it; visible: what the eye does not see
    update         rewrites what failed
    record, blocks a live session -> a transcript; recording: its file and first line; merge: several
    replay, junit  many files: jobs, repetitions, progress, results
    command        `pyx replay`; pytest_plugin: the same files under pytest

Never imported here: `cli`, and of the node only what the shell shows of itself: a scenario knows a node by
its prompt and its screen, as a person does.
"""
