"""The Erlang distribution protocol, a second dialect beside pyx's own: bytes to values and back.

    term_reader        terms of Erlang to values
    term_writer        values to terms of Erlang
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
