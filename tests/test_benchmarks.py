"""The benchmark harness, timed by a clock of its own: nothing here waits, and no peer is needed."""

import contextlib
import json
import types
from dataclasses import dataclass
from pathlib import Path

import numba
import numpy as np
import pytest

import kernels
from kernels.cpu import compilation, peak
from tests.benchmarks import __main__ as command_line
from tests.benchmarks import contestants, harness, machine, memory, profile
from tests.benchmarks.harness import Case

MILLISECOND = 0.001


class Clock:
    """A clock that goes on only when a contestant works or rests, and remembers who did when."""

    def __init__(self):
        self.now = 0.0
        self.log = []

    def contestant(self, name, *milliseconds):
        """A contestant whose turns take so many milliseconds, one after the other, and again."""
        turns = 0

        def run(times):
            nonlocal turns
            self.log.append(name)
            self.now += times * milliseconds[turns % len(milliseconds)] * MILLISECOND
            turns += 1

        return lambda: iter([("as it is", run)])

    def sleep(self, seconds):
        self.log.append(f"rest {seconds}")
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(harness, "perf_counter", lambda: clock.now)
    monkeypatch.setattr(harness, "sleep", clock.sleep)
    return clock


def case(clock, ours=2, **more):
    peers = {"PyTorch": clock.contestant("PyTorch", 3)}
    more = {"unit": "ms per step", "peers": peers, **more}
    return Case("small", ours=clock.contestant("minigrad", ours), **more)


def absent(*settings):
    import a_package_that_nobody_has

    yield "never", a_package_that_nobody_has


def benchmark(monkeypatch, *cases):
    """Make `cases` the benchmark "fake", the only one there is."""
    module = types.ModuleType("fake", doc="What the fake measures.\n\nAnd more.")
    module.cases = lambda: iter(cases)
    monkeypatch.setattr(command_line, "found", lambda: {"fake": "fake"})
    monkeypatch.setitem(command_line.sys.modules, "fake", module)


def test_ours_and_the_peer_alternate_with_a_rest_between_them(clock):
    harness.measure("fake", case(clock))
    rest = f"rest {harness.PAUSE}"
    # Each warms up, then is timed.
    one_round = [rest, "minigrad", "minigrad", rest, "PyTorch", "PyTorch"]
    assert clock.log[-len(one_round) * harness.ROUNDS :] == one_round * harness.ROUNDS


def test_the_rest_is_at_least_a_tenth_of_a_second():
    assert harness.PAUSE >= 0.1


def test_a_row_has_the_time_of_each_and_the_ratio_in_our_favour(clock):
    [row], missing = harness.measure("fake", case(clock))
    assert row == {
        "benchmark": "fake",
        "case": "small",
        "ours": pytest.approx(2),
        "peer": pytest.approx(3),
        "peer_name": "PyTorch",
        "ratio": pytest.approx(1.5),
        "unit": "ms per step",
        "settings": "as it is",
        "our_settings": "as it is",
        "target": None,
        "rate": "",
    }
    assert not missing


def test_the_median_ignores_a_round_that_was_disturbed(clock):
    contestant = clock.contestant("a", *[2] * 9, 500)
    variants = [harness.Variant("", run, 0.002) for _, run in contestant()]
    harness.alternate(variants)
    assert variants[0].seconds == pytest.approx(2 * MILLISECOND)


def test_times_are_in_the_unit_and_for_one_of_what_it_counts(clock):
    [row], _ = harness.measure("fake", case(clock, unit="µs per step", count=50))
    assert row["ours"] == pytest.approx(2000 / 50)


def test_the_fastest_variant_of_a_contestant_counts(clock):
    def pytorch():
        for threads, milliseconds in enumerate((5, 3, 4), start=1):
            [(_, run)] = clock.contestant("PyTorch", milliseconds)()
            yield f"threads={threads}", run

    [row], _ = harness.measure("fake", case(clock, peers={"PyTorch": pytorch}))
    assert (row["settings"], row["peer"]) == ("threads=2", pytest.approx(3))


def test_a_missing_peer_has_a_reason_and_the_others_still_run(clock):
    peers = {"Absent": absent, "PyTorch": clock.contestant("PyTorch", 3)}
    rows, missing = harness.measure("fake", case(clock, peers=peers))
    assert [row["peer_name"] for row in rows] == ["PyTorch"]
    assert missing == {"Absent": "No module named 'a_package_that_nobody_has'"}


def test_the_command_says_how_to_install_a_missing_peer(clock, monkeypatch, capsys):
    benchmark(monkeypatch, case(clock, peers={"Absent": absent}))
    assert command_line.main([]) == 0
    output = capsys.readouterr().out
    assert "not measured: Absent (No module named 'a_package_that_nobody_has')" in output
    assert "pip install 'minigrad[bench]'" in output


@pytest.mark.parametrize(("target", "verdict"), [(1.5, ">= 1.5  met"), (2, ">= 2    MISSED")])
def test_the_table_says_whether_a_target_is_met(clock, monkeypatch, capsys, target, verdict):
    benchmark(monkeypatch, case(clock, targets={"PyTorch": target - 1e-9}))
    command_line.main([])
    assert verdict in capsys.readouterr().out


@pytest.mark.parametrize(("target", "status"), [(1.4, 0), (2, 1)])
def test_check_fails_when_a_target_is_missed(clock, monkeypatch, target, status):
    benchmark(monkeypatch, case(clock, targets={"PyTorch": target}))
    assert command_line.main(["--check"]) == status


def test_check_fails_when_a_peer_is_missing(clock, monkeypatch):
    benchmark(monkeypatch, case(clock, peers={"Absent": absent}))
    assert command_line.main(["--check"]) == 1


def test_a_missed_target_is_no_failure_without_check(clock, monkeypatch):
    benchmark(monkeypatch, case(clock, targets={"PyTorch": 2}))
    assert command_line.main([]) == 0


def test_a_case_with_work_shows_its_rate_beside_the_peak(clock, monkeypatch):
    monkeypatch.setattr(machine, "peak", lambda threads: 100 * threads)
    [row], _ = harness.measure("fake", case(clock, ours=2, work=0.2e9, threads=2))
    assert row["rate"] == "100 GFLOP/s, 50% of peak"


def test_a_case_with_traffic_shows_its_rate_beside_a_copy(clock, monkeypatch):
    monkeypatch.setattr(machine, "bandwidth", lambda traffic, threads: traffic / 1e7 * threads)
    [row], _ = harness.measure("fake", case(clock, ours=2, traffic=1e7, threads=10))
    assert row["rate"] == "5 GB/s, 50% of a copy"


def test_a_case_for_each_number_of_threads_up_to_which_both_sides_may_go(monkeypatch):
    monkeypatch.setattr(machine, "cores", lambda: 2)

    def ours(threads):
        yield "fast", threads

    peers = {"peer": lambda threads: [("", -threads)]}
    one, two = harness.with_threads("x", "s per step", ours, peers, work=7)
    assert (one.name, two.name) == ("x, threads=1", "x, threads=2")
    assert (one.threads, one.work) == (1, 7) and (two.threads, two.work) == (2, 7)
    assert list(one.ours()) == [("fast threads=1", 1)]
    assert list(two.ours()) == [("fast threads=1", 1), ("fast threads=2", 2)]
    assert list(two.peers["peer"]()) == [("threads=1", -1), ("threads=2", -2)]


def test_a_contestant_works_inside_its_contexts_in_every_turn():
    log = []

    @contextlib.contextmanager
    def room(name):
        log.append(f"into {name}")
        yield
        log.append(f"out of {name}")

    run = contestants.repeated(lambda: log.append("work"), room("inner"), room("outer"))
    for _ in range(2):
        run(2)
    turn = ["into outer", "into inner", "work", "work", "out of inner", "out of outer"]
    assert log == 2 * turn


def test_the_number_of_threads_and_the_backend_are_as_they_were_afterwards():
    before = numba.get_num_threads(), kernels.backend()
    with contestants.numba_threads(1, backend="numpy"):
        assert (numba.get_num_threads(), kernels.backend()) == (1, "numpy")
    assert (numba.get_num_threads(), kernels.backend()) == before


def test_the_bandwidth_is_that_of_a_copy():
    for threads in range(1, min(2, numba.config.NUMBA_NUM_THREADS) + 1):
        assert 0.1 < machine.bandwidth(2**16, threads) < 10_000


def test_a_case_that_reads_shows_its_rate_beside_what_is_read_at_best(clock, monkeypatch):
    monkeypatch.setattr(machine, "reading", lambda size, threads: size / 1e7 * threads)
    reads = case(clock, reads=1e7, count=4, threads=2, unit="ms per token")  # 10 MB in 0.5 ms
    rows, _ = harness.measure("fake", reads)
    assert rows[0]["rate"] == "20 GB/s, 1000% of what is read at best"


def test_what_is_read_at_best_is_a_rate():
    for threads in (1, 2):
        assert 0.1 < machine.reading(2**20, threads) < 10_000


# ---- Memory --------------------------------------------------------------------------------------


@dataclass
class Megabytes:
    """A shape of work: an array of this size."""

    count: int


def fills(shape, threads):
    """Fill an array, which is gone after the step."""
    yield "as it is", lambda times: np.ones(shape.count * 1_000_000, np.uint8)


def fills_twice(shape, threads):
    yield from fills(Megabytes(2 * shape.count), threads)


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux tells the peak")
def test_the_growth_of_memory_is_that_of_its_peak(monkeypatch):
    monkeypatch.setattr(memory, "PROCESSES", 1)
    growth = memory.Growth(
        "arrays",
        fills,
        {"Twice": fills_twice, "absent": absent},
        Megabytes(100),
        Megabytes(1),
        {"Twice": 1.0},
    )
    (row,), missing = growth.measure("fake")
    assert 90 < row["ours"] < 130 and 190 < row["peer"] < 230 and row["unit"] == "MB"
    assert row["peer_name"] == "Twice" and row["ratio"] == row["peer"] / row["ours"]
    assert harness.is_met(row) and "a_package_that_nobody_has" in missing["absent"]


@pytest.mark.parametrize(("target", "verdict"), [(1.6, "met"), (1.8, "MISSED")])
def test_the_geometric_mean_of_all_cases_has_a_target_of_its_own(
    clock, monkeypatch, capsys, target, verdict
):
    benchmark(monkeypatch, case(clock, ours=1), case(clock, ours=3))
    command_line.sys.modules["fake"].MEANS = {"PyTorch": target}
    status = command_line.main(["fake", "--check"])
    line = f"fake against PyTorch: geometric mean 1.73, least 1.00 (target >= {target} {verdict})"
    assert line in capsys.readouterr().out
    assert status == (verdict == "MISSED")


def test_a_missed_target_is_explained_by_the_time_of_each_kernel(clock, monkeypatch, capsys):
    x = np.ones((20, 30), "float32")

    def ours():
        def run(times):
            clock.now += times * 2 * MILLISECOND
            with kernels.use("numba"):
                kernels.softmax(x)

        yield "as it is", run

    slow = case(clock, targets={"PyTorch": 2})
    slow.ours = ours
    benchmark(monkeypatch, slow)
    command_line.main([])
    [line] = [x for x in capsys.readouterr().out.splitlines() if x.startswith("where our time")]
    assert line.startswith("where our time goes, small, as it is: 2 ms per step, of which ")
    assert "in compiled kernels (softmax.softmax " in line


def test_the_clocks_of_kernels_are_taken_away_again():
    peak.repeat_copy.kernel["float32"]
    before = [dict(kernel) for kernel in compilation.KERNELS]
    with profile.clocks():
        assert [dict(kernel) for kernel in compilation.KERNELS] != before
    assert [dict(kernel) for kernel in compilation.KERNELS] == before


def test_a_target_that_is_met_needs_no_explanation(clock):
    [row], _ = harness.measure("fake", case(clock, targets={"PyTorch": 1}))
    assert "profile" not in row


def test_columns_are_aligned(clock):
    rows, _ = harness.measure("fake", case(clock))
    rows.append({**rows[0], "case": "a longer name", "ratio": 123.4})
    title, *lines = harness.table(rows).splitlines()
    assert {line.index("ms per step") for line in lines} == {title.index("unit")}


def test_json_has_the_rows_and_the_machine(clock, monkeypatch, tmp_path):
    benchmark(monkeypatch, case(clock, unit="µs per step"))
    command_line.main(["fake", "--json", str(tmp_path / "results.json")])
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    [row] = results["rows"]
    assert {"benchmark", "case", "ours", "peer", "peer_name", "ratio", "unit"} <= set(row)
    assert row["unit"] == "µs per step"
    assert results["machine"] == machine.describe()


def test_old_results_survive_a_write_that_fails(tmp_path, monkeypatch):
    def full_disk(*_):
        raise OSError("no space left")

    file = tmp_path / "results.json"
    harness.write_json(file, "old")
    monkeypatch.setattr(harness.os, "replace", full_disk)
    with pytest.raises(OSError, match="no space left"):
        harness.write_json(file, "new")
    assert json.loads(file.read_text()) == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_that_is_not_there_is_noticed_before_measuring(clock, tmp_path, capsys):
    with pytest.raises(SystemExit):
        command_line.main(["--json", str(tmp_path / "nowhere" / "results.json")])
    assert f"there is no folder {tmp_path / 'nowhere'}" in capsys.readouterr().err
    assert not clock.log


def test_an_unknown_name_is_answered_with_the_nearest(capsys):
    with pytest.raises(SystemExit):
        command_line.main(["mpl"])
    assert "unknown benchmark 'mpl'; did you mean 'mlp'?" in capsys.readouterr().err


def test_every_file_of_the_folder_is_a_benchmark_but_the_harness():
    files = {file.stem for file in harness.Path(harness.__file__).parent.glob("*.py")}
    assert set(command_line.found()) == files - {"__init__", *command_line.NOT_BENCHMARKS}


def test_list_shows_the_first_line_of_each_docstring(monkeypatch, capsys):
    benchmark(monkeypatch)
    command_line.main(["--list"])
    assert capsys.readouterr().out.split(maxsplit=1) == ["fake", "What the fake measures.\n"]


def test_the_machine_is_described_in_words():
    described = machine.describe()
    assert {"cpu", "cores", "system", "python", "numpy", "threads"} <= set(described)
    assert all(isinstance(value, str) and value for value in described.values())
