"""Errors that a user can fix: shown as their text alone, without a traceback."""

from __future__ import annotations


class UserError(Exception):
    """Something outside the code is wrong: a file, a parameter, a key, a server.

    The text names where (file, line, key or row), what was found, what was expected and what to do.
    """


class MissingFileError(UserError, FileNotFoundError):
    """A file that was named is not there."""
