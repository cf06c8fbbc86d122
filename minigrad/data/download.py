"""Data sets by download: only when asked for, checked byte by byte, and never half a file.

The tests fetch from a server of their own; no test has tried the addresses below.
"""

import contextlib
import hashlib
import sys
import time
from pathlib import Path
from typing import NamedTuple

from ..atomic import replacing
from ..registry import look_up
from .files import download_folder, find


class Remote(NamedTuple):
    """A file that can be fetched: name here, address, length in bytes, SHA-256 of these bytes."""

    name: str
    address: str
    size: int
    sha256: str


_MNIST = "https://storage.googleapis.com/cvdf-datasets/mnist/"
_FASHION = (
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/"
    "b2617bb6d3ffa2e429640350f613e3291e10b141/data/fashion/"
)
_SHAKESPEARE = (
    "https://raw.githubusercontent.com/karpathy/char-rnn/"
    "6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e/data/tinyshakespeare/"
)

# Lengths and hashes are those that TensorFlow Datasets states (tensorflow_datasets/url_checksums,
# https://github.com/tensorflow/datasets). For both MNISTs torchvision states the same hashes
# (torchvision/prototype/datasets); that of Tiny Shakespeare was computed from the text as well.
SETS = {
    "mnist": (
        Remote(
            "train-images-idx3-ubyte.gz",
            _MNIST + "train-images-idx3-ubyte.gz",
            9_912_422,
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        ),
        Remote(
            "train-labels-idx1-ubyte.gz",
            _MNIST + "train-labels-idx1-ubyte.gz",
            28_881,
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        ),
        Remote(
            "t10k-images-idx3-ubyte.gz",
            _MNIST + "t10k-images-idx3-ubyte.gz",
            1_648_877,
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        ),
        Remote(
            "t10k-labels-idx1-ubyte.gz",
            _MNIST + "t10k-labels-idx1-ubyte.gz",
            4_542,
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        ),
    ),
    "fashion_mnist": (
        Remote(
            "train-images-idx3-ubyte.gz",
            _FASHION + "train-images-idx3-ubyte.gz",
            26_421_880,
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        ),
        Remote(
            "train-labels-idx1-ubyte.gz",
            _FASHION + "train-labels-idx1-ubyte.gz",
            29_515,
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        ),
        Remote(
            "t10k-images-idx3-ubyte.gz",
            _FASHION + "t10k-images-idx3-ubyte.gz",
            4_422_102,
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        ),
        Remote(
            "t10k-labels-idx1-ubyte.gz",
            _FASHION + "t10k-labels-idx1-ubyte.gz",
            5_148,
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        ),
    ),
    "tiny_shakespeare": (
        Remote(
            "tinyshakespeare.txt",
            _SHAKESPEARE + "input.txt",
            1_115_394,
            "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
        ),
    ),
}


class DownloadError(OSError):
    """A file that did not come, or came otherwise than expected. Nothing was saved."""


class _PassingError(DownloadError):
    """An error that may be over at the next attempt."""


def download(name, folder=None, progress=True):
    """Fetch the files of the set `name`, a key of SETS, into a folder of that name. -> its Path

    folder    where that folder goes; by default MINIGRAD_DATA, or else minigrad/data in the user's
              cache folder: `files.download_folder`
    progress  whether to draw a bar

    Files that are there already are kept. ValueError for an unknown name; for errors see `fetch`.
    """
    files = look_up("data set", name, SETS)
    place = download_folder(folder) / name
    for file in files:
        fetch(file.address, place / file.name, file.size, file.sha256, progress=progress)
    return place


def find_or_download(name, names, path, allowed, wanted=None):
    """`find(names, path, wanted)`; if that fails and is `allowed`, the set `name` is fetched."""
    try:
        return find(names, path, wanted)
    except FileNotFoundError as error:
        if not allowed:
            raise FileNotFoundError(
                f"{error}. Or let them be fetched: download=True, or data.download({name!r})"
            ) from None
    download(name, path)
    return find(names, path, wanted)


def fetch(
    address, target, size=None, sha256=None, *, timeout=30, attempts=3, pause=1, progress=True
):
    """Download `address` to the file `target`: all of it and checked, or nothing. -> its Path

    address   https://... or http://...; a redirect from https leads to https alone. Proxies are
              those of the environment, as urllib knows them
    size      the length expected, in bytes, if known
    sha256    the hash expected, in hexadecimal digits, if known
    timeout   seconds to wait for a sign of life
    attempts  how often to begin anew after an error that may pass, each time `pause` seconds later
    progress  whether to draw a bar

    A `target` that is there already is left as it is: FileExistsError if it is not the expected
    file. DownloadError, an OSError, if the file does not come or differs; OSError if it cannot be
    written. Each error says what to do by hand.
    """
    target = Path(target)
    _check_address(address)
    if target.exists():
        return _check_existing(target, size, sha256)
    by_hand = (
        f"Nothing was saved. By hand: put the file {address} into the folder {target.parent} "
        f"under the name {target.name}"
    )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _try_often(
            lambda: _transfer(address, target, size, sha256, timeout, progress), attempts, pause
        )
    except DownloadError as error:
        raise DownloadError(f"{address} was not downloaded: {error}. {by_hand}") from error
    except OSError as error:
        reason = f"{target.name} cannot be written: {error.strerror or error}. {by_hand}"
        raise OSError(error.errno, reason, error.filename or str(target)) from error
    return target


def difference(stream, size=None, sha256=None):
    """How the bytes of `stream` differ from the expected ones, in words; None if they do not."""
    digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if size is not None and stream.tell() != size:
        return f"{size:,} bytes expected. Received: {stream.tell():,}"
    if sha256 is not None and digest != sha256:
        return f"SHA-256 {sha256} expected. Received: {digest}"
    return None


def _check_address(address):
    from urllib.parse import urlsplit

    parts = urlsplit(address)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError(f"address must be https://... or http://... Received: {address!r}")


def _check_existing(target, size, sha256):
    if not target.is_file():
        raise FileExistsError(f"{target} should be a file, and is something else")
    with open(target, "rb") as file:
        if wrong := difference(file, size, sha256):
            raise FileExistsError(
                f"{target} is there already and differs from the expected file: {wrong}. Move it "
                "away to download it again"
            )
    return target


def _try_often(action, attempts, pause):
    for _ in range(attempts - 1):
        try:
            return action()
        except _PassingError:
            time.sleep(pause)
    return action()


def _transfer(address, target, size, sha256, timeout, progress):
    """One attempt: the bytes go to a file beside `target`, which gets its name if they are good."""
    title = target.name if progress else None
    pieces = _pieces(address, size, timeout, title)
    with replacing(target) as file, contextlib.closing(pieces):
        for piece in pieces:
            file.write(piece)
        file.seek(0)
        if wrong := difference(file, size, sha256):
            raise DownloadError(wrong)


def _pieces(address, size, timeout, title):
    """The bytes at `address`, a few at a time. Every error of the network is a DownloadError."""
    from http.client import HTTPException
    from urllib.error import HTTPError

    try:
        with _opener().open(address, timeout=timeout) as response:
            yield from _body(response, size, title)
    except HTTPError as error:
        with error:
            passing = error.code >= 500 or error.code in (408, 429)  # busy, or too many requests
            kind = _PassingError if passing else DownloadError
            raise kind(f"the server answers {error.code} {error.reason}") from error
    except DownloadError:
        raise
    except (OSError, HTTPException) as error:
        raise _PassingError(str(getattr(error, "reason", error))) from error


def _body(response, size, title):
    """What a server sends after its headers, beside a progress bar if that has a title."""
    from tqdm import tqdm

    expected = size if response.length is None else response.length
    if size not in (None, expected):
        kind = response.headers.get_content_type()
        raise DownloadError(f"{size:,} bytes expected. Received: {expected:,} of {kind}")
    look = {"unit": "B", "unit_scale": True, "file": sys.stdout, "dynamic_ncols": True}
    came = 0
    with tqdm(total=expected, desc=title, disable=title is None, **look) as bar:
        while piece := response.read(2**16):
            came += len(piece)
            if size is not None and came > size:
                raise DownloadError(f"{size:,} bytes expected. Received: more")
            yield piece
            bar.update(len(piece))
    if expected is not None and came < expected:
        raise _PassingError(f"the transfer ended after {came:,} of {expected:,} bytes")


def _opener():
    """What opens an address: it follows redirects to http and https, but never from https to http.

    Python's modules for this take a tenth of the time of `import minigrad`, so they are imported by
    who downloads something.
    """
    from urllib.parse import urlsplit
    from urllib.request import HTTPRedirectHandler, build_opener

    class Redirects(HTTPRedirectHandler):
        def redirect_request(self, request, file, code, message, headers, address):
            allowed = ("https",) if request.type == "https" else ("https", "http")
            if urlsplit(address).scheme not in allowed:
                file.close()
                raise DownloadError(
                    f"it redirects to {address}, which is not {' or '.join(allowed)}"
                )
            return super().redirect_request(request, file, code, message, headers, address)

    return build_opener(Redirects)
