"""Is what the simulator says of kernels what a GPU shows?

    python -m tests.verdicts

Right kernels: those tests that compare each kernel with its reference run in the simulator, which
looks for faults, and on the GPU. Both must find it right.

Mistakes: each of tests/seeded_bugs.py runs on the GPU, beside the right kernel on the same numbers.
What it shows is an error of the driver, that it does not end, that something is written outside of
the arrays, other results, or nothing. Where it shows anything the simulator must name a fault, and
none in the right kernel. What a GPU does not show is counted as that, not as agreement.

A mistake can ruin what its process has on the GPU, or never end. So they run in processes of their
own, each of which goes on with the next mistake until that happens.

The page goes to tests/benchmarks/results/. The exit status is 0 if all agree, 1 if not, and 2 if
there is no GPU: then nothing was compared.
"""

import argparse
import functools
import json
import math
import os
import queue
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numba import cuda, float32

from kernels import simulator
from kernels.cuda.compile import KERNELS
from tests import on_card, seeded_bugs
from tests.benchmarks import gpu
from tests.orders import CARD, QUICK

RESULTS = Path(__file__).parent / "benchmarks" / "results"
TESTS = ["tests/test_cuda_kernels.py", "tests/test_device_arrays.py"]
AGREE, DISAGREE, NO_GPU = 0, 1, 2
NOTHING, NOT_COMPARED = "nothing", "not compared"
FALSE_ALARM, SIMULATOR = "a false alarm", "simulator"
STARTS, RUNS = "starts", "runs"
LIMITS = {STARTS: 120, RUNS: 10}  # seconds: to be compiled, and to run
TIMES = 5  # that a mistake runs: what threads race for does not always come out wrong
PROCESSES = min(os.cpu_count(), 4)


def main(arguments=None):
    """-> exit status"""
    parser = argparse.ArgumentParser(prog="python -m tests.verdicts", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--kernels", metavar="WORDS", help="tests of kernels, as pytest -k has it")
    parser.add_argument("--to", default=RESULTS, type=Path, help="the folder for the page")
    parser.add_argument("mistakes", nargs="*", help="some of tests/seeded_bugs.py, else all")
    given = parser.parse_args(arguments)
    if given.child:
        return child(given.mistakes)
    if unknown := [name for name in given.mistakes if name not in seeded_bugs.BUGS]:
        parser.error(f"tests/seeded_bugs.py has no {unknown[0]!r}")
    try:
        on_card.found()
    except OSError as error:
        print(f"no GPU here: not compared. {error}", file=sys.stderr)
        return NO_GPU
    kernels = right_kernels(given.kernels)
    mistakes = all_mistakes(given.mistakes or list(seeded_bugs.BUGS))
    text = "".join(f"{line}\n" for line in page(gpu.card(), kernels, mistakes))
    print(text)
    status = status_of(kernels, mistakes)
    if os.environ.get(on_card.STAND_IN):
        print("a driver stood in for a GPU: not compared", file=sys.stderr)
        return status or NO_GPU
    if not (given.kernels or given.mistakes):
        given.to.joinpath(f"{gpu.card()}, verdicts.md").write_text(text, encoding="utf-8")
    return status


def status_of(kernels, mistakes):
    """AGREE if the two say the same of all."""
    agree = kernels and all(is_right(counts) for counts in kernels.values())
    return AGREE if agree and all(agrees(*pair) for pair in mistakes.values()) else DISAGREE


# ---- Right kernels -------------------------------------------------------------------------------


class Recorder:
    """Counts what the tests of each kernel say, by where it ran.   {kernel: Counter}"""

    def __init__(self):
        self.kernels, self.outcomes = {}, {}

    def pytest_runtest_logreport(self, report):
        """What pytest calls with each part of a test. The last one knows which kernels ran."""
        before = self.outcomes.get(report.nodeid, "passed")
        self.outcomes[report.nodeid] = before if report.passed else report.outcome
        if report.when == "teardown":
            values = report.nodeid.partition("[")[2].rstrip("]").split("-")
            where = CARD if CARD in values else SIMULATOR
            for kernel in dict(report.user_properties).get("kernels", ()):
                counts = self.kernels.setdefault(kernel, Counter())
                counts[where, self.outcomes[report.nodeid]] += 1


def right_kernels(words=None, processes=PROCESSES):
    """Run the tests of the kernels, in one order of threads and on the card.   {kernel: Counter}

    words   tests of which kernels, as in pytest -k; else all, and a kernel without any is there too
    """
    recorder = Recorder()
    words, every = f"({words or 'test'}) and ({QUICK} or {CARD})", not words
    options = ["-q", "-m", "", "-k", words, "-p", "no:cacheprovider"]
    if processes > 1:
        options += ["-n", str(processes), "--dist", "worksteal"]
    pytest.main([*options, *TESTS], plugins=[recorder])
    ran = recorder.kernels
    return {name: ran.get(name, Counter()) for name in KERNELS if every or name in ran}


def is_right(counts):
    """Whether a kernel has run in both places, and each test of it passed."""
    places = {place for place, _ in counts}
    return places == {CARD, SIMULATOR} and {outcome for _, outcome in counts} == {"passed"}


# ---- Mistakes ------------------------------------------------------------------------------------


def all_mistakes(names):
    """{name: (what the simulator says, what the card shows)}"""
    shown = ask(names)
    return {name: (verdict(name), shown[name]) for name in names}


def verdict(name):
    """What the simulator says of a mistake, in words, unless it finds fault with the right one."""
    launch = seeded_bugs.prepared(name)
    try:
        seeded_bugs.right(name)(simulator.launch, *seeded_bugs.arguments(name))
    except simulator.KernelError as fault:
        return f"{FALSE_ALARM}: {fault.kind}"
    try:
        launch(simulator.launch, *seeded_bugs.arguments(name))
    except simulator.KernelError as fault:
        return f"{fault.kind}, {fault.array}" if fault.array else fault.kind
    return NOTHING


def agrees(said, shown):
    """Whether the simulator has named a fault if the card shows one, and none in a right kernel."""
    if said.startswith(FALSE_ALARM) or shown.startswith(NOT_COMPARED):
        return False
    return shown == NOTHING or said != NOTHING


def ask(names, processes=PROCESSES, limits=LIMITS):
    """What the card shows of each mistake.   {name: words}"""
    parts = [names[i::processes] for i in range(processes)]
    with ThreadPoolExecutor(processes) as pool:
        found = list(pool.map(functools.partial(ask_one_by_one, limits=limits), parts))
    return {name: part[name] for name in names for part in found if name in part}


def ask_one_by_one(names, limits):
    """The same by one process after the other, each as long as it lives."""
    shown = {}
    while left := [name for name in names if name not in shown]:
        ask_a_child(left, limits, shown)
    return shown


def ask_a_child(names, limits, shown):
    """Let a new process run mistakes. Enter what they show, until one of them ends it."""
    command = [sys.executable, "-m", "tests.verdicts", "--child", "--", *names]
    lines = queue.Queue()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        threading.Thread(target=_pass_on, args=(process.stdout, lines), daemon=True).start()
        at, stage = names[0], STARTS
        while True:
            try:
                line = lines.get(timeout=limits[stage])
            except queue.Empty:
                process.kill()
                late = f"{NOT_COMPARED}: it was not compiled in time"
                shown[at] = "it does not end" if stage == RUNS else late
                return
            if line is None:  # the process has ended, in the middle of a mistake or after all
                if at not in shown:
                    shown[at] = f"{NOT_COMPARED}: the process ended with {process.wait()}"
                return
            said = json.loads(line)
            at, stage = said["name"], said["stage"]
            if said["shown"]:
                shown[at], stage = said["shown"], STARTS


def _pass_on(lines, to):
    for line in lines:
        to.put(line)
    to.put(None)


# ---- In a process of its own ---------------------------------------------------------------------


def child(names):
    """Run mistakes on the card, and tell what they show, a line of JSON each."""
    card = on_card.found()
    for name in names:
        tell(name, STARTS)
        right = seeded_bugs.arguments(name)
        seeded_bugs.right(name)(functools.partial(on_card.launch, card), *right)
        try:
            words = shown_by(card, name, right)
        except Exception as error:
            if "CUDA_ERROR" not in str(error):
                raise
            tell(name, RUNS, f"an error: {error}")
            os._exit(0)  # the driver has nothing but this error for the process from now on
        tell(name, RUNS, words)
    return 0


def tell(name, stage, shown=None):
    print(json.dumps({"name": name, "stage": stage, "shown": shown}), flush=True)


def shown_by(card, name, right):
    """What is seen of a mistake on the card, beside the arrays of the right kernel, in words."""
    launch, start = seeded_bugs.prepared(name), functools.partial(on_card.start, card)
    for _ in range(TIMES):
        spoil_shared_memory(card)
        given = seeded_bugs.arguments(name)
        fetch = launch(start, *given)
        tell(name, RUNS)
        try:
            fetch()
        except on_card.OutsideError as error:
            return str(error)
        if any(map(differ, given, right)):
            return "another result"
    return NOTHING


def differ(ours, right):
    """Whether two arrays are not the same but for rounding, which compilers are free in."""
    if not isinstance(ours, np.ndarray):
        return False
    size = np.max(np.abs(right), initial=1, where=np.isfinite(right))
    return not np.allclose(ours, right, rtol=1e-4, atol=1e-5 * size, equal_nan=True)


WORDS = 12 * 1024  # of 4 bytes: the shared memory of a block


def fill_with_nan(out):
    """What a block finds in shared memory that it has not written, another may have left there."""
    much = cuda.shared.array(WORDS, float32)
    for i in range(cuda.threadIdx.x, WORDS, cuda.blockDim.x):
        much[i] = float32(math.nan)
    cuda.syncthreads()
    out[cuda.grid(1)] = much[WORDS - 1 - cuda.threadIdx.x]


def spoil_shared_memory(card):
    """Let NaN be left in it everywhere."""
    blocks = 2 * cuda.get_current_device().MULTIPROCESSOR_COUNT
    out = np.zeros(blocks * 64, np.float32)
    on_card.launch(card, fill_with_nan, (blocks,), (64,), out)


# ---- The page ------------------------------------------------------------------------------------


def page(card, kernels, mistakes):
    """What was found, in Markdown."""
    right = sum(map(is_right, kernels.values()))
    seen = {name: pair for name, pair in mistakes.items() if pair[1] != NOTHING}
    both = sum(agrees(*pair) for pair in seen.values())
    yield from (f"# {card}: what the simulator says, and what the card shows", "")
    yield from ("`python -m tests.verdicts`", "")
    yield f"Right kernels: {right} of {len(kernels)} are their reference in both, without a fault."
    yield f"Mistakes: the card shows {len(seen)} of {len(mistakes)}; the simulator names {both} of"
    yield f"these {len(seen)}. {len(mistakes) - len(seen)} do not show on the card."
    yield from ("", "| mistake | simulator | card | |", "|---|---|---|---|")
    for name, (said, shown) in mistakes.items():
        last = "DISAGREE" if not agrees(said, shown) else "" if shown == NOTHING else "agree"
        yield f"| {name} | {said} | {shown} | {last} |"
    yield from (
        "",
        "| kernel | tests in the simulator | tests on the card | |",
        "|---|---|---|---|",
    )
    for name, counts in kernels.items():
        cells = [_outcomes(counts, place) for place in (SIMULATOR, CARD)]
        yield f"| {name} | {' | '.join(cells)} | {'agree' if is_right(counts) else 'DISAGREE'} |"


def _outcomes(counts, where):
    """How many tests have passed, failed or were skipped in a place, in words."""
    found = [f"{n} {outcome}" for (place, outcome), n in sorted(counts.items()) if place == where]
    return ", ".join(found) or "none"


if __name__ == "__main__":
    sys.exit(main())
