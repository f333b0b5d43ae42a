"""What made what: digests, manifests, and the ledger of runs and versions.

Nothing is imported here, so that `medo1.lineage.digests`, which every layer uses, stays light.
"""
