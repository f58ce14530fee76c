"""Values <-> payloads: the bytes of a message, exact and without running code.

    encode          values to bytes
    slices          a large payload, packed and unpacked a piece at a time
    limits          how long a message is at least and how deep it nests, before it is packed
    encode_errors   why a value cannot be sent, and where in it the trouble is
    hints           what to send instead of an object that is not data
    opening         bytes to values
    decode          the unpacker and its hooks
    safe_keys       keys of dicts and members of sets
    format          the kinds of compound values in a payload
    scalars         values that msgpack lacks: big ints, dates, decimals, UUIDs
    classes         how an object of a user's class is read and rebuilt without its code
    names           functions and classes by name

Never imported here: frames, signals of a connection, the handshake; a socket, a loop, a thread, a clock.
"""
