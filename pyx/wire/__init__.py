"""Bytes <-> values.

In: bytes as a socket gave them, values as a process sent them, the signals of `pyx.signals`.
Out: letters and the values in them, frames, the verdict on a peer, the signals of one session.

    codec       messages to bytes and back: the door of the files up to `names`
    seal        values to bytes
    slices      a large letter, packed and unpacked a piece at a time
    measure     how long a message is at least and how deep it nests, before it is packed
    refusal     why a value cannot be sent, and where in it the trouble is
    hints       what to send instead of an object that is not data
    opening     bytes to values
    opener      the unpacker and its hooks
    hashing     keys of dicts and members of sets
    marks       the kinds of compound values in a letter
    leaves      values that msgpack lacks: big ints, dates, decimals, UUIDs
    classes     how an object of a user's class is read and rebuilt without its code
    names       functions and classes by name
    session     signals to bytes and back, between two nodes: the door of the files up to `frame`
    kinds       the kinds of frames, and how each is laid out
    fitting     a signal cut to what a peer takes
    writer      one signal to the head and the letter of its frame
    reader      the head and the letter of a frame to one signal
    speaking    what a peer may say
    turns       in which order frames leave, and in how many pieces
    fragments   how large frames are cut
    assembly    the pieces put together again
    frame       where one frame ends and the next begins
    hello       the one frame that is read from a stranger
    handshake   the mutual proof of the cookie
    keys        from a cookie to the key of the handshake
    tls         TLS 1.3 as a machine
    epmd        the protocol of EPMD

Never imported here: a socket, a loop, a thread, a clock, chance (time and nonces are arguments), and
anything of `core`, `net` or above.
"""
