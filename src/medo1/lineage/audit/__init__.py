"""The audit: what the ledger and the manifests answer. Read by `kedro audit`; imports neither Kedro nor a pipeline."""
