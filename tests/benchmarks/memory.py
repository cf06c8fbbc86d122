"""How much memory a contestant needs, each in a process of its own."""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

from minigrad.programs.peak_memory import forget_the_peak, resident

ROOT = Path(__file__).resolve().parents[2]
PROCESSES = 3  # of each contestant
STEPS = 5
OURS = "minigrad"


@dataclass
class Growth:
    """The growth of a process's memory at its peak, after the imports and a small piece of work.

    The small piece is of the same kind: with it comes what either side loads late, such as kernels
    and threads. What it leaves unused is given back to the system.

    name     as of a `Case`, and so are peers and targets
    ours     a contestant, a function of a module: it is called with a shape and a number of threads
    shape    a dataclass: what the work is, and `small` is the small one
    """

    name: str
    ours: Callable
    peers: dict[str, Callable]
    shape: object
    small: object
    targets: dict[str, float] = field(default_factory=dict)

    def measure(self, benchmark):
        """Rows in MB, as the harness has them, and {peer: why it is missing}"""
        contenders = {OURS: self.ours, **self.peers}
        found, missing = {name: [] for name in contenders}, {}
        for _ in range(PROCESSES):
            for name, contestant in contenders.items():
                if name not in missing:
                    try:
                        found[name].append(self._grow(contestant))
                    except ImportError as error:
                        missing[name] = str(error)
        ours = median(found[OURS])
        rows = [
            {
                "benchmark": benchmark,
                "case": self.name,
                "ours": ours,
                "peer": median(found[name]),
                "peer_name": name,
                "ratio": median(found[name]) / ours,
                "unit": "MB",
                "settings": "growth in a fresh process",
                "our_settings": "likewise",
                "target": self.targets.get(name),
                "rate": "",
            }
            for name in self.peers
            if name not in missing
        ]
        return rows, missing

    def _grow(self, contestant):
        """MB that a process has at most during some steps, less what it had before."""
        words = contestant.__module__, contestant.__name__, type(self.shape).__name__
        shapes = json.dumps([asdict(self.small), asdict(self.shape)])
        command = [sys.executable, "-m", __name__, *words, shapes]
        environment = dict(os.environ)
        if contestant is not self.ours:
            environment["GLIBC_TUNABLES"] = ""  # then `kernels` leaves the C library as it is
        result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        if "ModuleNotFoundError" in result.stderr:
            raise ImportError(result.stderr.splitlines()[-1])
        if result.returncode:
            raise RuntimeError(f"{contestant.__name__} failed: {result.stderr}")
        return float(result.stdout)


def main(module, contestant, kind, shapes):
    """Work on a small shape and then on one that counts; print how much memory this has grown."""
    module = importlib.import_module(module)
    kind, contestant = getattr(module, kind), getattr(module, contestant)
    small, shape = (kind(**values) for values in json.loads(shapes))
    work(contestant, small)
    before = forget_the_peak()
    work(contestant, shape)
    print(resident("VmHWM") - before)


def work(contestant, shape):
    """Some steps of the first variant, with all cores."""
    from tests.benchmarks.machine import cores

    _, run = next(contestant(shape, cores()))
    run(STEPS)


if __name__ == "__main__":
    main(*sys.argv[1:])
