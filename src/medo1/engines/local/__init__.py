"""A model in this process: the `transformers` engine.

    transformers.py  the engine: requests become rows, rows become completions
    loading.py       a model, its tokenizer, its adapters
    loop.py          rows come in, are decoded together, leave when they are done, and others take their place
    rows.py          a sequence being decoded
    kv_cache.py      keys and values of the rows in work, and attention over them
    sampling.py      the next token of each row, from its own random numbers, with its log-probability and confidence
    memory.py        how many rows fit

Forward passes are Hugging Face's own; what is ours is what happens between them. `model.generate` keeps each batch
until its longest row has ended and copies the whole cache at every step; here a row that ended leaves at once and the
cache is written in place.
"""
