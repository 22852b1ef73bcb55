"""The benchmarks themselves still run; what they measure is nobody's business here."""

import os
import subprocess
import sys

import pytest

from generation.runtime.processes import ROOT

TITLES = [
    "Requests",
    "Throughput and idle gap, one server",
    "From POST to the first prompt, idle cluster",
    "Scaling, 200 ms a plan",
    "Loads of 2 servers and 2 checkpoints",
    "3 clients poll a batch of 40 plans beside its render",
    "3 clients listen to an episode beside its render",
    "3 clients are cut off 3 times beside a render",
    "Memory of a worker",
    "Simulated servers over PostgreSQL",
    "10,000 finished plan runs beside 0",
]


def titles(*parts: str) -> list[str]:
    command = ["-m", "lab.benchmarks", "--size", "smoke", "--parts", *parts]
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**os.environ, "REDIS_URL": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    return [line.strip("*") for line in lines if line.startswith("**")]


@pytest.mark.slow
def test_a_part_prints_its_table() -> None:
    assert titles("memory") == ["Memory of a worker"]


@pytest.mark.soak
def test_every_part_prints_its_tables() -> None:
    assert set(TITLES) <= set(titles("all"))
