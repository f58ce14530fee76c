"""The Erlang distribution protocol, a second dialect beside pyx's own: bytes to values and signals, and back.

    session            the two directions of one connection: what other packages use of this one
    handshake          version 6 of the handshake, both sides, as machines without a socket
    flags              what each node of a connection understands, and what this node requires
    frames             the boundaries of messages: headers with atoms, fragments
    signal_reader      control messages to signals
    signal_writer      signals to control messages
    control            the numbers of control messages; exit reasons
    servers            what OTP's servers ask and answer: net_kernel, rex, erpc
    io_requests        output between nodes: what group leaders are asked and answer
    io_format          texts as `io_lib:format` makes them; chardata
    erlang_syntax      values as Erlang writes them
    gen_messages       calls of servers as OTP's gen and sys write them, and their words
    exchanges          the open requests of a connection, both ways
    group_scopes       groups of processes that both nodes share, by the messages of OTP's pg
    modules            names of modules, as Elixir, Erlang and Python write them
    term               a message in Erlang's format, as the data of a payload
    term_reader        terms of Erlang to values
    term_writer        values to terms of Erlang
    small_terms        most messages, written in one function: a fast path
    rare_terms         values that few messages hold
    leaf_terms         the terms without items: numbers, addresses
    received_atoms     atoms that Erlang nodes send
    etf_tags           the tags of Erlang's external term format
    atom_bytes         atoms as they are written into a term
    elixir_structs     Elixir's structs: dates, decimals, sets, exceptions, objects
    named_structs      which classes stand for which structs
    opaque_functions   functions of Erlang nodes, copied so that they can be sent back

Loaded by nodes that speak with Erlang nodes alone.  Never imported here: a socket, an event loop, a thread, a
clock, a source of randomness.
"""
