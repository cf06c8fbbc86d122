"""What a family of models has in common with its like: names of theirs beside names of ours.

A family is a table of weights and a table of config.json, and both are read in both directions.
"""

import re
from dataclasses import dataclass, field

from ...bounded_json import shorten

_NUMBER = re.compile(r"\.(\d+)\.")  # of a block

# What is in each kind of layer: (their name, our name, whether theirs is ours transposed).
_PARTS = {
    "table": [("weight", "weight", False)],
    "linear": [("weight", "weight", True), ("bias", "bias", False)],  # PyTorch's, (out, in)
    "conv1d": [("weight", "weight", False), ("bias", "bias", False)],  # GPT-2's, (in, out)
    "norm": [("weight", "gamma", False), ("bias", "beta", False)],
}


@dataclass(frozen=True)
class Name:
    """Where a weight of ours is in their files.

    theirs         its name there
    is_transposed  whether it is (out, in) there, and (in, out) here
    """

    theirs: str
    is_transposed: bool


def read_table(text):
    """({our path of a layer: theirs}, {our path of a weight: Name}) of a table.

    It has a line for each layer: its path there, its path here, and its kind, one of `_PARTS`; or
    "array" for a weight that is in no layer. The star is the number of a block.
    """
    layers, weights = {}, {}
    for line in text.strip().splitlines():
        theirs, ours, kind = line.split()
        if kind == "array":
            weights[ours] = Name(theirs, False)
            continue
        layers[ours] = theirs
        for their_part, our_part, is_transposed in _PARTS[kind]:
            weights[f"{ours}.{our_part}"] = Name(f"{theirs}.{their_part}", is_transposed)
    return layers, weights


@dataclass(frozen=True)
class Family:
    """Models of one class, in the folders of Hugging Face.

    kinds      the words for model_type in config.json
    table      as `read_table` has it
    prefix     what stands before the names of all weights but those of heads; some files lack it
    heads      patterns of names that belong to a head, which a file may have and a model not
    ignored    patterns of names of what is no weight
    tied       {their name: ours} of copies of a weight that a file may have once more
    arguments  a function of a config, a dict: the arguments of our constructor
    config     a function of a model: what config.json says of it
    """

    model: type
    kinds: tuple
    table: str
    prefix: str
    arguments: callable
    config: callable
    heads: tuple = ()
    ignored: tuple = ()
    tied: dict = field(default_factory=dict)

    def __post_init__(self):
        layers, weights = read_table(self.table)
        object.__setattr__(self, "layers", layers)
        object.__setattr__(self, "weights", weights)

    def name(self, path):
        """The Name of our weight of that path; None if there is none."""
        number = _NUMBER.search(path)
        name = self.weights.get(_NUMBER.sub(".*.", path, count=1))
        if name is None or number is None:
            return name
        return Name(name.theirs.replace(".*.", number.group()), name.is_transposed)


class Settings:
    """The content of a config.json, of which each value that counts is asked for."""

    def __init__(self, config, place):
        if not isinstance(config, dict):
            raise ValueError(f"{place} has no settings, but {shorten(config)}")
        self.config, self.place = config, place

    def get(self, name, default=None):
        """A value, or the default where it is absent or null."""
        value = self.config.get(name)
        return default if value is None else value

    def need(self, name):
        """A value that must be there."""
        if self.get(name) is None:
            raise ValueError(f"{self.place} lacks {name!r}")
        return self.config[name]

    def check(self, **allowed):
        """ValueError for a value that is none of the allowed; the first stands for absent ones."""
        for name, values in allowed.items():
            if self.config.get(name, values[0]) not in values:
                known = " or ".join(map(repr, values))
                raise ValueError(
                    f"{self.place}: minigrad's model has {name}={known}. "
                    f"Received: {name}={shorten(self.config[name])}"
                )
