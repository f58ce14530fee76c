"""`pyx doctor`: what would keep a node from starting, being found or showing a prompt, and how to mend it.

    host_facts         what is read, as plain values
    local_facts        reads those of this host and this user, and changes nothing
    host_nodes         asks the nodes that run on this host, and its EPMD
    node_facts         what one node answers, step by step
    node_inquiry       asks that node, as a hidden one that claims no name
    node_conversation  what it asks once it is connected
    finding            one line of the report
    diagnosis          from facts to findings
    node_diagnosis     the same for one node
    doctor_cli         the command: its words, the time limit of each part, the report

Facts in, findings out: only what reads facts does input and output, each part on a thread of its own with a
time limit, so that a dead file server or resolver costs one line and not the report.  Never imported but
by the command line.
"""
