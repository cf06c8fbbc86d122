"""Writes augmentation.safetensors: images as SciPy transforms them.   Needs scikit-learn's SciPy.

    python -m tests.golden.make_augmentation    (from the root of the repository)

images (n, 5, 7, 2), matrices (n, 2, 2), offsets (n, 2) and expected (n, 5, 7, 2) are float64. The
tests read the file, and need no SciPy.
"""

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

FILE = Path(__file__).with_name("augmentation.safetensors")

# A and b of yᵢ[p] = xᵢ[Aᵢ p + bᵢ].
MAPS = [
    ([[1, 0], [0, 1]], [0, 0]),
    ([[1, 0], [0, 1]], [1, -2]),
    ([[1, 0], [0, 1]], [-0.5, 0.25]),
    ([[1, 0], [0, 1]], [4.75, 0]),  # the last row, as it fades
    ([[1, 0], [0, 1]], [0, -7]),  # just out of sight
    ([[1, 0], [0, 1]], [1e6, -1e6]),
    ([[0.8, -0.6], [0.6, 0.8]], [2, -1]),  # turned
    ([[1.5, 0], [0, 1.5]], [-1, -1.5]),  # made smaller
    ([[0.4, 0], [0, 0.3]], [1.1, 2.2]),  # made larger
    ([[-1, 0], [0, -1]], [4, 6]),  # turned upside down
    ([[1, 0.5], [-0.25, 1]], [0.3, -0.4]),  # sheared
    ([[0, 1], [1, 0]], [0, 0]),  # rows for columns
    ([[0, 0], [0, 0]], [1.5, 2.5]),  # one place everywhere
]


def main():
    from scipy.ndimage import affine_transform

    matrices, offsets = (np.array(part, dtype=np.float64) for part in zip(*MAPS))
    images = np.random.default_rng(0).normal(size=(len(MAPS), 5, 7, 2))
    expected = np.zeros_like(images)
    for i, image in enumerate(images):
        for channel in range(2):
            expected[i, :, :, channel] = affine_transform(
                image[:, :, channel], matrices[i], offsets[i], order=1, mode="grid-constant"
            )
    arrays = {"images": images, "matrices": matrices, "offsets": offsets, "expected": expected}
    save_file(arrays, FILE)


if __name__ == "__main__":
    main()
