"""Values to payloads and back: a payload is the encoded bytes of one message.

    encode          the packer and its hook: from values to bytes
    reduce          each value that msgpack lacks, reduced to an array led by a tag
    limits          the least length and the depth of a message, checked before it is packed
    encode_errors   the error for a message that cannot be encoded, with the path to the part that is not data
    hints           what to send instead of a value that is not data
    decode          the unpacker and its hooks: from bytes to values
    plain           messages without tags: encoded and decoded by C code alone
    key_bytes       keys of processes: equal keys as equal bytes, on every node
    safe_keys       keys of dicts and members of sets: which may be sent, and decoders that check them
    format          the kinds of compound values, the tags that lead them, the check of a payload's depth
    erlang          terms of Erlang that Python lacks: improper lists, maps, bit strings, ports, functions
    scalars         values without parts that msgpack lacks: big ints, dates, decimals, UUIDs
    classes         objects of user classes, read and rebuilt without running the class's code
    enums           members of enums and flags
    hash_safety     whether hashing an object of a class would run user code
    names           functions and classes by name

Imported by `codec` alone.  Never imported here: frames, signals other than `Payload`, the handshake; a
socket, an event loop, a thread, a clock.
"""
