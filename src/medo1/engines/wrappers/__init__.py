"""Engines that wrap another engine: stored answers are reused, spending is counted and bounded, a
truncated answer is continued.

    store.py      the completion store: what was paid for, in one SQLite file
    stored.py     an engine with a completion store
    money.py      prices, accounts, estimates and the hard budget
    progress.py   counts as they grow
    cut.py        truncated answers
"""
