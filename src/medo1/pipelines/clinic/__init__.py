"""Makes the embedded world's files: what the world is, its textbook, its benchmark, its tiny base model."""
