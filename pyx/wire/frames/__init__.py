"""Signals to frames and back, for one connection: heads, fragments, and the order in which frames leave.

    signal_stream   signals to bytes and back: what other packages use of this one
    layout          the kinds of frames and the layout of each
    head_limits     the longest heads, and a signal's fields shortened to fit them
    writer          one signal to the head and the payload of its frame
    fixed_writer    the fixed heads, for signals whose fields fit
    reader          the head and the payload of a frame to one signal
    fixed_reader    the fixed heads
    lone_frame      one small frame read, or written, in one function
    known_pids      the pids in heads, remembered by their bytes
    held_keys       the frame of a peer's holdings, and the checks of keys and entries
    sender_check    each field of a received signal against the identity of the peer
    scheduler       the order in which frames leave: fair between senders, ordered within each
    fragments       large frames cut into fragments, and the limits of frames in flight
    reassembly      the fragments of large frames joined
    frame           the boundaries of frames in a stream of bytes

Imports `codec`.  Never imported here: the inside of `messages`, the handshake; a socket, an event loop, a
thread, a clock.
"""
