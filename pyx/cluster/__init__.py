"""`pyx.cluster`: nodes that find each other, as libcluster's for Elixir.

A *strategy* only finds: where nodes may be.  The handshake decides whom to trust, the topology whom to dial.
Written on the public modules and on `otp`.  Never imported: the shell.  Loaded by a node with seeds, and by
what names `Cluster`; each strategy when it is configured.

    sighting           the contract of strategies: `Sighting`, `Strategy`
    topology           what was found, is up and rests; what to dial and to prune next
    cluster_errors     why a cluster was not started, or is too small
    configuration      seeds and tables of pyproject.toml, checked, as topologies
    strategy_settings  the settings of one strategy, checked
    polling            strategies that ask again and again
    static_nodes       `static`: nodes by their names
    hosts_file         `hosts`: a file of hosts or nodes
    local_nodes        `local`: the nodes of this user on this host
    dns_addresses      `dns`: a node at each address of a domain
    srv_records        `srv`: a node at each target of SRV records
    kubernetes_pods    `kubernetes`: a node in each pod that the API of Kubernetes lists
    pod_nodes          these pods, by a list and what a watch says since
    lan_services       `lan`: nodes that say their names on the local network
    lan_records        what they say, and its proof
    dialling           one dial, with its reason if it fails
    search             the process of a strategy
    cluster_server     the process of a cluster
    cluster_log        the log records of clusters
    cluster_start      how that process is started: by a program, and by the seeds of a node
    cluster            `Cluster`
    awaitable_cluster  `aio.Cluster`
"""
