"""Bytes <-> values.

In: bytes as a socket gave them, values as a process sent them, the signals of `pyx.signals`.
Out: letters and the values in them (`codec`), frames (`frame`), the verdict on a peer (`handshake`), the
signals of one link (`session`).

Never imported here: a socket, a loop, a thread, a clock, chance (time and nonces are arguments), and
anything of `core`, `net` or above.
"""
