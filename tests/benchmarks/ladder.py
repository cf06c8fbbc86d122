"""The ladders: one kernel from its definition to the fast one, and why each rung is faster.

Every rung stands beside the one before it. A table with the sentences and a picture of it,
`ladder.png` in the current folder, follow. Rungs but the last use one core.
"""

import textwrap
from functools import partial
from pathlib import Path

import numpy as np

import kernels.ladder.attention
import kernels.ladder.matmul
from tests.benchmarks import machine
from tests.benchmarks.contestants import repeated
from tests.benchmarks.harness import Case, number

PICTURE = Path("ladder.png")
N = 512  # the sides of the matrices
HEADS, TIME, WIDTH = 4, 512, 64


def ladders():
    """{title: (rungs, arguments, floating-point operations)}"""
    generator = np.random.default_rng(seed=0)

    def draw(*shape):
        return generator.standard_normal(shape, dtype=np.float32)

    qkv = [draw(1, HEADS, TIME, WIDTH) for _ in range(3)]
    seen = TIME * (TIME + 1) / 2
    return {
        f"matmul {N} x {N}": (kernels.ladder.matmul.RUNGS, (draw(N, N), draw(N, N)), 2 * N**3),
        f"causal attention {qkv[0].shape}": (
            *(kernels.ladder.attention.RUNGS, (*qkv, True)),
            4 * HEADS * seen * WIDTH,
        ),
    }


def cases():
    for title, (rungs, arguments, work) in ladders().items():
        before = rungs[0][1]
        for name, function, _ in rungs:
            is_last = name == rungs[-1][0]
            yield Case(
                f"{title}: {name}",
                unit="ms per call",
                ours=partial(contestant, function, arguments),
                peers={"the rung before": partial(contestant, before, arguments)},
                work=float(work),
                threads=machine.cores() if is_last else 1,
            )
            before = function


def contestant(function, arguments):
    yield "", repeated(partial(function, *arguments))


# ---- What is shown -------------------------------------------------------------------------------


def show(rows):
    """Print the ladders with their sentences, and write the picture."""
    measured = {row["case"]: row["ours"] / 1e3 for row in rows}
    panels = {
        title: [(name, work / measured[f"{title}: {name}"] / 1e9, why) for name, _, why in rungs]
        for title, (rungs, _, work) in ladders().items()
    }
    for title, rungs in panels.items():
        print(f"\n{title}")
        for i, (name, rate, why) in enumerate(rungs):
            print(f"{name:14} {speed(rate, is_last=i == len(rungs) - 1):30} {why}")
    draw(panels, PICTURE)
    print(f"\n{PICTURE.absolute()}")


def speed(rate, is_last):
    """ "94 GFLOP/s, 81 % of peak": of one core's, or of all where the rung uses them."""
    roof = machine.peak(machine.cores() if is_last else 1)
    return f"{number(rate)} GFLOP/s, {rate / roof:.1%} of peak"


def draw(panels, path):
    """A bar for each rung, and above it why it is as long as it is."""
    from minigrad.plots import style

    figure = style.figure(9, 0.75 * sum(map(len, panels.values())) + 1.5)
    heights = [len(rungs) for rungs in panels.values()]
    axes = figure.subplots(len(panels), 1, height_ratios=heights)
    for panel, (title, rungs), colour in zip(axes, panels.items(), style.PALETTE):
        panel.set_title(title, loc="left", fontsize=11)
        for i, (name, rate, why) in enumerate(rungs):
            panel.barh(-i, rate, height=0.34, color=colour)
            text = f"  {speed(rate, is_last=i == len(rungs) - 1)}"
            panel.text(rate, -i, text, va="center", fontsize=9)
            sentence = textwrap.fill(f"{name}: {why}", 115)
            panel.text(0, 0.2 - i, sentence, va="bottom", fontsize=8, color=style.GREY)
        panel.set_ylim(0.6 - len(rungs), 0.75)
        panel.set_xlim(0, 1.35 * max(rate for _, rate, _ in rungs))
        panel.set_yticks([])
        panel.set_xlabel("GFLOP/s")
        style.open_frame(panel)
    style.finish(figure, path)
