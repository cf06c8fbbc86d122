"""MNIST: 70,000 handwritten digits, each 28x28 pixels, from four files.

Y. LeCun, C. Cortes and C. Burges, "The MNIST database of handwritten digits", 1998. Others, such as
Fashion-MNIST, have taken up the file format, IDX, together with the names of the files.
"""

import re

import numpy as np

from .download import find_or_download
from .idx import read_idx

FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


def load_data(path=None, download=False):
    """((x_train, y_train), (x_test, y_test)): 60,000 images with labels, and 10,000 to test on.

    path      the folder in or below which the four files lie, gzipped or not; by default
              MINIGRAD_DATA, or else the folder of downloads
    download  whether to fetch the files (11.6 MB) if they are not there, as `data.download` does

    x: uint8 (n, 28, 28), from 0 (paper) to 255 (ink).   y: uint8 (n,), 0 to 9. Your own files may
    hold other images, as many as labels; those that are fetched are known by their hashes.
    FileNotFoundError names the missing files. A folder that is named after another set, such as
    fashion_mnist, is passed over: `set_of`.
    """
    return load_set("mnist", path, download)


def load_set(name, path, download):
    """`load_data` for the set called `name`, whose files have the names of MNIST's."""
    spellings = [(file, file.replace("-idx", ".idx")) for file in FILES]
    files = find_or_download(name, spellings, path, download, lambda at: set_of(at) == name)
    train_images, train_labels, test_images, test_labels = files
    return _pair(train_images, train_labels), _pair(test_images, test_labels)


def set_of(folders):
    """The set that a file belongs to, by the names of the folders it lies in, outermost first.

    The innermost folder that is named after a set decides; without one, it is MNIST.

    >>> set_of(("data", "mnist_10k")), set_of(("FashionMNIST", "raw")), set_of(("KMNIST",))
    ('mnist', 'fashion_mnist', 'kmnist')
    """
    for folder in reversed(folders):
        if "fashion" in folder.lower():
            return "fashion_mnist"
        if named := re.search("[a-z]*mnist", folder.lower()):
            return named[0]
    return "mnist"


def _pair(images_file, labels_file):
    images, labels = read_idx(images_file), read_idx(labels_file)
    for file, array, ndim in ((images_file, images, 3), (labels_file, labels, 1)):
        if array.ndim != ndim or array.dtype != np.uint8:
            raise ValueError(
                f"{file} must hold uint8 in {ndim} axes. Received: {array.dtype} {array.shape}"
            )
    if len(images) == 0:
        raise ValueError(f"{images_file} holds no images")
    if len(images) != len(labels):
        raise ValueError(
            f"{images_file} has {len(images)} images, but {labels_file} has {len(labels)} labels"
        )
    return images, labels
