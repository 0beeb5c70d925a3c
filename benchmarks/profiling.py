"""`--profile`: where the CPU time of an event's way goes, beside the bare skeleton's."""

from __future__ import annotations

from benchmarks import options as names
from benchmarks.lineup import Lineup
from benchmarks.measuring import measure
from benchmarks.steps import functions, microseconds

_MODULES = {
    "bare": (names.BARE_1024, "benchmarks.sides.bare_consumer"),
    "gateway": (names.GATEWAY, "ekiben_inference_gateway"),
    "synthesizer": (names.PIPELINE, "ekiben_synthesizer"),
}


def profile(lineup: Lineup, events: int) -> dict[str, dict[str, float]]:
    """Microseconds by process and step; prints them, and the dearest functions of each process."""
    found: dict[str, dict[str, float]] = {}
    dearest: dict[str, list[tuple[str, float]]] = {}
    for process, (side, module) in _MODULES.items():
        if side not in lineup.sides:
            continue
        measure(lineup.sides[side], lineup.ground, events)
        samples = lineup.ground.samples_of(module)
        assert samples is not None
        found[process] = microseconds(samples, events)
        dearest[process] = functions(samples, events)
    _show(found)
    for process, places in dearest.items():
        print(f"\nThe dearest functions of the {process}, without what they call (C extensions included):")
        for place, us in places:
            print(f"{us:>8.2f}  {place}")
    return found


def _show(found: dict[str, dict[str, float]]) -> None:
    print("\nCPU microseconds for one event" + "".join(f"{process:>14}" for process in found))
    steps = list(dict.fromkeys(step for process in found.values() for step in process))
    for step in steps:
        print(f"{step:<30}" + "".join(f"{process[step]:>14.2f}" for process in found.values()))
    print(f"{'in all':<30}" + "".join(f"{sum(process.values()):>14.2f}" for process in found.values()))
