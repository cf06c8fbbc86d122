"""Times minigrad beside its peers, in turn and in one process, so that all meet the same machine.

A benchmark is a file of this folder. Its name is the file's, `--list` shows the first line of its
docstring, its `MEANS`, if it has any, says which geometric mean of the ratios is wanted of which
peer, its function `lacks`, if it has one, says what of this machine it waits for in vain, and its
function `cases` yields the `Case`s to measure:

    def cases():
        yield Case("512x512", "µs per product", ours, {"PyTorch": pytorch}, targets={"PyTorch": 1})

`ours` and `pytorch` are contestants. A contestant is a generator function that imports what it
needs and yields one or several variants `(settings, run)`; `run(times)` does the work that many
times. Several variants, such as numbers of threads, are tried first; the two fastest compete, and
the better of them counts:

    def pytorch():
        import torch

        a, b = torch.rand(2, 512, 512)
        for threads in range(1, machine.cores() + 1):
            yield f"threads={threads}", repeated(lambda: a @ b, torch_threads(threads))

`contestants.py` has what such functions share.
"""

import gc
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import geometric_mean, median
from time import perf_counter, sleep

from tests.benchmarks import machine, profile

ROUNDS = 7
ROUND = 0.5  # seconds that one variant is timed for in one round
TRIAL = 0.1  # seconds of one try of a variant
PAUSE = 0.15  # seconds of rest before each turn: idle threads of the last one stop spinning
OURS = "minigrad"
INSTALL = (
    "pip install 'minigrad[bench]' installs the peers: torch, tokenizers, transformers, and keras "
    "with tensorflow-cpu"
)

PER_SECOND = {"s": 1, "ms": 1e3, "µs": 1e6, "ns": 1e9}


@dataclass
class Case:
    """One piece of work, done by minigrad and by its peers.

    name     what tells it from the other cases of its benchmark
    unit     a unit of time, and what is done in that time: "µs per step"
    ours     the contestant of minigrad
    peers    {name: contestant}
    count    how many of the unit's steps (or products, ...) `run(1)` does
    targets  {name of a peer: the ratio that we want at least}
    work     how many floating-point operations `run(1)` stands for, where these take the time,
    traffic  or how many bytes it has to read and write at least, where memory does,
    reads    or how many bytes of one array, such as all weights, it has to read at least: in
             `run(1)` as often as `count` says,
    threads  and how many cores do it: the rate is shown beside what so many cores reach at best
    """

    name: str
    unit: str
    ours: Callable
    peers: dict[str, Callable]
    count: int = 1
    targets: dict[str, float] = field(default_factory=dict)
    work: float = 0
    traffic: float = 0
    reads: float = 0
    threads: int = 1

    def measure(self, benchmark):
        return measure(benchmark, self)


@dataclass
class Variant:
    """One way to do the work, and the seconds that `run(1)` takes, as it was last measured."""

    settings: str
    run: Callable
    seconds: float


def with_threads(name, unit, ours, peers, **more):
    """The case with 1 thread, with up to 2, ...: a case for each number.

    Contestants are called with a number of threads; each is at its best with one that is allowed.
    """
    for most in range(1, machine.cores() + 1):
        yield Case(
            f"{name}, threads={most}",
            unit,
            ours=partial(up_to, most, ours),
            peers={peer: partial(up_to, most, contestant) for peer, contestant in peers.items()},
            threads=most,
            **more,
        )


def up_to(most, contestant):
    """The variants of a contestant with 1, 2, ... `most` threads."""
    for threads in range(1, most + 1):
        for settings, run in contestant(threads):
            yield f"{settings} threads={threads}".lstrip(), run


def measure(benchmark, case):
    """Time one case.   -> rows, {name: reason}

    There is one row for each peer, with the medians of all rounds and their ratio, peer's time /
    ours: above 1 we are ahead. A peer that cannot be imported has a reason instead of a row. Where
    a target is missed, rows have a "profile": where our time goes.
    """
    contenders, missing = {OURS: finalists(case.ours)}, {}
    for name, contestant in case.peers.items():
        try:
            contenders[name] = finalists(contestant)
        except ImportError as error:
            missing[name] = str(error)
    if len(contenders) == 1:
        return [], missing

    alternate([variant for variants in contenders.values() for variant in variants])
    best = {name: min(variants, key=by_time) for name, variants in contenders.items()}
    ours = best.pop(OURS)
    scale = PER_SECOND[case.unit.split()[0]] / case.count
    rows = [
        {
            "benchmark": benchmark,
            "case": case.name,
            "ours": ours.seconds * scale,
            "peer": peer.seconds * scale,
            "peer_name": name,
            "ratio": peer.seconds / ours.seconds,
            "unit": case.unit,
            "settings": peer.settings,
            "our_settings": ours.settings,
            "target": case.targets.get(name),
            "rate": rate(case, ours.seconds),
        }
        for name, peer in best.items()
    ]
    if not all(map(is_met, rows)):
        explained = {"profile": explanation(case, ours)}
        rows = [row | explained for row in rows]
    return rows, missing


def explanation(case, variant):
    """One line: the time of all compiled kernels, of each of them, and of what is around them."""
    times = repetitions(ROUND, variant.seconds)
    with profile.clocks() as spent:
        whole = timed(variant.run, times)
    scale = PER_SECOND[case.unit.split()[0]] / case.count / times
    kernels = sorted(spent.items(), key=lambda item: -item[1])
    named = ", ".join(f"{name} {number(seconds * scale)}" for name, seconds in kernels)
    compiled = sum(spent.values())
    return (
        f"{case.name}, {variant.settings}: {number(whole * scale)} {case.unit}, of which "
        f"{number(compiled * scale)} in compiled kernels ({named}) and "
        f"{number((whole - compiled) * scale)} in Python and NumPy around them"
    )


def rate(case, seconds):
    """ "94 GFLOP/s, 81% of peak", "20 GB/s, 70% of a copy", ..., or nothing: what the case says."""
    if case.work:
        reached, roof = case.work / seconds / 1e9, machine.peak(case.threads)
        return f"{number(reached)} GFLOP/s, {reached / roof:.0%} of peak"
    if case.traffic:
        reached, roof = case.traffic / seconds / 1e9, machine.bandwidth(case.traffic, case.threads)
        return f"{number(reached)} GB/s, {reached / roof:.0%} of a copy"
    if case.reads:
        reached = case.reads * case.count / seconds / 1e9
        roof = machine.reading(case.reads, case.threads)
        return f"{number(reached)} GB/s, {reached / roof:.0%} of what is read at best"
    return ""


def means(benchmark, rows, targets):
    """One line for each peer: the geometric mean and the least of its ratios.   -> lines, met

    targets  {name of a peer: the geometric mean that we want at least}
    """
    lines, met = [], True
    for peer in dict.fromkeys(row["peer_name"] for row in rows):
        ratios = [row["ratio"] for row in rows if row["peer_name"] == peer]
        mean = geometric_mean(ratios)
        line = f"{benchmark} against {peer}: geometric mean {mean:.2f}, least {min(ratios):.2f}"
        if peer in targets:
            is_met = mean >= targets[peer]
            met = met and is_met
            line += f" (target >= {targets[peer]:g} {'met' if is_met else 'MISSED'})"
        lines.append(line)
    return lines, met


def finalists(contestant):
    """The two variants of a contestant that are fastest when each, once warm, is tried three times.

    Two, because a trial may mislead: two threads win on an idle machine, and lose by far as soon
    as another process runs.
    """
    variants = []
    for settings, run in contestant():
        run(1)
        times = repetitions(TRIAL, timed(run, 1))
        seconds = min(timed(run, times) / times for _ in range(3))
        variants.append(Variant(settings, run, seconds))
    return sorted(variants, key=by_time)[:2]


def alternate(variants):
    """Time all variants in turn (A B A B ...); `seconds` becomes the median of the rounds."""
    rounds = []
    gc.collect()
    gc.freeze()  # nobody's allocations pay for scanning what the peers' packages hold in memory
    for _ in range(ROUNDS):
        rounds.append([])
        for variant in variants:
            gc.collect()
            sleep(PAUSE)
            rounds[-1].append(turn(variant))
    gc.unfreeze()
    for variant, seconds in zip(variants, zip(*rounds, strict=True), strict=True):
        variant.seconds = median(seconds)


def turn(variant):
    """Seconds of `run(1)`, timed for about one ROUND after a moment of warming up."""
    times = repetitions(ROUND / 10, variant.seconds)
    times = repetitions(ROUND, timed(variant.run, times) / times)
    return timed(variant.run, times) / times


def timed(run, times):
    start = perf_counter()
    run(times)
    return perf_counter() - start


def repetitions(duration, seconds):
    """How often a run of so many seconds fits in a duration: at least once."""
    return max(1, round(duration / seconds))


def by_time(variant):
    return variant.seconds


def is_met(row):
    """Whether the row reaches its target. A row without one does."""
    return row["target"] is None or row["ratio"] >= row["target"]


def table(rows):
    """The rows as lines of text with aligned columns."""
    titles = ("benchmark", "case", "ours", "peer", "unit", "ratio", "target", "rate", "settings")
    lines = [titles]
    for row in rows:
        verdict = "met" if is_met(row) else "MISSED"
        lines.append(
            (
                row["benchmark"],
                row["case"],
                number(row["ours"]),
                number(row["peer"]),
                row["unit"],
                f"{row['ratio']:.2f}",
                "" if row["target"] is None else f">= {row['target']:<4g} {verdict}",
                row["rate"],
                f"{row['peer_name']}: {row['settings']}; ours: {row['our_settings']}",
            )
        )
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    alignments = ["<", "<", ">", ">", "<", ">", "<", "<", "<"]
    form = "  ".join(f"{{:{a}{width}}}" for a, width in zip(alignments, widths, strict=True))
    return "\n".join(form.format(*line).rstrip() for line in lines)


def number(value):
    """Three significant digits, or all digits before the point."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def write_json(file, content):
    """Write JSON so that the file is the old one or the new one, and never half of it."""
    file = Path(file)
    partial = file.with_name(file.name + ".partial")
    try:
        text = json.dumps(content, indent=2, ensure_ascii=False)
        partial.write_text(text + "\n", encoding="utf-8")
        os.replace(partial, file)
    finally:
        partial.unlink(missing_ok=True)
