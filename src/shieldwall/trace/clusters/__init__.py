"""Which holders belong together: clusterings, built under constraints, extended in place, asked for members and reasons.

Example:
    Cluster a store by co-spend, CoinJoins left out, without tags (`shieldwall cluster build` adds the member's tag sets)::

        from shieldwall.chain.store import ChainStore
        from shieldwall.trace.clusters.building import build_clustering
        from shieldwall.trace.clusters.rules import ClusterRules

        with ChainStore.open(Path("chain")) as store:
            clustering = build_clustering(Path("clusters"), store, ClusterRules()).clustering
            print(clustering.size(clustering.cluster_of(0)))

What it does not know: who controls a cluster. A cluster is an inference by named rules, each of which errs; tags are claims of
others.
"""
