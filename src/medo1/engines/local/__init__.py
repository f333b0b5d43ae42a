"""A model in this process: the `transformers` engine.

    transformers.py  the engine: requests become rows, rows become completions
    loading.py       a model, its tokenizer, its adapters
    loop.py          continuous batching: rows are admitted, decoded together, leave when they are done
    active_rows.py   the sequences being decoded
    kv_cache.py      their keys and values, and attention over them
    sampling.py      the next token of each row, from its own random numbers, with its log-probability and confidence
    batch_limits.py  how many rows fit into memory

Forward passes are Hugging Face's own; what is ours is what happens between them. `model.generate` keeps each batch
until its longest row has ended and copies the whole cache at every step; here a row that ended leaves at once and the
cache is written in place.
"""
