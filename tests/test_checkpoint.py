"""Checkpoints: every bit comes back, a failure leaves the old file, and a bad file is explained."""

import errno
import io
import json
import os
import pickle
import shutil
import stat
import struct
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from safetensors.numpy import save as to_bytes
from safetensors.numpy import save_file

from minigrad import checkpoint, weight_file
from minigrad.environment import environment

posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX permissions, links or limits")
OLD = {"weight": np.ones(3, np.float32)}


def same_bits(a, b):
    native = a.astype(a.dtype.newbyteorder("="))
    return b.shape == a.shape and b.dtype == native.dtype and b.tobytes() == native.tobytes()


# --- round trips ----------------------------------------------------------------------------------

GRID = np.arange(24.0).reshape(2, 3, 4)
SPECIAL = np.array([np.nan, -np.nan, np.inf, -np.inf, -0.0, 5e-324])
ARRAYS = {
    "0-d": np.array(3.5),
    "0-d bool": np.array(True),
    "empty": np.empty((0, 3), np.float32),
    "transposed": GRID.T,
    "strided": GRID[:, ::2, 1:],
    "reversed": GRID[::-1, :, ::-1],
    "broadcast": np.broadcast_to(np.float32(2), (3, 4)),
    "Fortran": np.asfortranarray(GRID),
    "big-endian": GRID.astype(">f8"),
    "big-endian integers, transposed": np.arange(6).reshape(2, 3).astype(">i4").T,
    "NaN and others": SPECIAL,
    "NaN with a message": np.array([0x7FC12345, 0xFF800001], np.uint32).view(np.float32),
    "largest": np.array([2**63 - 1, -(2**63)]),
    "unsigned": np.array([2**64 - 1], np.uint64),
    "bools": np.array([[True, False], [False, True]]),
    **{dtype: np.arange(5).astype(dtype) for dtype in weight_file.DTYPES},
    "": GRID,
    "gewicht.ü.重み.🙂": GRID,
    'a "quoted"\nname': GRID,
}


@pytest.mark.parametrize("name", ARRAYS)
def test_every_bit_of_an_array_comes_back(tmp_path, name):
    checkpoint.save(tmp_path / "file", {name: ARRAYS[name]})
    arrays, _ = checkpoint.load(tmp_path / "file")
    assert list(arrays) == [name]
    assert same_bits(ARRAYS[name], arrays[name])


def test_many_arrays_come_back_together(tmp_path):
    checkpoint.save(tmp_path / "file", ARRAYS)
    arrays, _ = checkpoint.load(tmp_path / "file")
    assert arrays.keys() == ARRAYS.keys()
    assert all(same_bits(ARRAYS[name], arrays[name]) for name in ARRAYS)


def test_no_arrays_come_back_as_none(tmp_path):
    checkpoint.save(tmp_path / "file", {}, {"layers": []})
    assert checkpoint.load(tmp_path / "file") == ({}, {"layers": []})


def test_saving_leaves_the_arrays_as_they_are(tmp_path):
    array = np.arange(6).astype(">f4").reshape(2, 3).T
    before = array.copy()
    checkpoint.save(tmp_path / "file", {"a": array})
    assert array.dtype == np.dtype(">f4") and np.array_equal(array, before)


def test_loaded_arrays_are_writable_and_independent_of_the_file(tmp_path):
    checkpoint.save(tmp_path / "file", {"a": GRID})
    arrays, _ = checkpoint.load(tmp_path / "file")
    arrays["a"] += 1
    (tmp_path / "file").write_bytes(b"\0" * (tmp_path / "file").stat().st_size)
    assert np.array_equal(arrays["a"], GRID + 1)


@pytest.mark.parametrize(
    "configuration",
    [
        None,
        {},
        {"layers": [{"units": 3, "rate": 0.1, "use_bias": True, "name": None}], "größe": "ß🙂"},
        {"large": 10**30, "exact": 0.1 + 0.2, "unlimited": float("inf")},
    ],
)
def test_the_configuration_comes_back(tmp_path, configuration):
    checkpoint.save(tmp_path / "file", OLD, configuration)
    assert checkpoint.load(tmp_path / "file")[1] == configuration


def test_equal_contents_give_equal_files(tmp_path):
    for name in "ab":
        checkpoint.save(tmp_path / name, ARRAYS, {"z": 1, "a": 2})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_file_is_plain_safetensors_with_versioned_json_in_its_metadata(tmp_path):
    checkpoint.save(tmp_path / "file", OLD, {"units": 3})
    data = (tmp_path / "file").read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    assert header["weight"] == {"dtype": "F32", "shape": [3], "data_offsets": [0, 12]}
    metadata = json.loads(header["__metadata__"]["minigrad"])
    expected = {"version": 1, "configuration": {"units": 3}, "environment": environment()}
    assert metadata == expected
    assert {"backend", "threads of BLAS", "threads of Numba", "NumPy"} <= metadata[
        "environment"
    ].keys()


def test_weights_from_elsewhere_have_no_configuration(tmp_path):
    save_file(OLD, tmp_path / "plain")
    save_file(OLD, tmp_path / "foreign", {"format": "pt"})
    for name in ("plain", "foreign"):
        arrays, configuration = checkpoint.load(tmp_path / name)
        assert configuration is None and same_bits(OLD["weight"], arrays["weight"])


# --- what cannot be saved -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("layer.weight", [1.0, 2.0], "entry 'layer.weight' must be a NumPy array. Received: list"),
        ("layer.weight", 1.0, "entry 'layer.weight' .* Received: float"),
        ("layer.weight", np.float32(1), "entry 'layer.weight' .* Received: float32"),
        ("layer.weight", None, "entry 'layer.weight' .* Received: NoneType"),
        ("layer.weight", np.array([{}]), "entry 'layer.weight' .* Received: object"),
        ("layer.weight", np.array(["text"]), "entry 'layer.weight' .* Received: <U4"),
        ("layer.weight", np.array([1j]), "entry 'layer.weight' .* Received: complex128"),
        ("layer.weight", np.zeros(2, "M8[s]"), "entry 'layer.weight' .* Received: datetime64"),
        ("layer.weight", np.zeros(2, "f4,i4"), "entry 'layer.weight' .* Received: "),
        (3, np.ones(2), "name is text.* Received: 3"),
        ("__metadata__", np.ones(2), "name is text.* Received: '__metadata__'"),
        ("\ud800", np.ones(2), "surrogate"),
    ],
)
def test_an_entry_that_cannot_be_saved_is_named(tmp_path, name, value, complaint):
    checkpoint.save(tmp_path / "file", OLD)
    with pytest.raises(ValueError, match=complaint):
        checkpoint.save(tmp_path / "file", {"good": np.ones(2), name: value})
    assert_old_file_survives(tmp_path)


circular = []
circular.append(circular)


@pytest.mark.parametrize(
    "configuration", [{"a": np.ones(2)}, {"a": object()}, {(1, 2): 3}, circular]
)
def test_a_configuration_that_json_cannot_write_is_refused(tmp_path, configuration):
    checkpoint.save(tmp_path / "file", OLD)
    with pytest.raises(ValueError, match="the configuration is not plain data for JSON: "):
        checkpoint.save(tmp_path / "file", OLD, configuration)
    assert_old_file_survives(tmp_path)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*absent to save model in"):
        checkpoint.save(tmp_path / "absent" / "model", OLD)


def test_a_folder_is_not_replaced(tmp_path):
    (tmp_path / "model").mkdir()
    with pytest.raises(OSError, match=r"replaces a file, and .*model is something else"):
        checkpoint.save(tmp_path / "model", OLD)
    assert list(tmp_path.iterdir()) == [tmp_path / "model"]


@posix
def test_what_is_neither_file_nor_folder_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")  # stands for a device, which no test should put at risk
    with pytest.raises(OSError, match="pipe is something else"):
        checkpoint.save(tmp_path / "pipe", OLD)
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


# --- failures while saving ------------------------------------------------------------------------


def assert_old_file_survives(folder):
    assert [file.name for file in folder.iterdir()] == ["file"], "a temporary file was left behind"
    arrays, _ = checkpoint.load(folder / "file")
    assert same_bits(OLD["weight"], arrays["weight"])


def failing_with(error):
    def fail(*arguments, **options):
        raise error

    return fail


@pytest.mark.parametrize("step", ["os.fsync", "os.replace", "shutil.copymode"])
def test_a_full_disk_leaves_the_old_file_and_names_it(tmp_path, monkeypatch, step):
    checkpoint.save(tmp_path / "file", OLD)
    monkeypatch.setattr(step, failing_with(OSError(errno.ENOSPC, "No space left on device")))
    message = r"No space left on device. Nothing was saved.*file"
    with pytest.raises(OSError, match=message) as raised:
        checkpoint.save(tmp_path / "file", {"new": np.zeros(1000)})
    assert raised.value.errno == errno.ENOSPC
    monkeypatch.undo()
    assert_old_file_survives(tmp_path)


@pytest.mark.parametrize("step", ["os.fsync", "os.replace", "shutil.copymode"])
@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit, MemoryError])
def test_an_interruption_leaves_the_old_file(tmp_path, monkeypatch, step, interruption):
    checkpoint.save(tmp_path / "file", OLD)
    monkeypatch.setattr(step, failing_with(interruption()))
    with pytest.raises(interruption):
        checkpoint.save(tmp_path / "file", {"new": np.zeros(1000)})
    monkeypatch.undo()
    assert_old_file_survives(tmp_path)


@posix
def test_a_write_that_the_system_cuts_short_leaves_the_old_file(tmp_path):
    checkpoint.save(tmp_path / "file", OLD)
    program = """if True:
        import resource, sys
        import numpy as np
        from minigrad import checkpoint
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        try:
            checkpoint.save(sys.argv[1], {"new": np.ones(100_000)})
        except OSError as error:
            print(error.filename, error)
    """
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "file")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith(f"{tmp_path / 'file'} "), done.stderr
    assert "Nothing was saved" in done.stdout
    assert_old_file_survives(tmp_path)


def test_the_bytes_are_on_the_disk_before_they_get_the_name(tmp_path, monkeypatch):
    steps = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(
        os, "fsync", lambda file: steps.append(os.fstat(file).st_size) or fsync(file)
    )
    monkeypatch.setattr(os, "replace", lambda a, b: steps.append((a, b)) or replace(a, b))
    checkpoint.save(tmp_path / "file", OLD)
    size, (temporary, target) = steps
    assert size == (tmp_path / "file").stat().st_size
    assert temporary.parent == target.parent


# --- links and permissions ------------------------------------------------------------------------


def mode(file):
    return stat.S_IMODE(file.stat().st_mode)


@posix
@pytest.mark.parametrize("wanted", [0o600, 0o640, 0o664, 0o444])
def test_an_existing_file_keeps_its_permissions(tmp_path, wanted):
    checkpoint.save(tmp_path / "file", OLD)
    (tmp_path / "file").chmod(wanted)
    checkpoint.save(tmp_path / "file", {"new": np.ones(2)})
    assert mode(tmp_path / "file") == wanted
    assert list(checkpoint.load(tmp_path / "file")[0]) == ["new"]


@posix
def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "other").write_bytes(b"")
    checkpoint.save(tmp_path / "file", OLD)
    assert mode(tmp_path / "file") == mode(tmp_path / "other")


@posix
@pytest.mark.parametrize("exists", [True, False])
def test_a_symbolic_link_is_followed(tmp_path, exists):
    for folder in ("far", "near"):
        (tmp_path / folder).mkdir()
    if exists:
        checkpoint.save(tmp_path / "far" / "model", {"new": np.ones(2)})
    (tmp_path / "near" / "link").symlink_to("../far/model")
    checkpoint.save(tmp_path / "near" / "link", OLD)
    assert (tmp_path / "near" / "link").is_symlink()
    assert not (tmp_path / "far" / "model").is_symlink()
    assert list(checkpoint.load(tmp_path / "far" / "model")[0]) == ["weight"]
    assert [file.name for file in (tmp_path / "near").iterdir()] == ["link"]


def test_a_file_in_the_current_folder_needs_no_folder_in_its_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    checkpoint.save("file", OLD)
    assert list(checkpoint.load("file")[0]) == ["weight"]


# --- bad files ------------------------------------------------------------------------------------

GOOD = to_bytes(OLD, {"minigrad": '{"version": 1, "configuration": null}'})


def archive():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as zipped:
        zipped.writestr("archive/data.pkl", b"")
    return file.getvalue()


def npz():
    file = io.BytesIO()
    np.savez(file, a=np.ones(2))
    return file.getvalue()


def npy():
    file = io.BytesIO()
    np.save(file, np.ones(2))
    return file.getvalue()


def header(entries, data=b""):
    text = json.dumps(entries).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(dtype, shape, size):
    return header({"a": {"dtype": dtype, "shape": shape, "data_offsets": [0, size]}}, bytes(size))


def with_metadata(text):
    return to_bytes(OLD, {"minigrad": text})


BAD_FILES = {
    "empty": (b"", "is empty"),
    "cut in the length": (GOOD[:4], "is damaged, incomplete"),
    "cut in the header": (GOOD[:30], "is damaged, incomplete"),
    "cut at the end": (GOOD[:-1], "is damaged, incomplete"),
    "a byte too many": (GOOD + b"!", "is damaged, incomplete"),
    "no braces": (GOOD[:8] + b"[" + GOOD[9:], "is damaged, incomplete"),
    "rubbish": (b"\xff" * 100, "is damaged, incomplete"),
    "text": (b"epoch,loss\n1,0.3\n", "is damaged, incomplete"),
    "cut, and begins like a pickle": (struct.pack("<Q", 640) + b'{"a":', "is damaged, incomplete"),
    "pickle 2": (pickle.dumps({"a": 1}, protocol=2), "It looks like a pickle"),
    "pickle 4": (pickle.dumps({"a": 1}, protocol=4), "It looks like a pickle"),
    "pickle 5": (pickle.dumps({"a": 1}, protocol=5), "It looks like a pickle"),
    "zip": (archive(), "It looks like a zip archive: PyTorch"),
    "npz": (npz(), "It looks like a zip archive"),
    "npy": (npy(), "It looks like NumPy's .npy"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(100), "It looks like an HDF5 file"),
    "gzip": (b"\x1f\x8b\x08" + bytes(100), "It looks like a gzipped file"),
    "GGUF": (b"GGUF" + bytes(100), "It looks like a GGUF file"),
    "Git LFS": (
        b"version https://git-lfs.github.com/spec/v1\noid",
        "It looks like a Git LFS pointer",
    ),
    "web page": (b"<!DOCTYPE html><title>404</title>", "It looks like a web page"),
    "huge shape": (entry("F32", [2**40, 2**40], 4), "is damaged, incomplete"),
    "wrong size": (entry("F32", [3], 4), "is damaged, incomplete"),
    "F8": (entry("F8_E4M3", [4], 4), "entry 'a' of dtype F8_E4M3 cannot be a NumPy array"),
    "70 axes": (entry("F32", [1] * 70, 4), "entry 'a' of dtype F32 cannot be a NumPy array"),
    "no JSON": (with_metadata("not JSON"), "its configuration is damaged"),
    "a list": (with_metadata("[1, 2]"), "its configuration is damaged"),
    "no version": (with_metadata("{}"), "its configuration is damaged: KeyError"),
    "no configuration": (with_metadata('{"version": 1}'), "its configuration is damaged: KeyError"),
    "deep JSON": (
        with_metadata("[" * 100_000),
        "its configuration is damaged: .*nested too deeply",
    ),
    "newer": (
        with_metadata('{"version": 2, "configuration": {}}'),
        "of version 2, and this minigrad reads 1",
    ),
}


@pytest.mark.parametrize(("data", "complaint"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_bad_file_is_named_and_explained(tmp_path, data, complaint):
    (tmp_path / "bad-file").write_bytes(data)
    with pytest.raises(ValueError, match=rf"bad-file:? .*{complaint}"):
        checkpoint.load(tmp_path / "bad-file")


def test_every_truncation_is_noticed(tmp_path):
    for size in range(len(GOOD)):
        (tmp_path / "file").write_bytes(GOOD[:size])
        with pytest.raises(ValueError, match="file is "):
            checkpoint.load(tmp_path / "file")


def test_no_pickle_is_ever_opened(tmp_path, monkeypatch):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "sprung"),)

    (tmp_path / "file").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(ValueError, match="pickle"):
        checkpoint.load(tmp_path / "file")
    assert not (tmp_path / "sprung").exists()


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        checkpoint.load(tmp_path / "nowhere")


def test_a_folder_is_not_loaded(tmp_path):
    with pytest.raises(OSError, match=tmp_path.name):
        checkpoint.load(tmp_path)


def test_a_loaded_file_can_be_replaced_and_removed(tmp_path):
    checkpoint.save(tmp_path / "file", OLD)
    arrays, _ = checkpoint.load(tmp_path / "file")
    checkpoint.save(tmp_path / "file", {"new": np.ones(2)})
    shutil.rmtree(tmp_path)  # Windows refuses while the file is open
    assert same_bits(OLD["weight"], arrays["weight"])


# --- compare --------------------------------------------------------------------------------------

EXPECTED = {"0.weight": ((2, 3), np.float32), "0.bias": ((3,), "float32")}
FITTING = {"0.bias": np.zeros(3, np.float32), "0.weight": np.zeros((2, 3), np.float32)}


def test_fitting_arrays_pass():
    checkpoint.compare(EXPECTED, FITTING)


def test_the_byte_order_does_not_matter():
    checkpoint.compare(EXPECTED, {name: array.astype(">f4") for name, array in FITTING.items()})


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            {"0.weight": np.zeros((3, 2), "f4")},
            r"0.weight: wanted \(2, 3\) float32, got \(3, 2\) fl",
        ),
        (
            {"0.bias": np.zeros((3, 1), "f4")},
            r"0.bias: wanted \(3,\) float32, got \(3, 1\) float32",
        ),
        ({"0.bias": np.zeros(3, "f8")}, r"0.bias: wanted \(3,\) float32, got \(3,\) float64"),
        ({"0.bias": np.zeros(3, "f2")}, r"0.bias: wanted \(3,\) float32, got \(3,\) float16"),
        ({"0.bias": np.zeros(3, "i4")}, r"0.bias: wanted \(3,\) float32, got \(3,\) int32"),
    ],
)
def test_a_mismatch_says_what_was_wanted_and_what_came(change, complaint):
    with pytest.raises(ValueError, match=f"1 mismatched: {complaint}"):
        checkpoint.compare(EXPECTED, {**FITTING, **change})


def test_one_error_lists_all_differences():
    arrays = {"0.weight": np.zeros(2), "extra": np.zeros(1), "more": np.zeros(1)}
    with pytest.raises(ValueError) as raised:
        checkpoint.compare(EXPECTED, arrays)
    assert str(raised.value).splitlines() == [
        "the weights do not fit the model:",
        "  1 missing: 0.bias",
        "  2 unexpected: extra; more",
        "  1 mismatched: 0.weight: wanted (2, 3) float32, got (2,) float64",
    ]


def test_a_long_list_is_cut_and_counted():
    with pytest.raises(ValueError) as raised:
        checkpoint.compare({str(i): ((1,), "f4") for i in range(25)}, {})
    assert str(raised.value).endswith("25 missing: 0; 1; 2; 3; 4; 5; 6; 7; 8; 9; and 15 more")
