"""The stage of the matrix: waits made short, servers that come and go."""

from tests.driver.conftest import hurried, start_comfy

__all__ = ["hurried", "start_comfy"]
