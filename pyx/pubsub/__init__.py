"""`pyx.pubsub`: broadcasts to the subscribers of topics, and who is there: Phoenix's PubSub and Presence.

Written on the kernel's broadcasts and replicated spaces (`core/broadcasts.py`, `core/presence_diffs.py`) and
on `otp` for starts.  Never imported: the shell and sockets; and no module of `pubsub` is imported before a
program or a prompt names one of its classes.

    topics                 `PubSub`
    publishing             one broadcast: encoded, put into the kernel, waited for
    instances              the instances of PubSub: their spaces, their processes, their dispatchers
    instance_names         their names, and topics, as far as a node knows them
    adapter                the contract of what carries broadcasts between nodes in the mesh's place
    presence               `Presence`
    presence_errors        its refusals
    awaitable_pubsub       `aio.PubSub`, `aio.Presence`: the awaitable twins of what waits
"""
