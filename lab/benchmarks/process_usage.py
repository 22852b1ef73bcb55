"""What processes of this machine take, as the kernel counts it."""

from os import sysconf
from pathlib import Path


def cpu_s(pid: int) -> float:
    """Return the CPU seconds that a process has taken; its children are left out."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / sysconf("SC_CLK_TCK")


def name(pid: int) -> str:
    """Return what a process calls itself."""
    return Path(f"/proc/{pid}/comm").read_text().strip()


def resident_mib(pid: int) -> float:
    """Return how much memory a process has in use."""
    return _memory_mib(pid, "VmRSS:")


def peak_mib(pid: int) -> float:
    """Return how much memory a process had in use at the most."""
    return _memory_mib(pid, "VmHWM:")


def _memory_mib(pid: int, name: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    line = next(line for line in lines if line.startswith(name))
    return int(line.split()[1]) / 1024
