"""The prompt: text typed by a person goes in, values and failures as text come out.

What comes in: whole statements from a terminal (or lines from a pipe, later frames from a runner), and lines
printed by processes.  What goes out: the public faces are called; everything visible goes through one writer.
`session` puts the parts together; `loop` knows no terminal, `terminal` is the only file with prompt_toolkit.

Never imported here: `core`, `wire` and `net` (the shell uses what a user uses: `node`, `process`, `rpc`,
`primitives`, and of `runtime` its own seat at the node), `scenario`, `cli`.
"""
