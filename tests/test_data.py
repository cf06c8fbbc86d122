"""Data sets: files found by name, the IDX format, the stratified split, the embedded digits."""

import gzip
import os
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

import minigrad.random
from minigrad.data import Batches, Table, digits, find, mnist, stratified_split
from minigrad.data.files import download_folder
from minigrad.data.idx import read_idx
from minigrad.data.mnist import set_of

# --- find -----------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def no_data_folder(request, monkeypatch, tmp_path):
    if "data" not in request.keywords:
        monkeypatch.delenv("MINIGRAD_DATA", raising=False)
        for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
            monkeypatch.setenv(name, str(tmp_path / "cache"))


def put(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")


def test_find_searches_at_any_depth_in_the_order_of_the_names(tmp_path):
    put(tmp_path, "a/b/c/deep", "top")
    assert find(["deep", "top"], tmp_path) == [tmp_path / "a/b/c/deep", tmp_path / "top"]


def test_find_takes_one_name_too(tmp_path):
    put(tmp_path, "words.txt")
    assert find("words.txt", str(tmp_path)) == [tmp_path / "words.txt"]


def test_find_accepts_a_gzipped_file_for_a_name(tmp_path):
    put(tmp_path, "words.gz")
    assert find(["words"], tmp_path) == [tmp_path / "words.gz"]


def test_find_accepts_any_spelling_of_a_name(tmp_path):
    put(tmp_path, "t.idx1.gz")
    assert find([("t-idx1", "t.idx1")], tmp_path) == [tmp_path / "t.idx1.gz"]


@pytest.mark.parametrize(
    ("files", "chosen"),
    [
        (["a/b/x", "z/x"], "z/x"),  # fewer folders
        (["b/x", "a/x"], "a/x"),  # the alphabet
        (["x.gz", "x"], "x"),
        (["a/x", "x.gz"], "x.gz"),
    ],
)
def test_find_prefers_fewer_folders_then_the_alphabet(tmp_path, files, chosen):
    put(tmp_path, *files)
    assert find(["x"], tmp_path) == [tmp_path / chosen]


def test_find_skips_a_folder_with_the_name_of_the_file(tmp_path):
    put(tmp_path, "x/x")
    assert find(["x"], tmp_path) == [tmp_path / "x" / "x"]


@pytest.mark.skipif(os.name != "posix", reason="needs symbolic links")
def test_find_follows_a_link_to_a_file_and_skips_one_to_nothing(tmp_path):
    put(tmp_path, "a/real")
    (tmp_path / "x").symlink_to("nothing")
    (tmp_path / "a" / "x").symlink_to("real")
    assert find(["x"], tmp_path) == [tmp_path / "a" / "x"]


@pytest.mark.parametrize("variable", [True, False])
def test_find_knows_the_home_folder_as_a_tilde(tmp_path, monkeypatch, variable):
    put(tmp_path, "sets/x")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("MINIGRAD_DATA", "~/sets")
    assert find(["x"], None if variable else "~/sets") == [tmp_path / "sets" / "x"]


def test_find_uses_the_environment_variable(tmp_path, monkeypatch):
    put(tmp_path, "x")
    monkeypatch.setenv("MINIGRAD_DATA", str(tmp_path))
    assert find(["x"]) == [tmp_path / "x"]


def test_find_prefers_the_path_to_the_environment_variable(tmp_path, monkeypatch):
    put(tmp_path, "environment/x", "path/x")
    monkeypatch.setenv("MINIGRAD_DATA", str(tmp_path / "environment"))
    assert find(["x"], tmp_path / "path") == [tmp_path / "path" / "x"]


def test_find_searches_the_folder_of_downloads_if_no_other_is_named(tmp_path):
    put(tmp_path, "cache/minigrad/data/x")
    assert find(["x"]) == [tmp_path / "cache" / "minigrad" / "data" / "x"]


def test_find_counts_only_the_wanted_files(tmp_path):
    put(tmp_path, "x", "a/x", "a/b/x", "c/b/x")
    seen = []

    def wanted(folders):
        seen.append(folders)
        return folders[1:] == ("c", "b")

    assert find("x", tmp_path, wanted) == [tmp_path / "c" / "b" / "x"]
    top = tmp_path.name
    assert seen == [(top,), (top, "a"), (top, "a", "b"), (top, "c", "b")]


def test_find_names_the_folders_of_unwanted_files(tmp_path):
    put(tmp_path, "a/x", "b/y")
    with pytest.raises(FileNotFoundError) as raised:
        find(["x", "y", "z"], tmp_path, lambda folders: "b" in folders)
    assert f"x, z (or the same with .gz) not found in {tmp_path} or below. By " in str(raised.value)
    assert f"By their names, {tmp_path / 'a'} belong to other data. Put" in str(raised.value)


def test_find_names_every_missing_file_the_folder_and_the_cure(tmp_path):
    put(tmp_path, "here")
    with pytest.raises(FileNotFoundError) as raised:
        find(["one", "here", ("two", "zwei")], tmp_path)
    message = str(raised.value)
    assert message.startswith(f"one, two (or the same with .gz) not found in {tmp_path} or below. ")
    assert "MINIGRAD_DATA" in message and "path=" in message


@pytest.mark.parametrize("value", [None, ""])
def test_find_without_a_folder_says_how_to_give_one(monkeypatch, value):
    if value is not None:
        monkeypatch.setenv("MINIGRAD_DATA", value)
    with pytest.raises(FileNotFoundError, match=r"no data folder: set .* MINIGRAD_DATA .* path="):
        find(["x"])


def test_find_says_which_setting_names_no_folder(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match=r"^path must be an existing folder.*nowhere$"):
        find(["x"], tmp_path / "nowhere")
    monkeypatch.setenv("MINIGRAD_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError, match=r"^MINIGRAD_DATA must be .*nowhere$"):
        find(["x"])


def test_downloads_go_where_data_are_searched(tmp_path, monkeypatch):
    assert download_folder() == tmp_path / "cache" / "minigrad" / "data"
    monkeypatch.setenv("MINIGRAD_DATA", str(tmp_path / "sets"))
    assert download_folder() == tmp_path / "sets"
    assert download_folder(tmp_path / "other") == tmp_path / "other"


@pytest.mark.skipif(os.name != "posix", reason="a standard of Linux")
@pytest.mark.parametrize("value", [None, "", "relative/folder"])
def test_the_cache_is_in_the_home_folder_unless_an_absolute_one_is_named(
    tmp_path, monkeypatch, value
):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME")
    if value is not None:
        monkeypatch.setenv("XDG_CACHE_HOME", value)
    assert download_folder() == tmp_path / ".cache" / "minigrad" / "data"


# --- IDX files ------------------------------------------------------------------------------------


def idx(code, shape, data, magic=b"\0\0"):
    return magic + bytes([code, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + data


def write(tmp_path, data, name="file"):
    (tmp_path / name).write_bytes(data)
    return tmp_path / name


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(
    ("code", "dtype"),
    [
        (0x08, "uint8"),
        (0x09, "int8"),
        (0x0B, "int16"),
        (0x0C, "int32"),
        (0x0D, "float32"),
        (0x0E, "float64"),
    ],
)
def test_read_idx_reads_every_dtype_into_native_byte_order(tmp_path, code, dtype, zipped):
    expected = np.arange(-3, 9).reshape(2, 3, 2).astype(dtype) * 7
    data = idx(code, (2, 3, 2), expected.astype(expected.dtype.newbyteorder(">")).tobytes())
    array = read_idx(write(tmp_path, gzip.compress(data) if zipped else data))
    assert array.dtype == np.dtype(dtype) and array.dtype.isnative
    assert np.array_equal(array, expected)
    assert array.flags.writeable


def test_read_idx_looks_at_the_content_not_the_name(tmp_path):
    data = idx(8, (3,), b"abc")
    assert bytes(read_idx(write(tmp_path, data, "plain.gz"))) == b"abc"
    assert bytes(read_idx(write(tmp_path, gzip.compress(data), "zipped"))) == b"abc"


@pytest.mark.parametrize("shape", [(0,), (0, 28, 28), ()])
def test_read_idx_reads_empty_arrays_and_single_values(tmp_path, shape):
    data = idx(8, shape, b"7" if shape == () else b"")
    assert read_idx(write(tmp_path, data)).shape == shape


GOOD = idx(8, (2, 3), b"abcdef")
ZIPPED = gzip.compress(GOOD, mtime=0)
BAD_FILES = {
    "empty": (b"", "should begin with two zero bytes"),
    "three bytes": (b"\0\0\x08", "should begin with two zero bytes"),
    "a picture": (b"\x89PNG\r\n", r"should begin with two zero bytes.*PNG"),
    "bad magic": (idx(8, (6,), b"abcdef", b"\0\1"), "should begin with two zero bytes"),
    "bad dtype": (idx(0x0A, (6,), b"abcdef"), r"dtype should be one of 0x08.*Received: 0x0a"),
    "cut in the header": (GOOD[:9], "8 bytes of axis lengths expected. Received: 5"),
    "cut at the end": (GOOD[:-1], "needs 6 bytes. Received: 5"),
    "no values": (GOOD[:12], "needs 6 bytes. Received: 0"),
    "half of the doubles": (idx(0x0E, (2,), bytes(8)), "needs 16 bytes. Received: 8"),
    "a byte too many": (GOOD + b"!", "needs 6 bytes. Received: more"),
    "huge": (idx(8, (2**32 - 1,) * 4, b"a"), f"needs {(2**32 - 1) ** 4} bytes. Received: 1"),
    "huge and empty": (idx(8, (0, 2**32 - 1, 2**32 - 1), b""), "too big"),
    "200 axes": (idx(8, (1,) * 200, b"a"), "dimension"),
    "cut, then zipped": (gzip.compress(GOOD[:-1]), "needs 6 bytes. Received: 5"),
    "too long, then zipped": (gzip.compress(GOOD + b"!"), "needs 6 bytes. Received: more"),
    "zipped, then cut": (ZIPPED[:-9], "file: Compressed file ended before"),
    "cut in the checksum": (ZIPPED[:-5], "file: Compressed file ended before"),
    "cut in the zip header": (ZIPPED[:5], "file: "),
    "false checksum": (ZIPPED[:-8] + bytes(4) + ZIPPED[-4:], "CRC check failed"),
    "damaged zip": (ZIPPED[:11] + b"\xff" * 3 + ZIPPED[14:], "file: Error -3"),
    "rubbish after the zip": (ZIPPED + b"rubbish", "Not a gzipped file"),
    "zipped text": (gzip.compress(b"no idx at all"), "should begin with two zero bytes"),
}


@pytest.mark.parametrize(("data", "complaint"), BAD_FILES.values(), ids=BAD_FILES)
def test_read_idx_names_a_bad_file_and_what_came(tmp_path, data, complaint):
    file = write(tmp_path, data, "bad-file")
    with pytest.raises(ValueError, match=f"bad-file is not an intact .*IDX .*{complaint}"):
        read_idx(file)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(idx(8, (2**31, 4), b"few"), id="false header"),
        pytest.param(gzip.compress(idx(8, (2**31, 4), b"few")), id="false header, gzipped"),
        pytest.param(gzip.compress(idx(8, (6,), bytes(2**26)), 9), id="gzip bomb"),
    ],
)
def test_read_idx_takes_no_memory_for_what_is_not_there(tmp_path, data):
    file = write(tmp_path, data)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="Received"):
            read_idx(file)
        assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
    finally:
        tracemalloc.stop()


def test_read_idx_of_a_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        read_idx(tmp_path / "nowhere")


# --- MNIST ----------------------------------------------------------------------------------------


def write_mnist(folder, dot=False, zipped=False, train=5, test=2):
    for part, n in (("train", train), ("t10k", test)):
        images = idx(8, (n, 28, 28), bytes(range(n)) * 784)
        labels = idx(8, (n,), bytes(range(n)))
        files = {f"{part}-images-idx3-ubyte": images, f"{part}-labels-idx1-ubyte": labels}
        for name, data in files.items():
            name = name.replace("-idx", ".idx") if dot else name
            write(folder, gzip.compress(data) if zipped else data, name + ".gz" * zipped)


@pytest.mark.parametrize("dot", [False, True])
@pytest.mark.parametrize("zipped", [False, True])
def test_mnist_reads_four_files_in_either_spelling(tmp_path, dot, zipped):
    write_mnist(tmp_path, dot, zipped)
    (x_train, y_train), (x_test, y_test) = mnist.load_data(tmp_path)
    assert x_train.shape == (5, 28, 28) and x_test.shape == (2, 28, 28)
    assert x_train.dtype == y_train.dtype == x_test.dtype == y_test.dtype == np.uint8
    assert y_train.tolist() == [0, 1, 2, 3, 4] and y_test.tolist() == [0, 1]


def test_mnist_names_the_missing_files(tmp_path):
    write_mnist(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte").unlink()
    (tmp_path / "t10k-images-idx3-ubyte").unlink()
    with pytest.raises(FileNotFoundError) as raised:
        mnist.load_data(tmp_path)
    assert "train-labels-idx1-ubyte, t10k-images-idx3-ubyte (" in str(raised.value)
    assert "train-images" not in str(raised.value)


def test_mnist_refuses_images_and_labels_of_different_number(tmp_path):
    write_mnist(tmp_path)
    write(tmp_path, idx(8, (3,), b"abc"), "train-labels-idx1-ubyte")
    with pytest.raises(ValueError, match=r"train-images\S* has 5 images, but \S*labels\S* has 3"):
        mnist.load_data(tmp_path)


def test_mnist_refuses_a_set_without_images(tmp_path):
    write_mnist(tmp_path, test=0)
    with pytest.raises(ValueError, match=r"t10k-images\S* holds no images"):
        mnist.load_data(tmp_path)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("t10k-images-idx3-ubyte", idx(8, (2,), b"ab")),  # labels under the name of images
        ("t10k-labels-idx1-ubyte", idx(8, (2, 1), b"ab")),
        ("t10k-labels-idx1-ubyte", idx(0x0B, (2,), b"abcd")),
    ],
)
def test_mnist_refuses_files_that_hold_something_else(tmp_path, name, data):
    write_mnist(tmp_path)
    write(tmp_path, data, name)
    with pytest.raises(ValueError, match=rf"{name} must hold uint8 in . axes. Received: "):
        mnist.load_data(tmp_path)


@pytest.mark.data
def test_the_real_mnist_test_files_are_read():
    if not os.environ.get("MINIGRAD_DATA"):
        pytest.skip("MINIGRAD_DATA is not set: it should name a folder with MNIST's t10k files")
    images, labels = map(read_idx, find(mnist.FILES[2:], wanted=lambda at: set_of(at) == "mnist"))
    assert images.shape == (10_000, 28, 28) and labels.shape == (10_000,)
    assert np.bincount(labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert images.max() == 255 and 33 < images.mean() < 34


# --- stratified_split -----------------------------------------------------------------------------


def test_a_split_holds_every_example_once():
    train, test = stratified_split(np.arange(60) % 3, 0.3, seed=1)
    assert sorted([*train, *test]) == list(range(60))


@pytest.mark.parametrize("fraction", [0.1, 0.2, 0.25, 1 / 3, 0.5, 0.9])
@pytest.mark.parametrize("counts", [(10, 10), (17, 23, 31), (11, 100, 1000), (12,) * 10])
def test_a_split_divides_every_class_in_the_same_fraction(counts, fraction):
    labels = np.repeat(np.arange(len(counts)), counts)
    train, test = stratified_split(labels, fraction, seed=0)
    held_out = np.bincount(labels[test], minlength=len(counts))
    assert len(test) == round(len(labels) * fraction)
    assert np.all(np.abs(held_out - np.array(counts) * fraction) < 1)


def test_a_split_gives_the_examples_left_over_to_the_largest_remainders():
    labels = np.repeat([0, 1, 2], [12, 14, 13])  # 2.4, 2.8 and 2.6 to hold out: 8 together
    _, test = stratified_split(labels, 0.2, seed=0)
    assert np.bincount(labels[test]).tolist() == [2, 3, 3]


def test_a_split_is_shuffled_on_both_sides():
    labels = np.repeat(np.arange(4), 50)
    for indices in stratified_split(labels, 0.5, seed=0):
        assert not np.array_equal(indices, np.sort(indices))
        assert np.count_nonzero(np.diff(labels[indices])) > 50  # the classes are mixed


def test_a_split_depends_on_the_seed_alone():
    labels = np.arange(100) % 5
    minigrad.random.seed(1)
    first = stratified_split(labels, 0.2, seed=3)
    minigrad.random.seed(2)
    np.random.seed(2)
    again = stratified_split(labels, 0.2, seed=3)
    other = stratified_split(labels, 0.2, seed=4)
    assert all(map(np.array_equal, first, again))
    assert set(first[1]) != set(other[1])


def test_a_split_takes_labels_of_any_kind():
    train, test = stratified_split(["cat", "dog"] * 10, 0.2, seed=0)
    assert sorted(i % 2 for i in test) == [0, 0, 1, 1]


@pytest.mark.parametrize(
    "fraction",
    [0, 1, 0.0, 1.0, -0.2, 1.5, 20, float("nan"), float("inf"), "0.2", None, True],
)
def test_a_bad_test_fraction_is_refused_and_named(fraction):
    with pytest.raises(
        ValueError, match="test_fraction must be between 0 and 1. Received: test_fr"
    ):
        stratified_split([0, 1] * 10, fraction, seed=0)


@pytest.mark.parametrize("labels", [[], [[0, 1], [1, 0]], 3])
def test_labels_of_a_wrong_shape_are_refused(labels):
    with pytest.raises(ValueError, match=r"labels must be of shape \(n,\).* Received: shape \("):
        stratified_split(labels, 0.5, seed=0)


@pytest.mark.parametrize(
    ("labels", "fraction", "complaint"),
    [
        ([0] * 20 + [7], 0.2, "class 7 has too few examples to be divided: 0 of its 1"),
        ([7] + [8] * 20, 0.9, "class 7 has too few examples to be divided: 1 of its 1"),
        ([0, 1, 2] * 5, 0.1, "class 2 has too few examples to be divided: 0 of its 5"),
    ],
)
def test_a_class_that_one_side_would_lack_is_named(labels, fraction, complaint):
    with pytest.raises(ValueError, match=complaint):
        stratified_split(labels, fraction, seed=0)


# --- digits ---------------------------------------------------------------------------------------


def test_digits_have_the_promised_shapes_dtypes_and_range():
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    assert x_train.shape == (1438, 64) and x_test.shape == (359, 64)
    assert y_train.shape == (1438,) and y_test.shape == (359,)
    assert x_train.dtype == x_test.dtype == np.float32
    assert y_train.dtype == y_test.dtype == np.int64
    x = np.concatenate([x_train, x_test])
    assert x.min() == 0 and x.max() == 1 and len(np.unique(x)) == 17


def test_digits_are_those_of_uci():
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    x, y = np.concatenate([x_train, x_test]), np.concatenate([y_train, y_test])
    assert np.bincount(y).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert x.sum() * 16 == 561718  # all pixels of optdigits.tes
    first = (
        "0 0 5 13 9 1 0 0 0 0 13 15 10 15 5 0 0 3 15 2 0 11 8 0 0 4 12 0 0 8 8 0 "
        "0 5 8 0 0 9 8 0 0 4 11 0 1 12 7 0 0 2 14 5 10 12 0 0 0 0 6 13 10 0 0 0"
    )
    found = np.flatnonzero((x * 16 == np.array(first.split(), float)).all(axis=1))
    assert len(found) == 1 and y[found[0]] == 0


def test_digits_are_split_by_class():
    _, (_, y_test) = digits.load_data(test_fraction=0.2)
    counts = np.array([178, 182, 177, 183, 181, 182, 181, 179, 174, 180])
    assert np.all(np.abs(np.bincount(y_test) - counts / 5) < 1)


def test_digits_depend_on_their_seed_alone():
    minigrad.random.seed(1)
    first = digits.load_data(seed=5)
    minigrad.random.seed(2)
    again, other = digits.load_data(seed=5), digits.load_data(seed=6)
    assert np.array_equal(first[0][0], again[0][0]) and np.array_equal(first[1][1], again[1][1])
    assert not np.array_equal(first[1][0], other[1][0])


def test_digits_may_be_changed_without_changing_the_next_ones():
    (x_train, y_train), _ = digits.load_data()
    expected = x_train.copy()
    x_train[:] = y_train[:] = 0
    assert np.array_equal(digits.load_data()[0][0], expected)


def test_digits_refuse_a_bad_test_fraction():
    with pytest.raises(ValueError, match="Received: test_fraction=2"):
        digits.load_data(test_fraction=2)


def test_digits_take_little_space():
    assert (Path(digits.__file__).parent / "digits.npz").stat().st_size < 50_000


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (lambda: [Table({"a": [1, 2]})], r"array 0 is not .* its .matrix\(\) is one"),
        (lambda: [np.ones(2), [[1], [1, 2]]], "array 1 is not a rectangular array"),
        (lambda: [5], "one row per example"),
    ],
)
def test_what_cannot_be_batched_is_named(arrays, message):
    with pytest.raises(ValueError, match=message):
        Batches(*arrays())


def test_lists_are_batched_as_arrays():
    batches = Batches([[1, 2], [3, 4], [5, 6]], [0, 1, 0], batch_size=2, shuffle=True)
    assert sorted(y for _, labels in batches for y in labels.tolist()) == [0, 0, 1]
    assert batches.describe()["arrays"] == "int64 (3, 2), int64 (3,)"
