"""The server that misbehaves, for chains too."""

from tests.engines.conftest import server

__all__ = ["server"]
