"""Files of weights and folders of models: all of a good one is read, and nothing by a bad one."""

import ast
import json
import os
import shlex
import time

import numpy as np
import pytest
from safetensors.numpy import load_file
from safetensors.numpy import save as to_bytes

from minigrad import checkpoint
from minigrad.bounded_json import MOST_BYTES, parse_json, shorten
from minigrad.finetune.folder import PretrainedFolder
from minigrad.weight_file import DTYPES, open_weights, parts_of_file
from tests.weight_file_cases import (
    ARRAYS,
    GOOD,
    INDEX,
    MODEL,
    entry,
    index,
    two_shards,
    with_header,
    write,
)

posix = pytest.mark.skipif(os.name != "posix", reason="needs pipes, links and fork")


def assert_good(weights, names=tuple(ARRAYS)):
    assert {*weights} == {*names}
    for name in names:
        assert np.array_equal(weights[name].array(), ARRAYS[name])
        assert weights[name].array().dtype == ARRAYS[name].dtype


# ---- Files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_arrays_of_all_dtypes_are_read_as_they_were_written_elsewhere(tmp_path, dtype):
    array = np.arange(6).reshape(2, 3).astype(dtype)
    arrays = {"a": array, "scalar": array[0, 1, ...], "none": array[:0]}
    (tmp_path / "file").write_bytes(to_bytes(arrays))
    weights, _ = open_weights(tmp_path / "file")
    for name, expected in arrays.items():
        found = weights[name].array()
        assert found.dtype == dtype and found.shape == weights[name].shape == expected.shape
        assert np.array_equal(found, expected)


def test_other_programs_read_what_is_written_here(tmp_path):
    arrays = {dtype: np.arange(5).astype(dtype) for dtype in DTYPES}
    arrays |= {"0-d": np.array(3.5), "empty": np.empty((0, 3)), "größe.重み": np.ones(3).T}
    checkpoint.save(tmp_path / "file", arrays, {"units": 3})
    found = load_file(tmp_path / "file")
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype and np.array_equal(found[name], array)


def test_arrays_are_written_where_their_dtypes_may_lie(tmp_path):
    arrays = {dtype: np.ones(3, dtype) for dtype in DTYPES}
    (tmp_path / "file").write_bytes(b"".join(map(bytes, parts_of_file(arrays, {"a": "b"}))))
    weights, _ = open_weights(tmp_path / "file")
    for name, stored in weights.items():
        assert np.frombuffer(stored.data, "u1").ctypes.data % arrays[name].itemsize == 0


BF16 = {  # the bits of a bfloat16, and its number
    0x3F80: 1.0,
    0xC048: -3.125,
    0x0001: 2.0**-133,
    0x7F7F: 3.3895313892515355e38,
    0x7F80: np.inf,
    0x8000: -0.0,
}


def test_bf16_becomes_float32_and_keeps_every_bit(tmp_path):
    bits = np.array([*BF16], "<u2")
    header = {"a": entry("BF16", [len(bits)], [0, bits.nbytes])}
    (tmp_path / "file").write_bytes(with_header(header, bits.tobytes()))
    stored = open_weights(tmp_path / "file")[0]["a"]
    assert stored.dtype == "BF16" and stored.array().dtype == np.float32
    assert stored.array().tobytes() == np.array([*BF16.values()], "f4").tobytes()
    assert checkpoint.load(tmp_path / "file")[0]["a"].dtype == np.float32


def test_numbers_become_another_dtype_if_asked_for(tmp_path):
    (tmp_path / "file").write_bytes(to_bytes({"a": np.array([1.5, -2], np.float16)}))
    stored = open_weights(tmp_path / "file")[0]["a"]
    assert stored.array().dtype == np.float16
    for dtype in (np.float32, np.float64):
        assert stored.array(dtype).dtype == dtype and stored.array(dtype).tolist() == [1.5, -2]


def test_what_lies_askew_in_a_file_is_read_where_it_may_lie(tmp_path):
    header = {"a": entry("U8", [1], [0, 1]), "b": entry("F64", [2], [1, 17])}
    data = b"\7" + np.array([1.5, 2.5]).tobytes()
    (tmp_path / "file").write_bytes(with_header(header, data))
    found = open_weights(tmp_path / "file")[0]["b"].array()
    assert found.flags.aligned and found.tolist() == [1.5, 2.5]


def test_an_array_may_be_changed_and_the_file_is_not(tmp_path):
    (tmp_path / "file").write_bytes(GOOD)
    found = open_weights(tmp_path / "file")[0]["a"].array()
    found += 1
    assert np.array_equal(found, ARRAYS["a"] + 1)
    assert (tmp_path / "file").read_bytes() == GOOD


def test_of_a_large_file_only_what_is_asked_for_is_read(tmp_path):
    n, size = 1000, 2**20
    header = {str(i): entry("F32", [size // 4], [i * size, (i + 1) * size]) for i in range(n)}
    (tmp_path / "file").write_bytes(with_header(header))
    start_of_numbers = (tmp_path / "file").stat().st_size
    os.truncate(tmp_path / "file", start_of_numbers + n * size)  # a gigabyte of zeros

    def look():
        start = time.process_time()
        assert open_weights(tmp_path / "file")[0]["500"].array()[7] == 0
        return time.process_time() - start

    assert min(look() for _ in range(5)) < 0.1  # to read it all takes several times as long


def test_metadata_are_read(tmp_path):
    (tmp_path / "file").write_bytes(GOOD)
    assert open_weights(tmp_path / "file")[1] == {"format": "pt"}


def test_what_would_be_too_large_to_read_is_not_written(tmp_path):
    with pytest.raises(ValueError, match="JSON of 5,.* bytes, and may have 5,000,000"):
        checkpoint.save(tmp_path / "file", {}, "x" * MOST_BYTES)
    assert not (tmp_path / "file").exists()


# ---- Folders -------------------------------------------------------------------------------------


def test_a_model_of_one_file(tmp_path):
    write(tmp_path / MODEL, GOOD)
    assert_good(PretrainedFolder(tmp_path).weights())


def test_a_model_in_shards(tmp_path):
    two_shards("ac", "b", {"a": "1", "b": "2", "c": "1"})(tmp_path)
    assert_good(PretrainedFolder(tmp_path).weights())


def test_one_file_counts_more_than_shards(tmp_path):
    write(tmp_path / MODEL, GOOD)
    write(tmp_path / INDEX, "{")
    assert_good(PretrainedFolder(tmp_path).weights())


def test_weights_of_another_name(tmp_path):
    write(tmp_path / "adapter_model.safetensors", GOOD)
    assert_good(PretrainedFolder(tmp_path).weights("adapter_model"))


def test_text_and_data(tmp_path):
    write(tmp_path / "vocab.txt", "größe\n重み\n")
    write(tmp_path / "inner" / "config.json", {"pooling": [1, 2.5, None, "ß"]})
    folder = PretrainedFolder(tmp_path)
    assert folder.has("vocab.txt") and not folder.has("merges.txt")
    assert folder.text("vocab.txt") == "größe\n重み\n"
    assert folder.json("inner/config.json") == {"pooling": [1, 2.5, None, "ß"]}


def test_a_larger_file_is_read_if_asked_for(tmp_path):
    write(tmp_path / "tokenizer.json", json.dumps(["a"] * 600_000))
    folder = PretrainedFolder(tmp_path)
    with pytest.raises(ValueError, match="600,000 parts, and may have 300,000"):
        folder.json("tokenizer.json")
    assert len(folder.json("tokenizer.json", most_parts=10**6)) == 600_000


@posix
def test_a_snapshot_of_the_cache_has_its_files_among_the_blobs(tmp_path):
    cache = tmp_path / "models--x"
    folder = cache / "snapshots" / "1"
    two_shards("ac", "b", {"a": "1", "b": "2", "c": "1"})(folder)
    (cache / "blobs").mkdir()
    for number, file in enumerate(sorted(folder.iterdir())):
        file.rename(cache / "blobs" / str(number))
        file.symlink_to(f"../../blobs/{number}")
    assert_good(PretrainedFolder(folder).weights())
    (tmp_path / "mine").symlink_to(folder)
    assert_good(PretrainedFolder(tmp_path / "mine").weights())


@posix
def test_a_link_to_another_file_of_the_folder_is_followed(tmp_path):
    write(tmp_path / "weights", GOOD)
    (tmp_path / MODEL).symlink_to("weights")
    assert_good(PretrainedFolder(tmp_path).weights())


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder .*nowhere"):
        PretrainedFolder(tmp_path / "nowhere")


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(ValueError, match="'config.json' is missing"):
        PretrainedFolder(tmp_path).json("config.json")
    with pytest.raises(ValueError, match=f"has no {MODEL}.$"):
        PretrainedFolder(tmp_path).weights()


def conversion(error):
    """The words of the line that an error gives to convert PyTorch's files."""
    line = str(error.value).splitlines()[-1]
    python, option, code, *paths = shlex.split(line)
    assert (python, option) == ("python", "-c")
    ast.parse(code)
    assert "weights_only=True" in code
    return paths


PICKLES = [
    (["pytorch_model.bin", "training_args.bin"], ["pytorch_model.bin"]),
    (["pytorch_model-2-of-2.bin", "pytorch_model-1-of-2.bin"], None),
    (["last's.ckpt"], None),
]


@pytest.mark.parametrize("names, converted", PICKLES, ids=["one", "shards", "another name"])
def test_files_of_pytorch_are_refused_with_the_line_that_converts_them(tmp_path, names, converted):
    for name in names:
        write(tmp_path / name, b"\x80\2")
    with pytest.raises(ValueError, match="a pickle: such a file can run any code") as error:
        PretrainedFolder(tmp_path).weights()
    files = [str(tmp_path / name) for name in converted or sorted(names)]
    assert conversion(error) == [str(tmp_path / MODEL), *files]


def test_a_file_of_pytorch_in_the_place_of_a_folder_is_refused_so_too(tmp_path):
    write(tmp_path / "model.pt", b"\x80\2")
    with pytest.raises(ValueError, match="a folder is needed.*a file") as error:
        PretrainedFolder(tmp_path / "model.pt")
    assert conversion(error) == [str(tmp_path / MODEL), str(tmp_path / "model.pt")]


@pytest.mark.parametrize(
    "names, complaint",
    [
        (["a", "b"], "has 'c', and model.safetensors.index.json says otherwise"),
        (["a", "b", "c", "d"], "lacks 'd', and model.safetensors.index.json says otherwise"),
    ],
)
def test_an_index_must_be_true(tmp_path, names, complaint):
    (tmp_path / "model").mkdir()
    index(names=names)(tmp_path / "model")
    with pytest.raises(ValueError, match=complaint):
        PretrainedFolder(tmp_path / "model").weights()


# ---- JSON ----------------------------------------------------------------------------------------


def test_json_is_read_as_pythons_own_module_reads_it():
    text = '{"a": [1, 2.5, true, null, "\\u00fc\\n"], "b": {"c": [[], {}]}, "": -0.0}'
    assert parse_json(text) == parse_json(text.encode()) == json.loads(text)


def test_a_long_thing_is_cut_in_a_message():
    assert shorten("abc") == "'abc'"
    assert len(shorten("x" * 10**6)) < 100
    assert len(shorten([["x" * 10**6] * 10**3] * 10**3)) < 10_000
