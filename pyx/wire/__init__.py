"""Bytes <-> values.

In: bytes as a socket gave them, values as a process sent them, the signals of `pyx.signals`.
Out: payloads and the values in them, frames, the outcome of a handshake, the signals of one connection.

    codec       messages to payloads and back: what other packages import of `messages`
    messages    values to payloads and back
    frames      signals to frames and back, and the order in which frames leave
    handshake   the mutual proof of the cookie, and TLS
    epmd        the protocol of EPMD

Never imported here: a socket, a loop, a thread, a clock, chance (time and nonces are arguments), and
anything of `core`, `net` or above.
"""
