"""The explorer of cases: an index of every generation, small, and its texts in chunks that are unpacked one at a
time.
"""
