"""Image augmentation: one bilinear map per image, held to SciPy; noise; dtypes; bad input."""

import numpy as np
import pytest
from safetensors.numpy import load_file

from minigrad.data import ImageAugmentation
from minigrad.data.augmentation import affine
from tests.golden.make_augmentation import FILE, MAPS

GOLDEN = load_file(FILE)


def seeded(seed=0):
    return np.random.default_rng(seed)


def pictures(*shape, dtype=np.float32):
    return (seeded(7).uniform(0, 200, shape)).astype(dtype)


class Fixed(np.random.Generator):
    """A generator whose uniform numbers are given: (angle, size, rows, columns) in -1 to 1."""

    def __init__(self, *drawn):
        super().__init__(np.random.PCG64(0))
        self.drawn = drawn

    def uniform(self, low, high, size):
        assert (low, high) == (-1, 1)
        return np.broadcast_to(np.array(self.drawn, float), size)


# --- The map --------------------------------------------------------------------------------------


@pytest.mark.parametrize("i", range(len(MAPS)))
def test_affine_is_that_of_scipy_with_zeros_around_the_image(i):
    images, matrices, offsets = (GOLDEN[k][i : i + 1] for k in ("images", "matrices", "offsets"))
    y = affine(images, matrices, offsets)
    np.testing.assert_allclose(y, GOLDEN["expected"][i : i + 1], rtol=1e-12, atol=1e-12)


def test_affine_takes_each_image_through_its_own_map():
    y = affine(GOLDEN["images"], GOLDEN["matrices"], GOLDEN["offsets"])
    np.testing.assert_allclose(y, GOLDEN["expected"], rtol=1e-12, atol=1e-12)


def test_the_golden_file_is_that_of_the_table():
    assert np.array_equal(GOLDEN["matrices"], [matrix for matrix, _ in MAPS])
    assert np.array_equal(GOLDEN["offsets"], [offset for _, offset in MAPS])


def test_affine_equals_its_formula_pixel_by_pixel():
    n, h, w = 3, 4, 5
    images, matrices, offsets = seeded().normal(size=(n, h, w, 1)), seeded(1), seeded(2)
    matrices, offsets = matrices.normal(size=(n, 2, 2)), offsets.normal(1, 2, size=(n, 2))
    y = affine(images, matrices, offsets)
    for i, row, column in np.ndindex(n, h, w):
        q = matrices[i] @ [row, column] + offsets[i]
        expected = sum(
            images[i, r, c, 0] * max(0, 1 - abs(q[0] - r)) * max(0, 1 - abs(q[1] - c))
            for r, c in np.ndindex(h, w)
        )
        assert y[i, row, column, 0] == pytest.approx(expected, abs=1e-12)


def test_the_image_fades_to_zero_within_one_pixel_of_its_edge():
    image = np.ones((1, 3, 3, 1))
    shifts = np.array([0, 0.25, 0.5, 1, 1.5])
    last_row = [
        affine(image, np.eye(2)[None], np.array([[s, 0]]))[0, 2, 1, 0].item() for s in shifts
    ]
    assert last_row == [1, 0.75, 0.5, 0, 0]


def test_a_shift_moves_down_and_right():
    x = pictures(1, 6, 6)
    y = ImageAugmentation(shift=2)(x, Fixed(0, 0, 0.5, 1))  # one row, two columns
    expected = np.zeros_like(x)
    expected[0, 1:, 2:] = x[0, :-1, :-2]
    np.testing.assert_allclose(y, expected, rtol=1e-6)


@pytest.mark.parametrize("shape", [(6, 6), (5, 5)])
def test_a_rotation_is_counter_clockwise_about_the_middle(shape):
    x = pictures(1, *shape)
    y = ImageAugmentation(rotate=90)(x, Fixed(1, 0, 0, 0))
    np.testing.assert_allclose(y[0], np.rot90(x[0]), rtol=1e-5, atol=1e-3)


def test_a_scale_above_one_enlarges_about_the_middle():
    x = np.zeros((1, 9, 9), np.float32)
    x[0, 4, 4], x[0, 4, 6] = 1, 1  # the middle, and two columns to the right
    y = ImageAugmentation(scale=0.5)(x, Fixed(0, 1, 0, 0))
    assert y[0, 4, 4] == 1 and y[0, 4, 7] == pytest.approx(1)  # three columns to the right
    small = ImageAugmentation(scale=0.5)(x, Fixed(0, -1, 0, 0))
    assert small[0, 4, 5] == pytest.approx(1)


def test_the_shift_comes_after_the_turn():
    x = pictures(1, 7, 7)
    both = ImageAugmentation(shift=1, rotate=90)(x, Fixed(1, 0, 1, 0))
    expected = np.zeros((7, 7), np.float32)
    expected[1:] = np.rot90(x[0])[:-1]
    np.testing.assert_allclose(both[0], expected, rtol=1e-5, atol=1e-3)


# --- What is drawn --------------------------------------------------------------------------------

ALL = {"shift": 2, "rotate": 15, "scale": 0.1, "noise": 5}


def test_equal_generators_give_equal_images_and_others_give_others():
    augment, x = ImageAugmentation(**ALL), pictures(8, 12, 12)
    first, again, other = (augment(x, seeded(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_every_image_has_a_map_of_its_own():
    x = np.repeat(pictures(1, 12, 12), 6, axis=0)
    y = ImageAugmentation(shift=3)(x, seeded())
    assert len(np.unique(y.reshape(6, -1), axis=0)) == 6


def test_the_draws_fill_their_ranges_evenly():
    """From one bright pixel in the middle its shift can be read: uniform in ±2, on both axes."""
    x = np.zeros((4000, 9, 9))
    x[:, 4, 4] = 1
    y = ImageAugmentation(shift=2)(x, seeded())
    for moved in ((y.sum(axis=2) @ np.arange(9)) - 4, (y.sum(axis=1) @ np.arange(9)) - 4):
        assert -2 <= moved.min() < -1.99 and 1.99 < moved.max() <= 2
        assert abs(moved.mean()) < 0.1 and moved.std() == pytest.approx(2 / 3**0.5, rel=0.03)


@pytest.mark.parametrize("name", ["shift", "rotate", "scale"])
def test_what_one_argument_draws_does_not_depend_on_the_others(name):
    """With the others almost nothing, the images are almost the same as without them."""
    x = pictures(4, 10, 10, dtype=np.float64)
    alone = ImageAugmentation(**{name: ALL[name]})(x, seeded())
    others = {other: 1e-9 for other in ALL if other != name}
    together = ImageAugmentation(**{name: ALL[name]}, **others)(x, seeded())
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_noise_has_the_given_deviation_and_no_mean_in_every_value():
    x = np.full((50, 20, 20, 3), 100, np.float32)
    difference = ImageAugmentation(noise=4)(x, seeded()) - x
    assert difference.std() == pytest.approx(4, rel=0.02) and abs(difference.mean()) < 0.1
    assert not np.array_equal(difference[..., 0], difference[..., 1])


def test_noise_is_added_after_the_map():
    """So it has the same deviation also where the image has left nothing but zeros."""
    y = ImageAugmentation(shift=100, noise=3)(pictures(20, 12, 12), Fixed(0, 0, 1, 1))
    assert y.std() == pytest.approx(3, rel=0.05)


def test_values_are_clipped_only_when_asked():
    x = seeded().uniform(0, 1, (4, 8, 8))
    free = ImageAugmentation(noise=1)(x, seeded())
    assert free.min() < 0 and free.max() > 1
    clipped = ImageAugmentation(noise=1, clip=(0, 1))(x, seeded())
    assert np.array_equal(clipped, np.clip(free, 0, 1))


# --- Shapes and dtypes ----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "uint8", "int16", "int64"])
@pytest.mark.parametrize("shape", [(3, 6, 8), (3, 6, 8, 2), (1, 1, 1), (0, 6, 8)])
def test_the_result_is_a_new_array_of_the_same_shape_and_dtype(shape, dtype):
    x = pictures(*shape, dtype=dtype)
    before = x.copy()
    for options in ({}, ALL):
        y = ImageAugmentation(**options)(x, seeded())
        assert y.shape == x.shape and y.dtype == x.dtype
        assert not np.shares_memory(x, y) and np.array_equal(x, before)


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8", "int64"])
def test_nothing_asked_nothing_changed(dtype):
    x = pictures(3, 6, 8, dtype=dtype)
    assert np.array_equal(ImageAugmentation()(x, seeded()), x)


@pytest.mark.parametrize("image_shape", [(6, 8), (3, 8, 2)])
def test_flat_images_are_augmented_as_in_their_shape(image_shape):
    images = pictures(5, *image_shape)
    plain = ImageAugmentation(**ALL)(images, seeded())
    augment = ImageAugmentation(**ALL, image_shape=image_shape)
    flat = augment(images.reshape(5, -1), seeded())
    assert flat.shape == (5, 48) and np.array_equal(flat.reshape(images.shape), plain)
    assert np.array_equal(augment(images, seeded()), plain)


def test_channels_move_together():
    x = np.repeat(pictures(4, 9, 9, 1), 3, axis=3)
    y = ImageAugmentation(shift=2, rotate=20, scale=0.2)(x, seeded())
    assert np.array_equal(y[..., 0], y[..., 1]) and np.array_equal(y[..., 0], y[..., 2])


@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_lower_precision_gives_the_rounded_result_of_float64(dtype):
    x = pictures(6, 10, 10, dtype=dtype)
    augment = ImageAugmentation(shift=2, rotate=15, scale=0.1)
    exact = augment(x.astype(np.float64), seeded())
    off = np.abs(augment(x, seeded()) - exact).max()
    assert off <= (0.5 + 1e-4 if dtype == "uint8" else 1e-4)


def test_integers_end_at_the_limits_of_their_dtype():
    x = np.tile(np.array([0, 255], np.uint8), (10, 20, 10))
    y = ImageAugmentation(noise=30)(x, seeded())
    dark, bright = y[:, :, ::2], y[:, :, 1::2]
    assert dark.min() == 0 and dark.max() < 128 and bright.max() == 255 and bright.min() > 128


def test_arrays_of_any_layout_and_byte_order_will_do():
    x = pictures(4, 6, 8)
    augment, expected = ImageAugmentation(**ALL), ImageAugmentation(**ALL)(x, seeded())
    for other in (np.asfortranarray(x), x[::-1].copy()[::-1]):
        assert np.array_equal(augment(other, seeded()), expected)
    swapped = augment(x.astype(">f4"), seeded())
    assert swapped.dtype == np.dtype(">f4") and np.array_equal(swapped, expected)


# --- The object -----------------------------------------------------------------------------------


def test_its_repr_is_the_call_that_makes_it():
    assert repr(ImageAugmentation(shift=2, image_shape=[28, 28])) == (
        "ImageAugmentation(shift=2.0, image_shape=(28, 28))"
    )


def test_its_configuration_makes_an_equal_one():
    augment = ImageAugmentation(**ALL, image_shape=(6, 8), clip=(0, 255))
    again = ImageAugmentation.from_config(augment.get_config())
    x = pictures(3, 48)
    assert repr(again) == repr(augment)
    assert np.array_equal(again(x, seeded()), augment(x, seeded()))


NUMBERS = "must be a finite number from 0 up"
SHAPE = r"image_shape must be \(h, w\) or \(h, w, c\), integers from 1 up. Received: image_shape="
CLIP = r"clip must be \(low, high\), low < high. Received: clip="
BAD_ARGUMENTS = [
    ({"shift": -1}, f"shift {NUMBERS}. Received: shift=-1"),
    ({"shift": (1, 2)}, rf"shift {NUMBERS}. Received: shift=\(1, 2\)"),
    ({"rotate": "15"}, f"rotate {NUMBERS}. Received: rotate='15'"),
    ({"rotate": float("inf")}, f"rotate {NUMBERS}. Received: rotate=inf"),
    ({"scale": 1}, f"scale {NUMBERS} and below 1. Received: scale=1"),
    ({"scale": None}, f"scale {NUMBERS} and below 1. Received: scale=None"),
    ({"noise": float("nan")}, f"noise {NUMBERS}. Received: noise=nan"),
    ({"image_shape": 784}, SHAPE + "784"),
    ({"image_shape": (784,)}, SHAPE + r"\(784,\)"),
    ({"image_shape": (28, 28, 1, 1)}, SHAPE + r"\(28, 28, 1, 1\)"),
    ({"image_shape": (28, 0)}, SHAPE + r"\(28, 0\)"),
    ({"image_shape": (28, 28.0)}, SHAPE + r"\(28, 28.0\)"),
    ({"image_shape": "28x28"}, SHAPE + "'28x28'"),
    ({"clip": 1}, CLIP + "1"),
    ({"clip": (1, 0)}, CLIP + r"\(1, 0\)"),
    ({"clip": (0, float("nan"))}, CLIP + r"\(0, nan\)"),
    ({"clip": ("0", "1")}, CLIP + r"\('0', '1'\)"),
]


@pytest.mark.parametrize(("arguments", "complaint"), BAD_ARGUMENTS)
def test_a_bad_argument_is_refused_and_named(arguments, complaint):
    with pytest.raises(ValueError, match=complaint):
        ImageAugmentation(**arguments)


IMAGES, FLAT = np.zeros((2, 4, 4)), np.zeros((2, 16))
BAD_CALLS = {
    "flat": ({}, FLAT, r"image_shape must say how to read flat ones. Received: shape \(2, 16\)"),
    "one image": ({}, FLAT[0], r"x must be images .* Received: shape \(16,\)"),
    "five axes": ({}, IMAGES[None, None], r"x must be images .* Received: shape \(1, 1, 2, 4, 4\)"),
    "wrong length": (
        {"image_shape": (4, 5)},
        FLAT,
        r"x must be images of shape \(4, 5\), or the same flat. Received: shape \(2, 16\)",
    ),
    "wrong shape": ({"image_shape": (2, 8)}, IMAGES, r"\(2, 8\), .* Received: shape \(2, 4, 4\)"),
    "text": ({}, np.full((1, 2, 2), "a"), "x must hold real numbers. Received: dtype <U1"),
    "complex": ({}, IMAGES * 1j, "x must hold real numbers. Received: dtype complex128"),
    "bool": ({}, IMAGES > 0, "x must hold real numbers. Received: dtype bool"),
}


@pytest.mark.parametrize(("options", "x", "complaint"), BAD_CALLS.values(), ids=BAD_CALLS)
def test_images_that_cannot_be_read_are_refused(options, x, complaint):
    with pytest.raises(ValueError, match=complaint):
        ImageAugmentation(**options)(x, seeded())


@pytest.mark.parametrize("generator", [None, 0, np.random, np.random.RandomState(0)])
def test_what_is_no_generator_is_refused(generator):
    complaint = f"generator must be a numpy.random.Generator. Received: {type(generator).__name__}"
    with pytest.raises(ValueError, match=complaint):
        ImageAugmentation(shift=1)(IMAGES, generator)


def test_noise_that_rounding_would_undo_is_refused():
    images, generator = np.zeros((2, 8, 8), dtype=np.uint8), np.random.default_rng(0)
    with pytest.raises(ValueError, match="noise must be at least 0.5 .* noise=0.1 .* uint8"):
        ImageAugmentation(noise=0.1)(images, generator)
    assert ImageAugmentation(noise=0.5)(images, generator).any()
    assert ImageAugmentation(noise=0.1)(images.astype(np.float32), generator).any()
