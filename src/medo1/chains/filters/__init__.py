"""Filters over chains: small pure checks, each with a verdict for every chain, and the funnel that they make."""
