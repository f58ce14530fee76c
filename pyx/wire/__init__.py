"""Bytes to values and back, without I/O.

Consumes bytes as a socket received them, values as a process sent them, and the signals of `pyx.signals`;
produces payloads, frames, signals and the outcome of a handshake.  Machines are fed (`receive_data`) and then
collected (`frames`, `events`); time, nonces and keys are arguments.

    codec           messages to payloads and back: the only file that other packages use of `messages`
    messages        values to payloads and back
    frames          signals to frames and back, and the order in which frames leave
    handshake       the mutual proof of the cookie, and TLS
    beam            Erlang's distribution protocol, a second dialect
    epmd            the protocol of EPMD
    fresh_memory    buffers of large payloads, used again

`frames`, `handshake` and `epmd` do not import each other; `frames` uses `codec`, and `codec` uses `messages`.
Never imported here: a socket, an event loop, a thread, a clock, randomness, and anything of `core`, `net` or
above.
"""
