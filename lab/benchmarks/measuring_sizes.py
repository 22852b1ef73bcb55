"""How much each part measures: the whole, a minute's worth, or just enough to see that it runs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Farm:
    """One run of simulated drivers: what is queued, and who takes it."""

    n_servers: int
    n_plans: int
    n_batches: int


@dataclass(frozen=True)
class Load:
    """The size of every part; `renders` are (plans, seconds a plan), `scaling` (servers, …)."""

    n_plans: int
    renders: tuple[tuple[int, float], ...]
    n_rounds: int
    n_starts: int
    scaling: tuple[int, ...]
    n_scaling_plans: int
    model_plans: tuple[int, ...]
    n_pollers: int
    n_listeners: int
    n_cuts: int
    n_polled_plans: int
    window_s: float
    n_windows: int
    flood_s: float
    n_memory_plans: int
    farms: tuple[Farm, ...]
    n_young_runs: int
    n_past_runs: int
    n_repeats: int


WHOLE = Load(
    n_plans=10_000,
    renders=((30, 1.0), (200, 0.2), (400, 0.05)),
    n_rounds=2,
    n_starts=10,
    scaling=(1, 2, 4, 8),
    n_scaling_plans=100,
    model_plans=(40, 400),
    n_pollers=200,
    n_listeners=200,
    n_cuts=20,
    n_polled_plans=1_000,
    window_s=20.0,
    n_windows=4,
    flood_s=60.0,
    n_memory_plans=10_000,
    farms=(
        Farm(1, 1_000, 20),
        Farm(2, 2_000, 20),
        Farm(4, 2_000, 20),
        Farm(8, 2_000, 20),
        Farm(16, 2_000, 20),
        Farm(32, 20_000, 20),
        Farm(32, 2_000, 1),
    ),
    n_young_runs=100_000,
    n_past_runs=1_000_000,
    n_repeats=15,
)
QUICK = Load(
    n_plans=1_000,
    renders=((50, 0.2),),
    n_rounds=1,
    n_starts=3,
    scaling=(1, 4),
    n_scaling_plans=25,
    model_plans=(40,),
    n_pollers=50,
    n_listeners=50,
    n_cuts=20,
    n_polled_plans=200,
    window_s=5.0,
    n_windows=2,
    flood_s=20.0,
    n_memory_plans=400,
    farms=(Farm(1, 200, 4), Farm(8, 800, 4)),
    n_young_runs=10_000,
    n_past_runs=50_000,
    n_repeats=5,
)
SMOKE = Load(
    n_plans=10,
    renders=((3, 0.05),),
    n_rounds=1,
    n_starts=1,
    scaling=(1, 2),
    n_scaling_plans=3,
    model_plans=(6,),
    n_pollers=3,
    n_listeners=3,
    n_cuts=3,
    n_polled_plans=40,
    window_s=1.0,
    n_windows=1,
    flood_s=1.0,
    n_memory_plans=8,
    farms=(Farm(2, 6, 2),),
    n_young_runs=0,
    n_past_runs=10_000,
    n_repeats=1,
)
SIZES = {"whole": WHOLE, "quick": QUICK, "smoke": SMOKE}
