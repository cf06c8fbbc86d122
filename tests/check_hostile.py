"""Submissions that want points for nothing, or no good: none gets points, none spoils another's.

Each file has a hostile `softmax` and an honest `double`. Whatever the former does, it is not
passed, ends in time, leaves no process and no file behind, and `double` keeps its points.
"""

import os
import socket
import textwrap
from pathlib import Path

import pytest

from lessons.grading import isolation, reports
from lessons.grading.grade import grade
from tests import grading
from tests.grading import DOUBLE, IMPORT, LIMITS, SOFTMAX, graded, grades_in, notebook, traces

ROOT = Path(__file__).resolve().parents[1]
EXTRA = 5  # seconds after its limit in which all must be over

FUNCTION = "def softmax(x, axis=-1):\n"
HONEST = SOFTMAX.replace("softmax", "honest")
# What gets through to where it should not gives the right answer, which is a point for it.
HOSTILE = {
    "infinite_loop": "while True: pass",
    "loop_that_catches_all": """
        while True:
            try:
                while True: pass
            except BaseException: pass
    """,
    "loop_deaf_to_signals": """
        import signal, time
        for number in range(1, 65):
            try: signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError): pass
        while True: time.sleep(1)
    """,
    "allocation_of_100_gb": """
        kept = np.ones(100 * 2**30 // 8)
        return honest(x, axis)
    """,
    "memory_that_grows": """
        kept = []
        while True: kept.append(np.ones(2**20))
    """,
    "memory_of_many_processes": """
        import os, time
        for _ in range(5):
            if os.fork() == 0: break
        kept = [np.ones(2**20) for _ in range(25)]
        time.sleep(60)
    """,
    "fork_bomb": """
        import os
        while True:
            try: os.fork()
            except OSError: pass
    """,
    "daemon_with_a_session_of_its_own": """
        import os, time
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                while True: time.sleep(1)
        return x, lambda g: g
    """,
    "thread_that_never_ends": """
        import threading, time
        def loop():
            while True: time.sleep(0.01)
        threading.Thread(target=loop, daemon=False).start()
        return x, lambda g: g
    """,
    "many_threads": """
        import threading, time
        for _ in range(1000): threading.Thread(target=time.sleep, args=(60,)).start()
        return honest(x, axis)
    """,
    "exit_of_the_process": "import os; os._exit(0)",
    "exit_by_an_exception": "import sys; sys.exit(0)",
    "patched_numpy": """
        import numpy.testing
        for module in (np, np.testing):
            for name in ("allclose", "array_equal", "isclose", "assert_allclose"):
                setattr(module, name, lambda *arguments, **options: True)
        return x, lambda g: g
    """,
    "patched_builtins_and_checks": """
        import builtins, sys, types
        from lessons import observation, views
        builtins.AssertionError = type(None)
        builtins.all = builtins.any = builtins.isinstance = lambda *arguments: True
        sys.modules["pytest"] = types.ModuleType("pytest")
        observation.same = observation.difference = lambda *arguments: None
        return x, lambda g: g
    """,
    "array_that_is_equal_to_all": """
        class Equal(np.ndarray):
            def __eq__(self, other): return np.ones(self.shape, bool)
            def __sub__(self, other): return np.zeros(self.shape)
            def __array_ufunc__(self, ufunc, method, *inputs, **options): return True
            def __array_function__(self, function, types, arguments, options): return True
            def all(self, *arguments, **options): return True
        return x.view(Equal), lambda g: g.view(Equal)
    """,
    "object_that_is_equal_to_all": """
        class Equal:
            dtype, shape, ndim, size = np.dtype("float64"), x.shape, 2, x.size
            def __eq__(self, other): return True
            def __getattr__(self, name): return lambda *arguments, **options: Equal()
            def __array__(self, *arguments, **options): raise SystemExit
        return Equal(), lambda g: Equal()
    """,
    "tuple_without_end": """
        class Endless(tuple):
            def __iter__(self):
                while True: yield 1.0
        return Endless((1, 2)), lambda g: g
    """,
    "error_whose_text_takes_forever": """
        class Slow(Exception):
            def __str__(self):
                while True: pass
        raise Slow(1, 2)
    """,
    "error_with_100_mb": "raise ValueError('x' * 10**8)",
    "reference_through_gc": """
        import gc, types
        for thing in gc.get_objects():
            if isinstance(thing, types.FunctionType) and thing is not softmax:
                if thing.__name__ in ("softmax", "definition") or "right" in thing.__name__:
                    return thing(x, axis)
        return x, lambda g: g
    """,
    "reference_through_frames": """
        import inspect
        for frame in inspect.stack():
            for name in ("expected", "wanted", "solution", "exercise", "case"):
                for names in (frame.frame.f_locals, frame.frame.f_globals):
                    if name in names: return names[name], lambda g: g
        return x, lambda g: g
    """,
    "reference_by_import": """
        import inspect
        from minigrad import ops
        return inspect.unwrap(ops.softmax)(x, axis)
    """,
    "twin_by_import": """
        from minigrad import by_definition, Tensor
        p = by_definition.softmax(Tensor(x), axis).data
        return p, lambda g: p * (g - np.sum(g * p, axis=axis, keepdims=True))
    """,
    "kernels_by_import": """
        import kernels
        p = kernels.softmax(x, axis)
        return p, lambda g: kernels.softmax_backward(g, p, axis)
    """,
    "relative_by_import": """
        import inspect
        from minigrad import ops
        p = np.exp(inspect.unwrap(ops.log_softmax)(x, axis)[0])
        return p, lambda g: p * (g - np.sum(g * p, axis=axis, keepdims=True))
    """,
    "reference_in_the_file_system": """
        import inspect, sys
        for name in [name for name in sys.modules if name.startswith(("minigrad", "kernels"))]:
            del sys.modules[name]
        sys.path.insert(0, ROOT)
        import kernels
        from minigrad import ops
        kernels.use("numpy")
        return inspect.unwrap(ops.softmax)(x, axis)
    """,
    "answers_of_the_course": """
        import sys
        sys.path.insert(0, ROOT)
        from lessons.answers import right_answers
        return right_answers("6.3")[0].function(x, axis)
    """,
    "packages_of_the_grader": """
        import sys
        sys.path.append(PACKAGES)
        import hypothesis
        return honest(x, axis)
    """,
    "results_written": """
        import json, os
        for name in (RESULTS, RESULTS + ".evil", "../results.json", "/results.json"):
            try: open(name, "w").write('{"score": 100}')
            except OSError: continue
            return honest(x, axis)
    """,
    "submission_rewritten": """
        import os
        for path in (FOLDER + "/lesson_06.py", FOLDER + "/lesson_06.ipynb"):
            try: open(path, "w").write("")
            except OSError: continue
            return honest(x, axis)
    """,
    "memory_of_the_grader": """
        import os
        for process in (os.getppid(), GRADER, 1):
            try: open(f"/proc/{process}/mem", "rb")
            except OSError: continue
            return honest(x, axis)
    """,
    "environment_of_the_grader": """
        import os
        if "SECRET" in str(os.environ): return honest(x, axis)
    """,
    "files_of_the_grader": """
        import os
        for file in range(3, 64):
            try: path = os.readlink(f"/proc/self/fd/{file}")
            except OSError: continue
            if "pipe" not in path: return honest(x, axis)
    """,
    "network": """
        import socket
        with socket.create_connection(("127.0.0.1", PORT), timeout=1) as connection:
            connection.sendall(b"evil")
        return honest(x, axis)
    """,
    "output_of_1_gb": """
        line = "x" * 2**20
        for _ in range(1024): print(line)
        return honest(x, axis)
    """,
    "result_of_256_mb": "return np.zeros(2**25), lambda g: g",
    "file_of_1_gb": """
        with open("large", "wb") as file:
            for _ in range(1024): file.write(bytes(2**20))
        return honest(x, axis)
    """,
    "many_files": """
        for i in range(10**5): open(f"file{i}", "wb").write(bytes(2**16))
        return honest(x, axis)
    """,
    "recursion": "return softmax(x, axis)",
    "recursion_without_limit": """
        import sys
        sys.setrecursionlimit(2**30)
        return softmax(x, axis)
    """,
    "segmentation_fault": "import ctypes; ctypes.string_at(0)",
    "folders_without_end": """
        import os
        for _ in range(3000):
            try: os.mkdir("a")
            except OSError: break
            os.chdir("a")
        return x, lambda g: g
    """,
    "rights_to_files_changed": """
        import os
        for path in (FOLDER, FOLDER + "/lesson_06.py", RESULTS):
            try: os.chmod(path, 0o777)
            except OSError: continue
            return honest(x, axis)
    """,
    "links_to_everywhere": """
        import os
        for target in (ROOT + "/README.md", FOLDER + "/lesson_06.py", RESULTS):
            try:
                if not os.path.lexists(target[-9:]): os.symlink(target, target[-9:])
                open(target[-9:]).read()
            except OSError: continue
            return honest(x, axis)
        try: os.chmod(".", 0)
        except OSError: pass
    """,
    "signals_to_all": """
        import os, signal
        try: os.kill(GRADER, 0)
        except OSError: pass
        else: return honest(x, axis)
        for process in (os.getppid(), -1):
            try: os.kill(process, signal.SIGKILL)
            except OSError: pass
    """,
    "limits_of_the_grader": """
        import resource
        resource.prlimit(GRADER, resource.RLIMIT_CPU)
        return honest(x, axis)
    """,
    "answers_forged": """
        import os, struct
        text = b'{"dict": [["result", true], ["changed", []], ["passed", true]]}'
        for file in range(3, 64):
            try: os.write(file, (struct.pack(">I", len(text)) + text) * 200)
            except OSError: pass
        return x, lambda g: g
    """,
    "answer_of_4_gb": """
        import os
        for file in range(3, 64):
            try: os.write(file, bytes([255] * 4) + bytes(1000))
            except OSError: pass
        while True: pass
    """,
    "answer_nested_deeply": """
        import os, struct
        text = b"[" * 10**6
        for file in range(3, 64):
            try: os.write(file, struct.pack(">I", len(text)) + text)
            except OSError: pass
        while True: pass
    """,
    "answer_byte_by_byte": """
        import os, time
        part = bytes([0, 0, 100, 100])
        while True:
            for file in range(3, 64):
                try: os.write(file, part)
                except OSError: pass
            part = b'1'
            time.sleep(0.5)
    """,
    "answer_in_advance": """
        import os, struct
        text = b'{"dict": [["result", {"tuple": [0.5, 0.5]}], ["changed", []]]}'
        for file in range(3, 64):
            try: os.write(file, struct.pack(">I", len(text)) + text)
            except OSError: pass
        return honest(x, axis)
    """,
    "answers_made_by_a_patched_wire": """
        from lessons.grading import wire
        wire._packed = lambda thing: {"objects": [[2**62, 0], []]}
        return honest(x, axis)
    """,
    "output_in_the_place_of_answers": """
        import os
        for file in range(3, 64):
            try: os.dup2(1, file)
            except OSError: pass
        print("passed", flush=True)
        return honest(x, axis)
    """,
    "arrays_of_objects": """
        p, pullback = honest(x, axis)
        return p.astype(object), lambda g: pullback(g).astype(object)
    """,
    "subclasses_that_lie": """
        import os
        class Numbers(np.ndarray):
            dtype, shape = np.dtype(object), ()
            def __reduce__(self): return os.system, ("touch evil",)
            def __deepcopy__(self, memo): raise KeyboardInterrupt
        class Pair(tuple):
            def __len__(self): return 2
            def __iter__(self): return iter((x.view(Numbers), dict(a=1)))
        return Pair((1, 2, 3))
    """,
    "numbers_without_end": "return [[10**100_000]], lambda g: 10**100_000",
    "numbers_that_are_too_large": "return [[2**65]], lambda g: [[2**65]]",
    "lists_nested_deeply": """
        import sys
        sys.setrecursionlimit(10**9)
        nested = []
        for _ in range(10**6): nested = [nested]
        return nested, lambda g: nested
    """,
    "texts_that_are_none": """
        name = "\\ud800\\u202e\\x1b[2J\\0"
        raise type(name.replace("\\0", ""), (Exception,), {})(name * 1000)
    """,
    "work_left_for_the_end": """
        import atexit, signal, sys, threading
        class Late:
            def __del__(self): open(RESULTS, "w").write("evil")
        sys.late = late = Late()
        late.again = late
        for each in (atexit.register, threading._register_atexit): each(late.__del__)
        sys.excepthook = sys.unraisablehook = threading.excepthook = lambda *a: late.__del__()
        raise SystemExit(0)
    """,
    "modules_for_who_comes_later": """
        import os
        for name in ("sitecustomize.py", "usercustomize.py", "numpy.py", "lessons.py", "json.py"):
            open(name, "w").write("open(%r, 'w').write('evil')" % RESULTS)
        os.environ["PYTHONPATH"] = os.getcwd()
        os._exit(0)
    """,
    "packages_rewritten": """
        import json
        for path in (np.__file__, json.__file__, np.linalg.__file__ + "c"):
            try: open(path, "ab")
            except OSError: continue
            return honest(x, axis)
    """,
    "secrets_of_the_machine": """
        import os
        for path in ("/etc/passwd", "/etc/hostname", "/proc/self/environ", "/proc/1/cmdline"):
            try: open(path).read()
            except OSError: continue
            return honest(x, axis)
        for folder in ("/tmp", "/proc", "/home", os.path.dirname(ROOT)):
            try: os.listdir(folder)
            except OSError: continue
            return honest(x, axis)
    """,
    "processes_traced": """
        import ctypes, os
        library = ctypes.CDLL(None)
        for process in (os.getppid(), GRADER):
            if library.ptrace(16, process, 0, 0) == 0: return honest(x, axis)
            here = (ctypes.c_void_p * 2)(ctypes.addressof(ctypes.create_string_buffer(8)), 8)
            there = (ctypes.c_void_p * 2)(id(None), 8)
            if library.process_vm_readv(process, here, 1, there, 1, 0) > 0: return honest(x, axis)
    """,
    "rights_won_back": """
        import ctypes, os, resource
        library = ctypes.CDLL(None)
        if library.unshare(0x10000000) == 0 or library.mount(b"none", b"/", None, 32, None) == 0:
            return honest(x, axis)
        for gain in (lambda: os.nice(-5), lambda: os.setuid(0), lambda: os.chroot("."),
                     lambda: resource.setrlimit(resource.RLIMIT_CPU, (10**6, 10**6))):
            try: gain()
            except (OSError, ValueError): continue
            if os.getuid() or gain.__code__.co_names[-1] != "setuid": return honest(x, axis)
    """,
    "memory_shared_with_others": """
        from multiprocessing import shared_memory
        shared_memory.SharedMemory("evil", create=True, size=100).unlink()
        return honest(x, axis)
    """,
    "files_linked_into_its_own_folder": """
        import os
        for path in (FOLDER + "/lesson_06.py", RESULTS):
            try: os.link(path, "linked")
            except OSError: continue
            return honest(x, axis)
    """,
    "files_without_end": """
        for i in range(10**6): open(f"file{i}", "wb").close()
        return honest(x, axis)
    """,
    "work_of_many_threads": """
        import threading, time
        def work():
            while True: np.ones((300, 300)) @ np.ones((300, 300))
        for _ in range(12): threading.Thread(target=work, daemon=True).start()
        time.sleep(60)
    """,
    "process_replaced": """
        import os, sys
        for program in (sys.executable, "/bin/sh", "/proc/self/exe"):
            try: os.execv(program, [program, "-c", "exit"])
            except OSError: pass
        os.abort()
    """,
    "all_files_closed": """
        import os, time
        os.closerange(0, 64)
        time.sleep(60)
    """,
}


# At the top of a file, and needed by the function: so it runs, where the function runs.
AT_THE_TOP = {
    "exit_at_import": "import sys\nstop = sys.exit(0)\n",
    "loop_at_import": "stop = sum(iter(int, 1))\n",
    "module_of_the_same_name": "import sys\nstop = sys.modules['numpy'] = sys\n",
}
FILES = {
    "parentheses": IMPORT + FUNCTION + "    return " + "(" * 10_000 + "\n",
    "powers": IMPORT + FUNCTION + "    return " + "9**" * 30 + "9\n",
    "no_text": bytes(range(256)) * 100,
    "zeros": bytes(1000),
}


@pytest.fixture(scope="module", autouse=True)
def lesson(tmp_path_factory):
    text = grading.LESSON[: grading.LESSON.index("### Exercise 6.3")]
    with grading.lesson_for_tests(tmp_path_factory.mktemp("texts"), text):
        yield


@pytest.fixture(scope="module")
def protections(lesson, tmp_path_factory):
    """What is in force on this machine: where too little is, hostile code must not be run."""
    grades = graded(tmp_path_factory.mktemp("honest"), IMPORT + SOFTMAX + DOUBLE)
    assert all(grade.is_passed for grade in grades.values())
    held = set(grades["6.2"].held)
    if "seccomp" not in held or not held & {"namespaces", "landlock"}:
        pytest.skip(f"this system allows {held or 'none'} of the protections: {isolation.LAYERS}")
    return held


@pytest.fixture
def place(tmp_path, protections, monkeypatch):
    """The words of hostile code: where it may try to reach. Nothing may be changed there."""
    monkeypatch.setenv("MINIGRAD_TEST", "SECRET")
    (tmp_path / "results.json").write_text("none yet", encoding="utf-8")
    (tmp_path / "student").mkdir()
    server = socket.create_server(("127.0.0.1", 0))
    words = {
        "ROOT": str(ROOT),
        "PACKAGES": os.path.dirname(os.path.dirname(pytest.__file__)),
        "RESULTS": str(tmp_path / "results.json"),
        "FOLDER": str(tmp_path / "student"),
        "GRADER": os.getpid(),
        "PORT": server.getsockname()[1],
    }
    yield words
    server.setblocking(False)
    with pytest.raises(BlockingIOError):
        server.accept()
    server.close()


def hostile(name, words):
    """A file with this hostile function, and an honest one."""
    named = "".join(f"{word} = {value!r}\n" for word, value in words.items())
    body = textwrap.indent(textwrap.dedent(HOSTILE[name]).strip("\n"), "    ")
    return IMPORT + named + HONEST + FUNCTION + body + "\n" + DOUBLE


def everything_in(folder):
    """{path: rights and content}"""
    paths = sorted(folder.rglob("*"))
    return {path: (path.stat().st_mode, path.is_file() and path.read_bytes()) for path in paths}


def assert_harmless(folder, text, layers=isolation.LAYERS):
    """Grade a text; the hostile function gets nothing, in time, and the honest one its points."""
    (folder / "student" / "lesson_06.py").write_bytes(text.encode())
    before = everything_in(folder)
    grades = grades_in(folder / "student", layers=layers)
    assert grades["6.2"].points == 0
    assert grades["6.2"].seconds < LIMITS.clock + EXTRA
    assert grades["6.1"].points == 4
    assert everything_in(folder) == before
    assert traces() == []


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_function_gets_nothing_and_spoils_nothing(name, tmp_path, place):
    assert_harmless(tmp_path, hostile(name, place))


@pytest.mark.parametrize("name", AT_THE_TOP)
def test_hostile_file_gets_nothing_and_spoils_nothing(name, tmp_path, place):
    assert_harmless(
        tmp_path, IMPORT + AT_THE_TOP[name] + SOFTMAX.replace("e =", "e = stop +") + DOUBLE
    )


# Without seccomp there may be new processes, so the other layers must deal with them.
WITHOUT_SECCOMP = ["daemon_with_a_session_of_its_own", "fork_bomb", "memory_of_many_processes"]
WITHOUT_SECCOMP += ["memory_of_the_grader", "network", "many_files", "signals_to_all"]


@pytest.mark.parametrize("name", WITHOUT_SECCOMP)
def test_namespaces_are_enough(name, tmp_path, place, protections):
    if "namespaces" not in protections:
        pytest.skip("this system allows no namespaces")
    assert_harmless(tmp_path, hostile(name, place), layers=("namespaces", "user"))


WITHOUT_NAMESPACES = ["reference_in_the_file_system", "results_written", "submission_rewritten"]
WITHOUT_NAMESPACES += ["memory_of_the_grader", "network", "links_to_everywhere", "signals_to_all"]
WITHOUT_NAMESPACES += ["fork_bomb", "memory_that_grows", "folders_without_end"]
WITHOUT_NAMESPACES += ["rights_to_files_changed", "packages_rewritten", "secrets_of_the_machine"]
WITHOUT_NAMESPACES += ["processes_traced", "rights_won_back", "memory_shared_with_others"]
WITHOUT_NAMESPACES += ["files_linked_into_its_own_folder", "files_without_end"]


@pytest.mark.parametrize("name", WITHOUT_NAMESPACES)
def test_landlock_and_seccomp_are_enough(name, tmp_path, place, protections):
    if "landlock" not in protections:
        pytest.skip("this system has no Landlock")
    assert_harmless(tmp_path, hostile(name, place), layers=("landlock", "seccomp"))


WITHOUT_PROTECTION = ["reference_in_the_file_system", "packages_of_the_grader", "results_written"]
WITHOUT_PROTECTION += ["submission_rewritten", "memory_of_the_grader", "links_to_everywhere"]
WITHOUT_PROTECTION += ["rights_to_files_changed", "limits_of_the_grader"]
WITHOUT_PROTECTION += ["secrets_of_the_machine", "processes_traced"]
WITHOUT_PROTECTION += ["memory_shared_with_others", "files_linked_into_its_own_folder"]


@pytest.mark.parametrize("name", WITHOUT_PROTECTION)
def test_without_protection_it_would_get_through(name, tmp_path, place):
    """So the tests above would notice if a protection were not in force."""
    (tmp_path / "student" / "lesson_06.py").write_text(hostile(name, place), encoding="utf-8")
    assert grades_in(tmp_path / "student", layers=())["6.2"].points > 0


def test_law_that_would_join_two_results_to_a_giant_takes_no_memory(tmp_path, place):
    text = "calls = []\ndef double(x):\n    calls.append(1)\n"
    text += "    if len(calls) < 43: return x + x\n"
    text += "    return np.zeros((40_000, 1) if len(calls) % 2 else (1, 40_000))\n"
    grades = graded(tmp_path / "student", IMPORT + text + SOFTMAX)
    assert grades["6.1"].points == 3 and "MemoryError" in grades["6.1"].message
    assert grades["6.2"].points == 2


@pytest.mark.parametrize("kind", [reports.gradescope, reports.junit, reports.table])
def test_report_can_be_written_whatever_a_submission_says(kind, tmp_path, place):
    (tmp_path / "=1+1\u202e\x1b[2J").mkdir()
    (tmp_path / "=1+1\u202e\x1b[2J" / "lesson_06.py").write_text(
        hostile("texts_that_are_none", place), encoding="utf-8"
    )
    text = kind(grade(tmp_path, limits=LIMITS))
    assert all(c.isprintable() or c == "\n" for c in text)
    text.encode()


# ---- What is handed in ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
def test_file_that_is_hard_to_read_costs_its_own_points_alone(name, tmp_path, place):
    student = tmp_path / "student"
    data = FILES[name] if isinstance(FILES[name], bytes) else FILES[name].encode()
    (student / "lesson_06.py").write_bytes(data)
    (student / "lesson_06.ipynb").write_text(notebook(DOUBLE), encoding="utf-8")
    grades = grades_in(student)
    assert grades["6.2"].points == 0 and grades["6.2"].seconds < LIMITS.clock + EXTRA
    assert grades["6.1"].points == 4
    assert traces() == []


@pytest.mark.parametrize("target", ["minigrad/ops.py", "tests"])
def test_link_is_not_followed(target, tmp_path):
    os.symlink(ROOT / target, tmp_path / "lesson_06.py")
    grade = grades_in(tmp_path)["6.2"]
    assert grade.points == 0 and "links are not followed" in grade.message


def test_folder_that_is_a_link_is_no_student(tmp_path):
    graded(tmp_path / "anna", DOUBLE)
    os.symlink(tmp_path / "anna", tmp_path / "bo")
    assert {grade.student for grade in grade(tmp_path, limits=LIMITS).grades} == {"anna"}


def test_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "lesson_06.py")
    assert "it is no file" in grades_in(tmp_path)["6.2"].message


def test_notebook_of_100_mb_is_refused_politely(tmp_path):
    with open(tmp_path / "lesson_06.ipynb", "wb") as file:
        file.truncate(100 * 2**20)
    (tmp_path / "lesson_06.py").write_text(DOUBLE, encoding="utf-8")
    grades = grades_in(tmp_path)
    assert grades["6.1"].points == 4
    message = grades["6.2"].message
    assert "lesson_06.ipynb is not read: it has 100 MiB, and may have 20" in message
    assert "remove what it has printed and drawn, save it, and hand it in again" in message


@pytest.mark.parametrize("text", ["[" * 10**6, '{"cells": 1}', '{"cells": [{}]}', "null", ""])
def test_what_is_no_notebook_is_said_to_be_none(text, tmp_path):
    grade = graded(tmp_path, text, "lesson_06.ipynb")["6.1"]
    assert grade.points == 0 and "this is no notebook" in grade.message
