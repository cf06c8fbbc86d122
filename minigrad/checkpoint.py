"""Weights and configuration in one file: a table of named arrays, with no code inside.

The file is one of `weight_file`, a safetensors file. Its metadata has, under the key "minigrad",
JSON with the configuration and, for the record, the environment of the program that wrote it:
versions, backend, threads. Nothing here reads or writes a pickle.
"""

import json
import os
from pathlib import Path

import numpy as np

from .atomic import replacing
from .bounded_json import parse_json
from .environment import environment
from .weight_file import open_weights, parts_of_file

VERSION = 1  # of the metadata; goes up when an older minigrad could not understand it


def save(path, arrays, configuration=None):
    """Write {name: array} and a configuration to the file `path`: all of it, or nothing.

    configuration  data that JSON can write: dicts with text as keys, lists, text, numbers, None

    Values keep every bit; any memory layout and byte order will do. An existing file is replaced in
    one step once the new one is safely on the disk, and its permissions are kept; where `path` is a
    symbolic link, that file is the one it points to. ValueError for what cannot be saved, OSError
    where writing fails; then the old file is as it was.
    """
    metadata = {"minigrad": _to_json(configuration)}
    parts = parts_of_file(arrays, metadata)

    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        raise OSError(f"a checkpoint replaces a file, and {path} is something else")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {target.parent} to save {target.name} in")
    try:
        with replacing(target) as file:
            file.writelines(parts)
    except OSError as error:
        reason = f"{error.strerror or error}. Nothing was saved; what was there before is unchanged"
        raise OSError(error.errno, reason, str(path)) from error


def _to_json(configuration):
    try:
        content = {"version": VERSION, "configuration": configuration}
        return json.dumps({**content, "environment": environment()})
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"the configuration is not plain data for JSON: {error}") from error


def load(path):
    """({name: array}, configuration) from the file `path`.

    The configuration is None in files that minigrad did not write. ValueError for a file that is
    damaged or of another kind, FileNotFoundError where there is none.
    """
    entries, metadata = open_weights(path)
    # Copies, which stay what they are whatever becomes of the file.
    arrays = {name: np.array(entry.array()) for name, entry in entries.items()}
    return arrays, _configuration(path, metadata)


def _configuration(path, metadata):
    if "minigrad" not in metadata:
        return None
    try:
        written = parse_json(metadata["minigrad"])
        version, configuration = written["version"], written["configuration"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: its configuration is damaged: {error!r}") from error
    if version != VERSION:
        raise ValueError(
            f"{path} has a configuration of version {version}, and this minigrad reads {VERSION}. "
            "A newer minigrad may have written it: pip install --upgrade minigrad"
        )
    return configuration


def compare(expected, arrays):
    """Raise a ValueError unless `arrays` has the names, shapes and dtypes that are expected.

    expected  {name: (shape, dtype)}
    arrays    {name: array}

    The error lists everything that is missing, unexpected or mismatched. A dtype must be exactly
    the expected one, whatever its byte order: no float64 is rounded to float32 unasked.
    """
    wanted = {name: _describe(shape, dtype) for name, (shape, dtype) in expected.items()}
    came = {name: _describe(array.shape, array.dtype) for name, array in arrays.items()}
    differences = {
        "missing": [name for name in wanted if name not in came],
        "unexpected": [name for name in came if name not in wanted],
        "mismatched": [
            f"{name}: wanted {wanted[name]}, got {came[name]}"
            for name in wanted
            if name in came and wanted[name] != came[name]
        ],
    }
    if any(differences.values()):
        lines = [_enumerate(kind, names) for kind, names in differences.items() if names]
        raise ValueError("\n  ".join(["the weights do not fit the model:", *lines]))


def _describe(shape, dtype):
    return f"{tuple(shape)} {np.dtype(dtype).newbyteorder('=')}"


def _enumerate(kind, names, most=10):
    more = [f"and {len(names) - most} more"] if len(names) > most else []
    return f"{len(names)} {kind}: {'; '.join([*names[:most], *more])}"


# ---- Nested data with arrays ---------------------------------------------------------------------

_ENTRY = "entry of this file"  # the key that stands for an array


def save_tree(path, tree):
    """Write nested dicts and lists of numbers, text and NumPy arrays to one file, as `save` does.

    Keys are text. `load_tree` reads it again, every bit the same.
    """
    arrays = {}
    save(path, arrays=arrays, configuration=_without_arrays(tree, arrays, "tree"))


def check_tree(tree):
    """ValueError if `save_tree` could not write this."""
    arrays = {}
    parts_of_file(arrays, {"minigrad": _to_json(_without_arrays(tree, arrays, "tree"))})


def load_tree(path):
    """What `save_tree` wrote. The errors are those of `load`."""
    arrays, configuration = load(path)
    try:
        return _with_arrays(configuration, arrays)
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path} is damaged: {error!r}") from error


def _without_arrays(tree, arrays, place):
    """The tree with {_ENTRY: name} for each array, which goes into `arrays` under that name."""
    if isinstance(tree, np.ndarray):
        arrays[place] = tree
        return {_ENTRY: place}
    if isinstance(tree, np.generic):
        return tree.item()
    if isinstance(tree, dict):
        unknown = [key for key in tree if not isinstance(key, str) or key == _ENTRY]
        if unknown:
            raise ValueError(f"keys are text. Received: {unknown[0]!r} in {place}")
        return {key: _without_arrays(x, arrays, f"{place}/{key}") for key, x in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [_without_arrays(x, arrays, f"{place}/{i}") for i, x in enumerate(tree)]
    return tree


def _with_arrays(tree, arrays):
    if isinstance(tree, dict):
        if tree.keys() == {_ENTRY}:
            return arrays[tree[_ENTRY]]
        return {key: _with_arrays(x, arrays) for key, x in tree.items()}
    if isinstance(tree, list):
        return [_with_arrays(x, arrays) for x in tree]
    return tree
