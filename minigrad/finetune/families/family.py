"""What a family of models needs to be read and written: their names beside ours, in tables.

Both directions follow from the same tables, so that what is written is what was read.
"""

import json
import re
from dataclasses import dataclass
from functools import cached_property

from ...bounded_json import shorten

_NUMBER = re.compile(r"\.(\d+)\.")  # of a block

# What is in a layer of each kind: their name, our name, whether theirs is ours transposed.
_PARTS = {
    "embedding": [("weight", "weight", False)],
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


@dataclass(frozen=True)
class Family:
    """Models of one class of ours, as folders of Hugging Face hold them.

    model           the class
    kinds           their words for it: model_type in config.json
    table           a line for each layer: its path there, its path here, and its kind, a key of
                    _PARTS; or "array" for a weight that is in no layer. A star is the number of a
                    block
    settings        a line for each setting: its name in config.json, our argument's, and what holds
                    where config.json has none, if that is known
    fixed           {name in config.json: values that our model has}; the first one is written
    more_arguments  a function (Settings, head, names of the weights) -> our other arguments
    more_settings   a function of a model -> what else config.json says of it; "architectures" names
                    the class there
    prefix          begins the names of all weights but a head's; files of models without a head
                    leave it out
    heads           how names begin of a head's weights, which a file may have and the model not
    ignored         patterns of names that are in files and no weights
    renamed         {how a name ended in older files: how it ends today}
    tied            {their name: their name of the weight it is one with}; a file may have both
    """

    model: type
    kinds: tuple
    table: str
    settings: str
    fixed: dict
    more_arguments: callable
    more_settings: callable
    prefix: str
    heads: tuple
    ignored: tuple
    tied: dict
    renamed: dict

    @cached_property
    def layers(self):
        """{our path of a layer: theirs}, with a star for the number of a block"""
        return {ours: theirs for theirs, ours, kind in _rows(self.table) if kind != "array"}

    @cached_property
    def weights(self):
        """{our path of a weight: Name}, with a star for the number of a block"""
        found = {}
        for theirs, ours, kind in _rows(self.table):
            if kind == "array":
                found[ours] = Name(theirs, False)
                continue
            for their_part, our_part, is_transposed in _PARTS[kind]:
                found[f"{ours}.{our_part}"] = Name(f"{theirs}.{their_part}", is_transposed)
        return found

    def name(self, path):
        """The Name of our weight of that path; None if theirs have none."""
        number = _NUMBER.search(path)
        name = self.weights.get(_NUMBER.sub(".*.", path, count=1))
        if name is None or number is None:
            return name
        return Name(name.theirs.replace(".*.", number.group()), name.is_transposed)

    def arguments(self, settings, head, names):
        """The arguments of our constructor. ValueError for what our model does not have."""
        settings.check(**self.fixed, quantization_config=(None,))
        found = {ours: settings.get(*theirs) for ours, theirs in self._settings.items()}
        return found | self.more_arguments(settings, head, names)

    def config(self, model):
        """What config.json says of a model."""
        found = {theirs[0]: getattr(model, ours) for ours, theirs in self._settings.items()}
        found |= {name: values[0] for name, values in self.fixed.items()}
        return {"model_type": self.kinds[0], **found, **self.more_settings(model)}

    @cached_property
    def _settings(self):
        """{our argument: (their name,) or (their name, default)}"""
        return {
            ours: (theirs, *map(json.loads, default))
            for theirs, ours, *default in _rows(self.settings)
        }


class Settings:
    """The content of a config.json; every value that counts is asked for.

    dropout  what to take for it whatever the file says, or None
    """

    def __init__(self, values, place, dropout=None):
        if not isinstance(values, dict):
            raise ValueError(f"{place} must be an object of JSON. Received: {shorten(values)}")
        self.values, self.place, self.dropout = values, place, dropout

    def get(self, name, *default):
        """A value, or the default where it is absent or null; without a default it must be there"""
        value = self.values.get(name)
        if value is None and not default:
            raise ValueError(f"{self.place} lacks {name!r}")
        return default[0] if value is None else value

    def check(self, **allowed):
        """ValueError for a value that is none of the allowed. One that is absent is the first."""
        for name, values in allowed.items():
            value = self.values.get(name, values[0])
            if not any(value == known and type(value) is type(known) for known in values):
                known = " or ".join(map(repr, values))
                raise ValueError(
                    f"{self.place}: minigrad's model has {name}={known} alone. "
                    f"Received: {name}={shorten(value)}"
                )


def _rows(table):
    return [line.split() for line in table.strip().splitlines()]
