"""When kernels are compiled, what is said of it, and what is kept for the next program."""

import os
import re
import shutil
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Uses the smallest of all kernels.
PROGRAM = """
import numpy as np
from kernels.cpu import peak, simd
a = np.ones((simd.TILE[0], 2), "float64")
b = np.ones((2, simd.TILE[1] * simd.lanes_of("float64")), "float64")
c = np.empty((a.shape[0], b.shape[1]), "float64")
peak.repeat_tile["float64"](a, b, c, 1)
assert (c == 2).all()
"""


def run(program, cache, root=ROOT):
    """Run a program with a cache folder. Returns what it writes: output, errors."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=root,
        env={**os.environ, "MINIGRAD_CACHE": str(cache), "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def test_importing_all_kernels_compiles_none_of_them(tmp_path):
    output, errors = run("import kernels; print(kernels.table())", tmp_path)
    assert "float32" in output and errors == ""
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_the_first_use_is_announced_in_one_line_and_the_next_program_finds_it_kept(tmp_path):
    line = r"compiled repeat_tile for float64 in \d+\.\d s \(once\)\n"
    assert re.fullmatch(line, run(PROGRAM, tmp_path)[1])
    assert run(PROGRAM, tmp_path)[1] == ""


FIRST_STEP = """
import time
import numpy as np
from minigrad import layers, models
model = models.Sequential([layers.Dense(64, "relu", input_shape=(784,)), layers.Dense(64, "relu")])
model.add(layers.Dense(10, "softmax"))
model.compile("adam", "sparse_categorical_crossentropy", ["accuracy"])
model.fit(np.zeros((32, 784), "float32"), np.arange(32) % 10)
print(time.process_time())
"""


def test_a_first_step_takes_10_seconds_cold_and_2_warm(tmp_path):
    """Seconds of the processor, from the start of Python on, so that no other process counts.

    One that shares the processor's core makes them longer, though: the least of two is taken.
    """
    folders = tmp_path / "one", tmp_path / "another"
    cold, warm = (
        min(float(run(FIRST_STEP, folder)[0].splitlines()[-1]) for folder in folders)
        for _ in range(2)
    )
    assert cold < 10 and warm < 2


def test_where_nothing_can_be_kept_a_line_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    for _ in range(2):
        errors = run(PROGRAM, tmp_path / "file" / "folder")[1].splitlines()
        assert len(errors) == 2
        assert errors[0].startswith("compiled kernels cannot be kept in ")
        assert errors[1].startswith("compiled repeat_tile for float64")
        assert errors[1].endswith("(in each program)")


@pytest.mark.parametrize("content", [b"", b"no pickle"])
@pytest.mark.parametrize("kind", ["nbi", "nbc"])
def test_what_is_kept_but_damaged_is_compiled_anew(tmp_path, kind, content):
    run(PROGRAM, tmp_path)
    [file] = tmp_path.rglob(f"*.{kind}")
    file.write_bytes(content)
    assert "compiled repeat_tile" in run(PROGRAM, tmp_path)[1]
    assert run(PROGRAM, tmp_path)[1] == ""


def test_two_programs_that_compile_a_kernel_for_two_dtypes_at_once_do_not_mix_them_up(tmp_path):
    """At worst both find an empty folder, and it gets the files of one, the index of the other."""
    other, alone = PROGRAM.replace("float64", "float32"), tmp_path / "alone"
    run(other, tmp_path)
    run(PROGRAM, alone)
    for index in alone.rglob("*.nbi"):
        place = tmp_path / index.relative_to(alone)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(index, place)
    for program in (PROGRAM, other, PROGRAM, other):
        run(program, tmp_path)


def test_what_nobody_has_used_for_a_month_is_removed(tmp_path):
    old, recent = tmp_path / "kernels-old", tmp_path / "kernels-recent"
    old.mkdir(), recent.mkdir()
    (old / "kept.nbi").write_text("")
    os.utime(old, (0, time.time() - 31 * 24 * 3600))
    os.utime(recent, (0, time.time() - 29 * 24 * 3600))
    run(PROGRAM, tmp_path)
    assert not old.exists() and recent.exists()


def test_a_kernel_that_is_wrong_says_so_and_leaves_the_others_alone(tmp_path):
    run(PROGRAM, tmp_path)
    wrong = (
        "from kernels.cpu.compilation import jit, write\n"
        "import numba\n"
        "@jit\ndef wrong(x: write(1)): x[0] = nothing_of_that_name\n"
        "try:\n    wrong['float32']\nexcept numba.core.errors.NumbaError:\n    print('wrong')\n"
    )
    (tmp_path / "wrong.py").write_text(wrong)
    output, errors = run(f"exec(open({str(tmp_path / 'wrong.py')!r}).read())", tmp_path)
    assert (output, errors) == ("wrong\n", "")
    assert run(PROGRAM, tmp_path)[1] == ""


def test_an_edit_in_any_file_of_kernels_is_seen_in_all(tmp_path):
    shutil.copytree(ROOT / "kernels", tmp_path / "kernels")
    cache, fingerprint = tmp_path / "cache", "from kernels.cpu.compilation import fingerprint as f"
    run(PROGRAM, cache, tmp_path)
    assert run(PROGRAM, cache, tmp_path)[1] == ""
    before = run(f"{fingerprint}; print(f())", cache, tmp_path)
    for name in ("reference.py", "cpu/simd.py", "cpu/threads.py"):
        with open(tmp_path / "kernels" / name, "a", encoding="utf-8") as file:
            file.write("# edited\n")
        after = run(f"{fingerprint}; print(f())", cache, tmp_path)
        assert after != before
        before = after
    assert "compiled repeat_tile" in run(PROGRAM, cache, tmp_path)[1]


def test_a_call_that_does_not_fit_is_an_error_and_compiles_nothing(tmp_path):
    program = PROGRAM + (
        "try:\n    peak.repeat_tile['float64'](a.astype('float32'), b, c, 1)\n"
        "except TypeError as error:\n    print(error)\n"
    )
    output, errors = run(program, tmp_path)
    assert "needs an array of float64" in output and errors.count("compiled") == 1


def test_another_processor_has_a_folder_of_its_own(tmp_path, monkeypatch):
    run(PROGRAM, tmp_path)
    monkeypatch.setenv("NUMBA_CPU_NAME", "generic")
    monkeypatch.setenv("NUMBA_CPU_FEATURES", "")
    assert "compiled repeat_tile" in run(PROGRAM, tmp_path)[1]
    assert len(list(tmp_path.iterdir())) == 2


def test_the_command_compiles_all_kernels_or_finds_them(monkeypatch, capsys):
    from kernels.cpu import compilation
    from minigrad.__main__ import main

    asked = []
    monkeypatch.setattr(compilation, "compile_all", lambda dtypes: asked.append(dtypes) or 7)
    monkeypatch.setattr(subprocess, "Popen", lambda words: asked.append(words[3:]) or nullcontext())
    assert main(["warmup"]) == 0
    assert asked == [["float64"], ("float32",), compilation.DTYPES]
    expected = rf"7 compiled kernels are ready after 0 s, in {compilation.cache_folder()}\n"
    assert re.fullmatch(expected, capsys.readouterr().out)


def test_every_kernel_is_compiled_by_the_command():
    """Each function that was made by `jit` is known to `compile_all`, under a name of its own."""
    import kernels
    from kernels.cpu.compilation import KERNELS

    kernels.table()
    names = [(kernel.function.__module__, kernel.function.__qualname__) for kernel in KERNELS]
    assert len(names) == len(set(names)) > 10


def test_threads_that_compile_at_once_leave_numbas_folder_as_it_was(tmp_path):
    program = """
import sys
from concurrent.futures import ThreadPoolExecutor
from numba import config
from kernels.cpu import compilation, optimizers
sys.setswitchinterval(1e-6)
before, kernels = config.CACHE_DIR, [k for k in compilation.KERNELS if not k.parallel]
with ThreadPoolExecutor(8) as pool:
    wanted = [(i % 2, ("float32", "float64")[i // 2 % 2]) for i in range(16)]
    compiled = list(pool.map(lambda pair: kernels[pair[0]][pair[1]], wanted))
assert config.CACHE_DIR == before
assert len({id(one) for one in compiled}) == 4
"""
    run(program, tmp_path)
