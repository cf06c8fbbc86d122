"""Files of weights, and folders of them, that are broken or mean harm: see tests.hostile_files."""

import json
import os
import pickle
import struct

import numpy as np

from minigrad import checkpoint
from minigrad.finetune.folder import PretrainedFolder
from minigrad.weight_file import DTYPES, parts_of_file

ARRAYS = {
    "a": np.arange(6, dtype="f4").reshape(2, 3),
    "b": np.arange(4, dtype="i8"),
    "c": np.ones(5, "u1"),
}
GOOD = b"".join(bytes(part) for part in parts_of_file(ARRAYS, {"format": "pt"}))


def with_header(header, data=b"", length=None):
    """A file with this header: data for JSON, a text, or bytes; its length may lie."""
    text = header if isinstance(header, (str, bytes)) else json.dumps(header)
    text = text.encode() if isinstance(text, str) else text
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def entry(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def one(size=8, **changes):
    """A file with one array, "a": two numbers in eight bytes, but for the changes."""
    return with_header({"a": entry(**changes)}, bytes(size))


def two(first, second, size=16):
    """A file with two arrays of two numbers each, at these places."""
    return with_header({"a": entry(offsets=first), "b": entry(offsets=second)}, bytes(size))


N = len(GOOD)
HEADER = int.from_bytes(GOOD[:8], "little")
LONG = "x" * 4_000_000
WIDTHS = {name: np.dtype(name).itemsize for name in DTYPES}
WORDS = {"bool": "BOOL", **{name: f"{name[0].upper()}{8 * WIDTHS[name]}" for name in DTYPES[1:]}}
WORDS["bfloat16"], WIDTHS["bfloat16"] = "BF16", 2
NUMBERS = [None, "8", 1.5, True, -8, [], {}, 2**64]

FILES = {
    **{f"cut at {i} of 60": GOOD[: N * i // 60] for i in range(60)},
    **{
        f"says its header has {length} bytes": struct.pack("<Q", length) + GOOD[8:]
        for length in [
            0,
            1,
            2,
            HEADER - 8,
            HEADER + 1,
            N,
            2**31,
            2**32,
            10**8 + 1,
            2**63,
            2**64 - 1,
        ]
    },
    **{
        f"{dtype} too short": one(
            dtype=WORDS[dtype], shape=[2], size=2 * width - 1, offsets=[0, 2 * width - 1]
        )
        for dtype, width in WIDTHS.items()
    },
    **{
        f"{dtype} too long": one(
            dtype=WORDS[dtype], shape=[2], size=2 * width + 1, offsets=[0, 2 * width + 1]
        )
        for dtype, width in WIDTHS.items()
    },
    **{
        f"dtype {dtype!r}": one(dtype=dtype)
        for dtype in [
            "f32",
            "F128",
            "",
            "F8_E4M3",
            "F4",
            "C64",
            "O",
            "float32",
            "|S8",
            None,
            4,
            ["F32"],
            {"F32": 1},
            LONG,
        ]
    },
    **{
        f"shape {shape!r}": one(shape=shape)
        for shape in [
            None,
            2,
            "2",
            [2.0],
            ["2"],
            [True, 2],
            [-1, -2],
            [None],
            [[2]],
            {"0": 2},
            [2, 3],
            [],
            [0],
            [3],
        ]
    },
    **{
        f"shape {name}": one(shape=shape)
        for name, shape in {
            "2**40 squared": [2**40, 2**40],
            "2**63": [2**63],
            "that is 2 in 64 bits": [2**63 + 1, 2],
            "0 of 2**200": [0, 2**200],
            "of 65 axes": [2, *[1] * 64],
            "of 100,000 axes": [2, *[1] * 100_000],
            "of 100,000 large axes": [10**300] * 10_000,
        }.items()
    },
    **{f"start {start!r}": one(offsets=[start, 8]) for start in NUMBERS},
    **{f"end {end!r}": one(offsets=[0, end]) for end in NUMBERS[:-1] + [2**64 + 8]},
    **{
        f"offsets {offsets!r}": one(offsets=offsets)
        for offsets in [None, 8, "0,8", [], [8], [0, 8, 8], [8, 0], [0, 4], {"0": 8}]
    },
    "hole at the start": one(offsets=[8, 16], size=16),
    "hole at the end": one(size=9),
    "hole between": two([0, 8], [12, 20], 20),
    "overlap": two([0, 8], [4, 12], 12),
    "all on one place": two([0, 8], [0, 8], 8),
    "beyond the end": two([0, 8], [8, 16], 12),
    "empty array in the middle of another": with_header(
        {"a": entry(), "b": entry(shape=[0], offsets=[4, 4])}, bytes(8)
    ),
    **{
        f"array that is {thing!r}": with_header({"a": thing}, bytes(8))
        for thing in [None, 1, "F32", [], [1], {}]
    },
    **{
        f"array without {key}": with_header(
            {"a": {k: x for k, x in entry().items() if k != key}}, bytes(8)
        )
        for key in entry()
    },
    "array with something else": with_header({"a": {**entry(), "requires_grad": True}}, bytes(8)),
    **{
        f"metadata {thing!r}": with_header({"__metadata__": thing, "a": entry()}, bytes(8))
        for thing in [None, [], "pt", 1, {"a": 1}, {"a": None}, {"a": {"b": "c"}}]
    },
    **{
        f"JSON {text}": with_header(text, bytes(8))
        for text in [
            "{",
            "{]",
            "{}}",
            "{,}",
            "{'a': 1}",
            '{"a"}',
            '{"a": }',
            '{"a": 1,}',
            '{"a": NaN}',
            '{"a": /* */ 1}',
            '{"a": 1} {}',
            "{\t\0}",
            '{"a\n": 1}',
            '{"\\x": 1}',
            '{"\\u12": 1}',
            "[]",
            '"a"',
            "1",
            "null",
            "\ufeff{}",
            "",
        ]
    },
    "name twice": with_header('{"a": 1, "a": 2}'),
    "array twice": with_header(
        f'{{"a": {json.dumps(entry())}, "a": {json.dumps(entry())}}}', bytes(8)
    ),
    "array twice, once escaped": with_header(
        f'{{"a": {json.dumps(entry())}, "\\u0061": {json.dumps(entry())}}}', bytes(8)
    ),
    "shape twice": with_header(
        '{"a": {"dtype": "F32", "shape": [1], "shape": [2], "data_offsets": [0, 8]}}', bytes(8)
    ),
    "metadata twice": with_header('{"__metadata__": {}, "__metadata__": {}}'),
    "text of metadata twice": with_header('{"__metadata__": {"a": "b", "a": "c"}}'),
    "header in Latin-1": with_header('{"ä": 1}'.encode("latin-1")),
    "header in UTF-16": with_header('{"a": 1}'.encode("utf-16-le")),
    "header cut inside a letter": with_header('{"ä'.encode()[:-1]),
    **{
        f"nested {n} deep in {kind}": with_header(f'{{"a": {kind * n}')
        for n in [1_000, 100_000]
        for kind in ["[", '{"a":']
    },
    **{
        f"nested {n} deep and closed": with_header(f'{{"a": {"[" * n}{"]" * n}}}')
        for n in [10_000, 200_000]
    },
    "number of 100,000 digits": one(shape=[1]).replace(b"[1]", b"[" + b"9" * 100_000 + b"]"),
    "number with an exponent of 9 digits": with_header('{"a": 1e999999999}'),
    "header of 5 MB of lists": with_header('{"a": [' + ",".join(["[]"] * 1_600_000) + "]}"),
    "header of 5 MB of numbers": with_header('{"a": [' + ",".join(["999"] * 1_200_000) + "]}"),
    "header of 5 MB of objects": with_header('{"a": [' + ",".join(["{}"] * 1_600_000) + "]}"),
    "header of 5 MB of spaces": with_header("{" + " " * 5_000_000 + "}"),
    "header of 290,000 parts": with_header('{"a": [' + ",".join(["[1]"] * 145_000) + "]}"),
    "header of 145,000 arrays of nothing": with_header(
        "{" + ",".join(f'"{i}":{{}}' for i in range(145_000)) + "}"
    ),
    "30,000 arrays on one place": with_header({str(i): entry() for i in range(30_000)}, bytes(8)),
    "header of one name of 4 MB": with_header({LONG: 1}),
    "header of one name of 4 MB in wide letters": with_header('{"' + "\U0001f642" + LONG + '": 1}'),
    "boolean that is 7": with_header({"a": entry("BOOL", [2], [0, 2])}, b"\1\7"),
    "empty": b"",
    "zeros": bytes(1000),
    "ones": b"\xff" * 1000,
    "pickle": pickle.dumps({"a": 1}),
    "zip": b"PK\3\4" + bytes(100),
    "HDF5": b"\x89HDF\r\n\x1a\n" + bytes(100),
    "gzip": b"\x1f\x8b\x08" + bytes(100),
    "GGUF": b"GGUF" + bytes(100),
    "Git LFS": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 90868376\n",
    "web page": b"<!DOCTYPE html><title>404</title>",
}


# ---- Folders -------------------------------------------------------------------------------------

MODEL, INDEX, SHARD = (
    "model.safetensors",
    "model.safetensors.index.json",
    "model-1-of-1.safetensors",
)


def write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(data) if isinstance(data, (dict, list)) else data
    path.write_bytes(text.encode() if isinstance(text, str) else text)


def outside(folder):
    """A good file beside the folder, which nobody may read."""
    write(folder.parent / "outside.safetensors", GOOD)
    return folder.parent / "outside.safetensors"


def index(shard=SHARD, names=tuple(ARRAYS), **others):
    """An index that says all is in one shard, which is there and good."""

    def make(folder):
        outside(folder)
        write(folder / SHARD, GOOD)
        write(folder / INDEX, {"weight_map": dict.fromkeys(names, shard), **others})

    return make


def text(name, data):
    return lambda folder: write(folder / name, data)


def large(name, start):
    """A file of 200 MB that begins with these bytes; zeros follow, which no disk need hold."""

    def make(folder):
        write(folder / name, start)
        os.truncate(folder / name, 200_000_000)

    return make


def link(target, name=MODEL):
    """A link of this name; the target is a path, from the folder, or a function of the folder."""

    def make(folder):
        outside(folder)
        os.symlink(target(folder) if callable(target) else target, folder / name)

    return make


def shard_is(make_file):
    """A good index, whose shard is what a function of its path makes."""

    def make(folder):
        index()(folder)
        (folder / SHARD).unlink()
        make_file(folder / SHARD)

    return make


def chain(folder):
    os.symlink(outside(folder), folder / "second")
    os.symlink("second", folder / MODEL)


def folder_link(folder):
    outside(folder)
    os.symlink("..", folder / "inner")
    write(folder / INDEX, {"weight_map": dict.fromkeys(ARRAYS, "inner/outside.safetensors")})


def two_shards(first, second, weight_map):
    def make(folder):
        for shard, names in {"1": first, "2": second}.items():
            arrays = {name: ARRAYS[name] for name in names}
            write(folder / shard, b"".join(bytes(part) for part in parts_of_file(arrays, {})))
        write(folder / INDEX, {"weight_map": weight_map})

    return make


def many_shards(folder):
    for i in range(2_000):
        write(folder / str(i), GOOD)
    write(folder / INDEX, {"weight_map": {str(i): str(i) for i in range(2_000)}})


FOLDERS = {
    **{
        f"shard {name[:40]!r}": index(name)
        for name in [
            *("../outside.safetensors", "./../outside.safetensors", "a/../../outside.safetensors"),
            *(
                "/etc/passwd",
                "/dev/zero",
                "/dev/stdin",
                "/proc/self/mem",
                "~/.bashrc",
                "..",
                ".",
                "",
                "/",
            ),
            *("..\\outside.safetensors", "C:\\outside", "model-2-of-1.safetensors", SHARD + "\0"),
            *(
                "\0",
                "\ud800",
                "x" * 100_000,
                "a/" * 100_000,
                INDEX,
                "file:///etc/passwd",
                "$HOME",
                "*",
            ),
            f"{SHARD}/..",
        ]
    },
    "shard that is outside, by its whole path": lambda folder: index(str(outside(folder)))(folder),
    **{
        f"index that says {data!r}": text(INDEX, data)
        for data in [
            *("", "{", "[]", "null", "1", "{}", '{"weight_map": null}', '{"weight_map": []}'),
            *('{"weight_map": {}}', '{"weight_map": {"a": 1}}', '{"weight_map": {"a": null}}'),
            *('{"weight_map": {"a": ["b"]}}', '{"weight_map": {"a": "b", "a": "c"}}', b"\xff\xfe"),
            *(b'{"weight_map": {"\xff": "a"}}', b'{"weight_map": {"a": "\xed\xa0\x80"}}'),
        ]
    },
    "index nested deeply": text(INDEX, "[" * 100_000),
    "index nested deeply in its map": text(INDEX, '{"weight_map": ' + '{"a":' * 100_000),
    "index of 200 MB": large(INDEX, b"{"),
    "header of 150 MB": large(MODEL, with_header("{", length=150_000_000)),
    "index of a million lists": text(INDEX, '{"a": [' + ",".join(["[]"] * 1_000_000) + "]}"),
    "index of 100,000 names of one shard": index(names=[str(i) for i in range(100_000)]),
    "index that forgets an array": index(names=["a", "b"]),
    "index with an array too many": index(names=["a", "b", "c", "d"]),
    "index with none of the arrays": index(names=["x"]),
    "index of 2,000 shards": many_shards,
    "index of 100,000 shards that are not there": text(
        INDEX, {"weight_map": {str(i): str(i) for i in range(100_000)}}
    ),
    "array in both shards": two_shards("ab", "bc", {"a": "1", "b": "1", "c": "2"}),
    "array in the other shard": two_shards("a", "bc", {"a": "1", "b": "1", "c": "2"}),
    "second shard is not there": two_shards("ab", "c", {"a": "1", "b": "1", "c": "3"}),
    "shard that is a pipe": shard_is(os.mkfifo),
    "shard that is a folder": shard_is(os.mkdir),
    "shard that is a pickle": shard_is(lambda path: path.write_bytes(pickle.dumps({}))),
    "shard that is a link out": shard_is(lambda path: path.symlink_to("../outside.safetensors")),
    "shard that is a link to itself": shard_is(lambda path: path.symlink_to(path.name)),
    "shard that is cut": shard_is(lambda path: path.write_bytes(GOOD[:-1])),
    "shard in a folder that is a link out": folder_link,
    **{
        f"model that is a link to {target}": link(target)
        for target in [
            *(
                "../outside.safetensors",
                "/etc/passwd",
                "/dev/zero",
                "/dev/stdin",
                "/proc/self/environ",
            ),
            *("nowhere", MODEL, "..", ".", "/"),
        ]
    },
    "model that is a link out, by its whole path": link(lambda folder: outside(folder)),
    "model that is a link to a link out": chain,
    "model that is a pipe": lambda folder: os.mkfifo(folder / MODEL),
    "model that is a folder": lambda folder: (folder / MODEL).mkdir(),
    "nothing": lambda folder: None,
    **{
        f"{name} alone": text(name, pickle.dumps({}))
        for name in [
            *("pytorch_model.bin", "model.pt", "weights.pth", "last.ckpt"),
            *("pytorch_model-00001-of-00002.bin", "'; touch evil; '.bin"),
        ]
    },
}


# In a cache of Hugging Face: models--x/blobs and models--x/snapshots/1, the folder that is read.
def snapshot(target, make_blobs=lambda blobs, folder: blobs.mkdir()):
    def make(folder):
        outside(folder)
        make_blobs(folder.parents[1] / "blobs", folder)
        write(folder.parents[2] / "models--y" / "blobs" / "good", GOOD)
        os.symlink(target, folder / MODEL)

    return make


def blobs_that_are_a_link(blobs, folder):
    elsewhere = blobs.parents[1] / "elsewhere"
    write(elsewhere / "good", GOOD)
    os.symlink(elsewhere, blobs)


def blob_that_is_a_link(blobs, folder):
    blobs.mkdir()
    os.symlink(outside(folder), blobs / "good")


def blob_in_a_folder(blobs, folder):
    write(blobs / "inner" / "good", GOOD)


def bad_blob(blobs, folder):
    write(blobs / "good", GOOD[:-1])


SNAPSHOTS = {
    "link past blobs": snapshot("../../blobs/../snapshots/outside.safetensors"),
    "link into the blobs of another": snapshot("../../../models--y/blobs/good"),
    "link to a blob that is not there": snapshot("../../blobs/good"),
    "link to all blobs": snapshot("../../blobs"),
    "blobs that are a link": snapshot("../../blobs/good", blobs_that_are_a_link),
    "blob that is a link": snapshot("../../blobs/good", blob_that_is_a_link),
    "blob in a folder": snapshot("../../blobs/inner/good", blob_in_a_folder),
    "blob that is cut": snapshot("../../blobs/good", bad_blob),
}

# ---- Text, and our own configuration -------------------------------------------------------------

TEXTS = {
    "Latin-1": "größe".encode("latin-1"),
    "UTF-16": "text".encode("utf-16"),
    "half a letter": "ß".encode()[:1],
    "surrogate": b"\xed\xa0\x80",
    "not the shortest form": b"\xc0\xaf",
}
CONFIGURATIONS = {
    "no JSON": "{",
    "deep": "[" * 100_000,
    "no object": "[]",
    "name twice": '{"version": 1, "configuration": {"a": 1, "a": 2}}',
    "many lists": '{"version": 1, "configuration": [' + ",".join(["[]"] * 1_000_000) + "]}",
    "another version": '{"version": 99, "configuration": {}}',
}


def read_weights(folder):
    for array in PretrainedFolder(folder).weights().values():
        array.array(np.float32)


def cases():
    """{name: (what makes it in a folder, the part of the path below, what reads it)}"""
    found = {name: (text(MODEL, data), "model", read_weights) for name, data in FILES.items()}
    found |= {name: (make, "model", read_weights) for name, make in FOLDERS.items()}
    place = "models--x/snapshots/1"
    found |= {f"cache: {name}": (make, place, read_weights) for name, make in SNAPSHOTS.items()}
    for name, data in TEXTS.items():
        found[f"vocab.txt in {name}"] = (
            text("vocab.txt", data),
            "model",
            lambda folder: PretrainedFolder(folder).text("vocab.txt"),
        )
        found[f"config.json in {name}"] = (
            text("config.json", data),
            "model",
            lambda folder: PretrainedFolder(folder).json("config.json"),
        )
    for name, data in CONFIGURATIONS.items():
        header = {"__metadata__": {"minigrad": data}, "a": entry()}
        found[f"configuration: {name}"] = (
            text(MODEL, with_header(header, bytes(8))),
            "model",
            lambda folder: checkpoint.load(folder / MODEL),
        )
    return found
