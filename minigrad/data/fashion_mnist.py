"""Fashion-MNIST: 70,000 pictures of clothes, each 28x28 pixels, in MNIST's file format.

H. Xiao, K. Rasul and R. Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine
Learning Algorithms", 2017, https://arxiv.org/abs/1708.07747. The data are Zalando's, from
https://github.com/zalandoresearch/fashion-mnist, under the MIT licence.
"""

from . import mnist

CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


def load_data(path=None, download=False):
    """((x_train, y_train), (x_test, y_test)): 60,000 images with labels, and 10,000 to test on.

    path      the folder in or below which the four files lie, gzipped or not; by default
              MINIGRAD_DATA, or else the folder of downloads
    download  whether to fetch the files (30.9 MB) if they are not there, as `data.download` does

    x: uint8 (n, 28, 28), from 0 (background) to 255.   y: uint8 (n,), an index of CLASS_NAMES.
    FileNotFoundError names the missing files. As they have the names of MNIST's, only those count
    that lie in or below a folder with "fashion" in its name: `mnist.set_of`.
    """
    return mnist.load_set("fashion_mnist", path, download)
