"""Decoding with a model in this process: what the `transformers` engine is made of.

    loading.py    a model, its tokenizer, its adapters
    slots.py      keys and values of the rows in work, a slot each, and attention over them
    picking.py    the next token of each row, from its own random numbers, with its log-probability and confidence
    loop.py       rows come in, are decoded together, leave when they are done, and others take their place
    memory.py     how many rows fit

Forward passes are Hugging Face's own; what is ours is what happens between them. `model.generate` keeps each batch
until its longest row has ended and copies the whole cache at every step; here a row that ended leaves at once and the
cache is written in place.
"""
