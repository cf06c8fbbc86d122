"""A folder with a model, as Hugging Face lays it out: config.json, model.safetensors and others.

Whoever made the folder is not trusted: what is read has limits, is no code, and lies in the folder.
"""

import os
import shlex
from pathlib import Path

from ..bounded_json import MOST_BYTES, MOST_PARTS, parse_json, shorten
from ..weight_file import open_weights

_MOST_SHARDS = 500  # each is an open file
_LONGEST_NAME = 255  # of any system
_PICKLES = (".bin", ".pt", ".pth", ".ckpt")


class PretrainedFolder:
    """The files of a folder, each by its name in it.

    A link is followed where it leads to another file of the folder; in a snapshot of Hugging Face's
    cache also into `blobs`, two folders above, where the contents of all snapshots are. What leads
    elsewhere, a link or a name with "..", is a ValueError.
    """

    def __init__(self, path):
        if not os.path.exists(path):
            raise FileNotFoundError(f"there is no folder {path}")
        self.path = Path(path)
        if not self.path.is_dir():
            raise ValueError(f"a folder is needed. Received: {path}, a file.{_advice([self.path])}")
        self._real = Path(os.path.realpath(path))

    def has(self, name):
        """Whether something of this name is there."""
        return os.path.lexists(self.path / name)

    def file(self, name):
        """The path of a file. ValueError if it is none, or lies elsewhere."""
        path = self.path / name
        if len(name) > _LONGEST_NAME or not name.isprintable():
            raise ValueError(f"{self.path}: {shorten(name)} is no name of a file")
        real = Path(os.path.realpath(path))
        in_cache = self._real.parent.name == "snapshots"
        is_blob = in_cache and real.parent == self._real.parent.parent / "blobs"
        if not is_blob and not real.is_relative_to(self._real):
            raise ValueError(f"{self.path}: {shorten(name)} leads out of the folder")
        if not real.is_file():
            what = "is no file" if self.has(name) else "is missing"
            raise ValueError(f"{self.path}: {shorten(name)} {what}")
        return path

    def text(self, name, most_bytes=MOST_BYTES):
        """The text of a file, which must be UTF-8 and not longer than `most_bytes`."""
        path = self.file(name)
        with open(path, "rb") as file:
            data = file.read(most_bytes + 1)
        if len(data) > most_bytes:
            raise ValueError(f"{path} has more than {most_bytes:,} bytes, which is too long")
        try:
            return data.decode()
        except UnicodeError as error:
            raise ValueError(f"{path} is not UTF-8: {error}") from error

    def json(self, name, most_bytes=MOST_BYTES, most_parts=MOST_PARTS):
        """The data of a JSON file, with the limits of `parse_json`."""
        text = self.text(name, most_bytes)
        try:
            return parse_json(text, most_bytes, most_parts)
        except ValueError as error:
            raise ValueError(f"{self.path / name} cannot be read: {error}") from error

    def weights(self, stem="model"):
        """{name: StoredArray} of model.safetensors, or of the shards of a model that is larger.

        Which tensor is in which shard stands in model.safetensors.index.json, and must be true.
        """
        single = f"{stem}.safetensors"
        if self.has(single):
            return open_weights(self.file(single))[0]
        if self.has(f"{single}.index.json"):
            return self._shards(f"{single}.index.json")
        files = sorted(path for path in self.path.iterdir() if path.suffix in _PICKLES)
        named = [path for path in files if path.name.startswith("pytorch_model")]
        raise ValueError(f"{self.path} has no {single}.{_advice(named or files, single)}")

    def metadata(self, stem="model"):
        """{text: text} that model.safetensors says of itself; of shards nothing."""
        single = f"{stem}.safetensors"
        return open_weights(self.file(single))[1] if self.has(single) else {}

    def _shards(self, index):
        names = {}  # {shard: what it holds}
        described = self.json(index)
        weight_map = described.get("weight_map") if isinstance(described, dict) else None
        if not isinstance(weight_map, dict) or not weight_map:
            raise ValueError(f"{self.path / index} has no weight_map {{tensor: file}}")
        for name, shard in weight_map.items():
            if not isinstance(shard, str):
                raise ValueError(f"{self.path / index}: {shorten(shard)} is no name of a file")
            names.setdefault(shard, set()).add(name)
        if len(names) > _MOST_SHARDS:
            raise ValueError(
                f"{self.path / index} has {len(names)} files; more than {_MOST_SHARDS}"
            )
        files = {shard: self.file(shard) for shard in names}  # all are there, before one is opened
        weights = {}
        for shard, file in files.items():
            found, _ = open_weights(file)
            if wrong := found.keys() ^ names[shard]:
                name = min(wrong)
                has = "has" if name in found else "lacks"
                raise ValueError(f"{file} {has} {shorten(name)}, and {index} says otherwise")
            weights |= found
        return weights


def _advice(files, target="model.safetensors"):
    """How to convert those of the files that are pickles; nothing if none is."""
    pickles = [file for file in files if file.suffix in _PICKLES]
    if not pickles:
        return ""
    code = (
        "import sys, torch; from safetensors.torch import save_file; weights = {}; "
        "[weights.update(torch.load(file, 'cpu', weights_only=True)) for file in sys.argv[2:]]; "
        "save_file({k: v.clone().contiguous() for k, v in weights.items()}, sys.argv[1])"
    )
    paths = [str(pickles[0].parent / target), *map(str, pickles)]
    return (
        f" {pickles[0].name} is PyTorch's, a pickle: such a file can run any code, and minigrad "
        f"opens none. Where PyTorch is installed, and safetensors, this line converts it:\n"
        f'python -c "{code}" {shlex.join(paths)}'
    )
