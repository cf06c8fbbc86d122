"""The house stands: imports run downwards, a step stays on its device, and import is quick.

Most of this reads the sources as syntax trees, so that it finds what no call happens to run.
"""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.no_cover  # what runs here is no line of minigrad

ROOT = Path(__file__).resolve().parents[1]

# From the ground up. A package stands for its modules; `minigrad` is its __init__.py alone.
FLOORS = [
    ["kernels"],
    ["minigrad.tensor"],
    ["minigrad.ops"],
    [
        *("minigrad.registry", "minigrad.random", "minigrad.environment", "minigrad.gradcheck"),
        *("minigrad.atomic", "minigrad.version", "minigrad.by_definition"),
        *("minigrad.initializers", "minigrad.regularizers", "minigrad.layers", "minigrad.losses"),
        *("minigrad.schedules", "minigrad.optimizers", "minigrad.metrics", "minigrad.callbacks"),
        *("minigrad.data", "minigrad.text", "minigrad.bounded_json", "minigrad.weight_file"),
        *("minigrad.checkpoint", "minigrad.plots"),
    ],
    ["minigrad.models"],
    ["minigrad.finetune"],
    ["minigrad"],
    ["minigrad.programs"],
    ["minigrad.__main__"],
]
# Imported where they are used.
HEAVY = {"numba", "matplotlib", "tqdm", "torch", "threadpoolctl", "tensorboardX"}
HEAVY |= {"http", "urllib"}  # which are Python's own
LIGHT = {"numpy"} | set(sys.stdlib_module_names)


def sources():
    """{module: path} of everything in kernels and minigrad."""
    found = {}
    for package in ("kernels", "minigrad"):
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


SOURCES = sources()
TREES = {
    module: ast.parse(path.read_text(encoding="utf-8"), str(path))
    for module, path in SOURCES.items()
}
EVERY = pytest.mark.parametrize("module", SOURCES)
OF_MINIGRAD = pytest.mark.parametrize("module", [m for m in SOURCES if m.startswith("minigrad")])


def imports(module, tree=None):
    """The modules that a module imports: (module, name that is taken from it or None) each."""
    is_package = SOURCES[module].name == "__init__.py"
    for node in ast.walk(tree or TREES[module]):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = module.split(".")
            above = parts[: len(parts) - node.level + is_package] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{source}.{alias.name}"
                yield (inner, None) if inner in SOURCES else (source, alias.name)


def inside_functions(module):
    """The syntax trees of all functions of a module."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    return [node for node in ast.walk(TREES[module]) if isinstance(node, kinds)]


def at_module_level(module):
    """The modules that importing a module imports."""
    within = {id(node) for function in inside_functions(module) for node in ast.walk(function)}
    top = [node for node in ast.walk(TREES[module]) if id(node) not in within]
    kinds = (ast.Import, ast.ImportFrom)
    body = [node for node in top if isinstance(node, kinds)]
    return imports(module, ast.Module(body=body, type_ignores=[]))


def root_of(module):
    return module.split(".")[0]


def floor_of(module):
    for number, floor in enumerate(FLOORS):
        packages = tuple(f"{name}." for name in floor if name != "minigrad")
        if module in floor or module.startswith(packages):
            return number
    raise AssertionError(f"{module} has no place in FLOORS")


# ---- Floors --------------------------------------------------------------------------------------


@EVERY
def test_imports_run_downwards(module):
    floor = floor_of(module)
    ours = [name for name, _ in imports(module) if root_of(name) in ("kernels", "minigrad")]
    assert [name for name in ours if floor_of(name) > floor] == []


def test_every_floor_is_there():
    for floor in FLOORS:
        assert set(floor) <= SOURCES.keys()


def test_no_module_imports_itself_in_a_circle():
    below = {
        module: {name for name, _ in imports(module) if name in SOURCES} - {module}
        for module in SOURCES
    }
    while free := [module for module, needed in below.items() if not needed & below.keys()]:
        for module in free:
            del below[module]
    assert not below


def test_the_engine_imports_numpy_and_the_standard_library_alone():
    names = {root_of(name) for name, _ in imports("minigrad.tensor")}
    assert names <= {"numpy"} | set(sys.stdlib_module_names)


@pytest.mark.parametrize("module", [module for module in SOURCES if root_of(module) == "kernels"])
def test_kernels_know_no_gradients(module):
    known = LIGHT | {"kernels", "numba", "llvmlite", "threadpoolctl"}
    if module.startswith("kernels.simulator"):
        known |= {"greenlet"}
    assert {root_of(name) for name, _ in imports(module)} <= known


@pytest.mark.parametrize("module", [module for module in SOURCES if root_of(module) == "kernels"])
def test_gpus_have_rooms_of_their_own(module):
    """Kernels for a GPU, what simulates it, and all else know nothing of each other.

    But for what brings them together when a device is asked for, and what tells who runs what.
    """
    if module in ("kernels.devices", "kernels.dispatch"):
        return
    rooms = {"kernels.cuda", "kernels.simulator"}
    own = {room for room in rooms if f"{module}.".startswith(f"{room}.")}
    others = tuple(f"{room}." for room in rooms - own)
    assert not [name for name, _ in imports(module) if f"{name}.".startswith(others)]


COMPILED = [module for module in SOURCES if module.startswith(("kernels.cpu", "kernels.ladder"))]


@pytest.mark.parametrize("module", COMPILED)
def test_compiled_kernels_multiply_matrices_themselves(module):
    blas = {"dot", "vdot", "inner", "outer", "matmul", "einsum", "tensordot", "linalg"}
    for node in ast.walk(TREES[module]):
        assert not isinstance(node, ast.MatMult)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "np":
            assert node.attr not in blas


@OF_MINIGRAD
def test_heavy_packages_are_imported_in_functions(module):
    names = {root_of(name) for name, _ in at_module_level(module)}
    assert names <= (LIGHT | {"kernels", "minigrad"}) - HEAVY


@EVERY
def test_functions_import_heavy_packages_alone(module):
    allowed = set(HEAVY)
    if module in ("kernels.dispatch", "kernels.devices"):
        allowed.add("kernels")  # rooms that need numba
    for function in inside_functions(module):
        assert {root_of(name) for name, _ in imports(module, function)} <= allowed


@OF_MINIGRAD
def test_operations_and_kernels_are_called_by_their_module(module):
    """ops.softmax, never softmax alone: so a student's function can take its place."""
    taken = [(source, name) for source, name in imports(module) if name is not None]
    assert not [name for source, name in taken if source in ("minigrad.ops", "kernels")]


def test_the_engine_can_be_read_in_one_sitting():
    lines = dict(enumerate(SOURCES["minigrad.tensor"].read_text(encoding="utf-8").splitlines(), 1))
    documented = (ast.FunctionDef, ast.ClassDef, ast.Module)
    for node in ast.walk(TREES["minigrad.tensor"]):
        if isinstance(node, documented) and ast.get_docstring(node):
            for number in range(node.body[0].lineno, node.body[0].end_lineno + 1):
                del lines[number]
    code = [line for line in lines.values() if line.strip() and not line.lstrip().startswith("#")]
    assert len(code) <= 300


# ---- Safety --------------------------------------------------------------------------------------


@EVERY
def test_no_file_is_run_as_code(module):
    names = {root_of(name) for name, _ in imports(module)}
    assert names.isdisjoint({"pickle", "_pickle", "marshal", "shelve", "dill", "joblib"})
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Call):
            assert getattr(node.func, "id", None) not in ("eval", "exec", "compile", "__import__")
            for keyword in node.keywords:
                allowed = isinstance(keyword.value, ast.Constant) and keyword.value.value is False
                assert keyword.arg != "allow_pickle" or allowed


# ---- A training step stays on its device ---------------------------------------------------------

STEP = [
    *("minigrad.ops", "minigrad.losses", "minigrad.optimizers", "minigrad.metrics"),
    *("minigrad.regularizers", "minigrad.by_definition", "minigrad.metrics.per_example"),
    *(module for module in SOURCES if module.startswith("minigrad.metrics.streaming")),
    *(module for module in SOURCES if module.startswith("minigrad.layers")),
]
# What makes arrays on the host, or brings them there. `zeros_like` and its kind are fine.
MAKERS = {
    *("array", "asarray", "asanyarray", "ascontiguousarray", "copy", "fromiter", "frombuffer"),
    *("zeros", "ones", "empty", "full", "arange", "linspace", "eye", "identity", "indices"),
    *("random", "ndarray", "float32", "float64", "tri", "meshgrid", "fromfunction", "load"),
}
READERS = {"float", "int", "bool", "complex", "list"}
METHODS = {"item", "tolist", "numpy", "__array__", "__float__", "__bool__"}
ALLOWED = {
    ("minigrad.ops", "concatenate", ".tolist"): "lengths, from shapes",
    ("minigrad.ops", "pad", ".tolist"): "widths, which are Python's numbers",
    ("minigrad.ops", "_attach", "float"): "float(tensor) is an explicit read",
    ("minigrad.ops", "_attach", "int"): "int(tensor) is an explicit read",
    ("minigrad.ops", "_attach", "bool"): "`if tensor:` is an explicit read",
    ("minigrad.ops", "_attach", ".item"): "these three again",
    ("minigrad.ops", "prod.pull", "list"): "axes",
    ("minigrad.layers.core", "Input.get_config", "list"): "a shape",
    ("minigrad.layers.core", "positive_integer", "int"): "an argument of a constructor",
    ("minigrad.layers.attention", "KeyValueCache.size", "int"): "a number of steps",
    ("minigrad.layers.layer", "Layer.trainable", "bool"): "an argument",
    ("minigrad.layers.layer", "Layer.ensure_built", "np.zeros"): "an example, before training",
    ("minigrad.layers.layer", "Layer.add_weight", "np.empty"): "a place for numbers from a file",
    ("minigrad.losses", "Loss.count", "np.float64"): "a number of examples, from a shape",
    ("minigrad.optimizers", "Optimizer.rate", "float"): "what a schedule gave",
    ("minigrad.optimizers", "Optimizer.get_state", "np.array"): "the number of steps, to be saved",
    ("minigrad.optimizers", "Optimizer.set_state", ".item"): "the number of steps, from a file",
    ("minigrad.optimizers", "SGD.__init__", "bool"): "an argument of a constructor",
    ("minigrad.optimizers", "RMSprop.__init__", "bool"): "an argument of a constructor",
    ("minigrad.optimizers", "_with_gradients", "list"): "a list of Tensors",
    ("minigrad.metrics.per_example", "array_of", "np.asarray"): "lists of numbers of a user",
    ("minigrad.metrics.streaming", "read", ".item"): "the explicit read of a result",
    ("minigrad.metrics.streaming", "read", "np.array"): "the same of several numbers",
}


def uses(tree, place=""):
    """(function, name) of all that makes arrays on the host or reads them there."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield from uses(node, f"{place}.{node.name}".lstrip("."))
            continue
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            of_numpy = isinstance(node.value, ast.Name) and node.value.id == "np"
            if of_numpy and node.attr in MAKERS:
                yield place, f"np.{node.attr}"
            elif not of_numpy and node.attr in METHODS:
                yield place, f".{node.attr}"
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) in READERS:
            yield place, node.func.id
        yield from uses(node, place)


@pytest.mark.parametrize("module", STEP)
def test_a_training_step_makes_and_reads_no_array_on_the_host(module):
    found = {(module, *use) for use in uses(TREES[module])}
    assert found - ALLOWED.keys() == set()


def test_what_is_allowed_is_in_use():
    found = {(module, *use) for module in STEP for use in uses(TREES[module])}
    assert ALLOWED.keys() - found == set()


@EVERY
def test_numpy_has_one_name(module):
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names = (alias.name, alias.asname)
                assert root_of(alias.name) != "numpy" or names == ("numpy", "np")
        if isinstance(node, ast.ImportFrom):
            assert root_of(node.module or "") != "numpy"


# ---- import minigrad -----------------------------------------------------------------------------

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("COV")}


def python(code):
    """What a fresh Python prints, or how it fails."""
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True
    )


def test_import_loads_no_heavy_package():
    result = python("import sys, minigrad; print(*sys.modules)")
    assert result.returncode == 0, result.stderr
    loaded = set(result.stdout.split())
    assert "minigrad.models" in loaded
    heavy = {*HEAVY - {"tqdm", "urllib"}, "tqdm.auto", "urllib.request", "IPython"}
    heavy |= {"scipy", "pandas", "tensorflow", "keras"}
    assert loaded.isdisjoint(heavy)


def test_kernels_need_neither_a_gpu_nor_its_simulator():
    """Nor Numba's part for GPUs, which takes half a second."""
    code = "import sys, kernels; print(*sys.modules)"
    result = python(code)
    assert result.returncode == 0, result.stderr
    loaded = set(result.stdout.split())
    assert "kernels.reference" in loaded
    assert loaded.isdisjoint({"numba.cuda", "greenlet", "kernels.cuda", "kernels.simulator"})


def test_import_takes_less_than_four_tenths_of_a_second():
    """Of the processor, so that no other process counts."""
    code = "import time; t = time.process_time(); import minigrad; print(time.process_time() - t)"
    seconds = []
    while not seconds or min(seconds) >= 0.4 and len(seconds) < 10:
        seconds.append(float(python(code).stdout))
    assert min(seconds) < 0.4, seconds


@pytest.mark.parametrize("file", ["kernels/__init__.py", "kernels.py"])
def test_something_else_named_kernels_is_noticed(tmp_path, file):
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text("layer = None\n", encoding="utf-8")
    result = python(f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import minigrad")
    message = result.stderr.splitlines()[-1]
    assert result.returncode == 1 and message.startswith("ImportError: ")
    assert str(tmp_path) in message.replace("\\\\", "\\")
    assert "pip uninstall kernels" in message and "rename it" in message


# ---- Words ---------------------------------------------------------------------------------------


CLASSES = {
    node.name: node
    for tree in TREES.values()
    for node in ast.walk(tree)
    if isinstance(node, ast.ClassDef)
}


def without_docstring(node, place):
    """The public names in a module or class that say nothing of themselves.

    A method that takes the place of another need not repeat what that one says.
    """
    for inner in node.body:
        if isinstance(inner, (ast.FunctionDef, ast.ClassDef)) and not inner.name.startswith("_"):
            if not is_described(inner.name, node):
                yield f"{place}.{inner.name}"
            if isinstance(inner, ast.ClassDef):
                yield from without_docstring(inner, f"{place}.{inner.name}")


def is_described(name, node):
    """Whether a name has a docstring in a module or a class, or in what the class is made of."""
    found = [inner for inner in node.body if getattr(inner, "name", None) == name]
    bases = [ast.unparse(base).split(".")[-1] for base in getattr(node, "bases", [])]
    return any(map(ast.get_docstring, found)) or any(
        is_described(name, CLASSES[base]) for base in bases if base in CLASSES
    )


@EVERY
def test_public_names_have_docstrings(module):
    assert ast.get_docstring(TREES[module])
    assert list(without_docstring(TREES[module], module)) == []


def files():
    """All files of the repository that git does not ignore; without git, all sources."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    try:
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        found = [ROOT / name for name in result.stdout.splitlines()]
    except (OSError, subprocess.CalledProcessError):
        found = [*SOURCES.values(), *(ROOT / "tests").rglob("*.py"), *ROOT.glob("*.*")]
    return [path for path in found if path.is_file()]


def test_no_file_names_a_place_on_one_machine():
    places = re.compile(rf"(?<![\w.}}/])/(?:{'|'.join(['work', 'tmp', 'home', 'root', 'Users'])})/")
    guilty = []
    for path in files():
        text = path.read_bytes()
        if b"\0" not in text and places.search(text.decode("utf-8")):
            guilty.append(path.name)
    assert guilty == []
