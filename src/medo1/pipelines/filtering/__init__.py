"""Keep the chains worth learning from, and say of every other why not."""
