"""Engines in front of another engine: what was answered before is not asked again, money is counted and bounded, an
answer cut by its length is continued.

    store.py      the completion store: what was paid for, in one SQLite file
    stored.py     an engine that remembers
    money.py      prices, accounts, estimates and the hard budget
    progress.py   counts as they grow
    cut.py        answers cut by their length
"""
