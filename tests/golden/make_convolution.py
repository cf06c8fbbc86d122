"""Makes convolution.safetensors: what PyTorch says of convolution, pooling, padding, up-sampling.

    python -m tests.golden.make_convolution    (needs torch; `make golden` makes all such files)

As `make_layers` does. What PyTorch is asked is in `convolution_in_torch`. Padding "same" is spelled
out for it, as Keras has it: the odd row or column at the end.
"""

from pathlib import Path

import numpy as np

from tests.golden.make_layers import make, read

FILE = Path(__file__).with_name("convolution.safetensors")

INPUTS = {
    "picture": (2, 6, 5, 4),
    "small": (2, 2, 3, 4),
    "steps": (2, 7, 4),
    "present": np.array([[True, False, True, True, False, True, False], [False] * 7]),
}

_ACTIVATED = {
    "relu": "F.relu(z)",
    "silu": "F.silu(z)",
    "gelu": "F.gelu(z)",
    "tanh": "F.tanh(z)",
    "softmax": "F.softmax(z, -1)",
}

# Our layer and its input x, and what PyTorch is asked.
CASES = {
    # Strides, padding, and sizes even, odd, unequal, 1, larger than strides, or smaller
    "Conv2D(3, 3): picture": "conv(x, weight, bias)",
    "Conv2D(3, (2, 3)): picture": "conv(x, weight, bias)",
    "Conv2D(3, (6, 5)): picture": "conv(x, weight, bias)",
    "Conv2D(3, 1): picture": "conv(x, weight, bias)",
    "Conv2D(3, 1, strides=2): picture": "conv(x, weight, bias, stride=2)",
    "Conv2D(3, 2, strides=3): picture": "conv(x, weight, bias, stride=3)",
    "Conv2D(3, 3, strides=(2, 1)): picture": "conv(x, weight, bias, stride=(2, 1))",
    "Conv2D(3, 3, use_bias=False): picture": "conv(x, weight)",
    "Conv2D(3, 3, padding='same'): picture": "conv(x, weight, bias, (1, 1, 1, 1))",
    "Conv2D(3, (4, 2), padding='same'): picture": "conv(x, weight, bias, (0, 1, 1, 2))",
    "Conv2D(3, 3, 2, 'same'): picture": "conv(x, weight, bias, (1, 1, 0, 1), stride=2)",
    "Conv2D(3, 5, (1, 3), 'same'): picture": "conv(x, weight, bias, (1, 2, 2, 2), stride=(1, 3))",
    "Conv2D(3, 1, 2, 'same'): picture": "conv(x, weight, bias, stride=2)",
    # Dilation and groups
    "Conv2D(3, 2, dilation_rate=2): picture": "conv(x, weight, bias, dilation=2)",
    "Conv2D(3, 3, padding='same', dilation_rate=(1, 2)): picture": (
        "conv(x, weight, bias, (2, 2, 1, 1), dilation=(1, 2))"
    ),
    "Conv2D(3, 2, 2, 'same', 3): picture": (
        "conv(x, weight, bias, (1, 2, 1, 1), stride=2, dilation=3)"
    ),
    "Conv2D(6, 3, groups=2): picture": "conv(x, weight, bias, groups=2)",
    "Conv2D(4, 3, padding='same', groups=4): picture": (
        "conv(x, weight, bias, (1, 1, 1, 1), groups=4)"
    ),
    "Conv2D(8, (2, 3), (1, 2), 'same', (2, 1), 4): picture": (
        "conv(x, weight, bias, (1, 1, 1, 1), stride=(1, 2), dilation=(2, 1), groups=4)"
    ),
    "Conv2D(6, 1, groups=2, use_bias=False): picture": "conv(x, weight, groups=2)",
    # Activations, with the product or after it
    **{
        f"Conv2D(3, 2, activation={name!r}): picture": y.replace("z", "conv(x, weight, bias)")
        for name, y in _ACTIVATED.items()
    },
    "Conv2D(3, 1, activation='relu'): picture": "F.relu(conv(x, weight, bias))",
    "Conv2D(3, 3, activation='gelu', use_bias=False): picture": "F.gelu(conv(x, weight))",
    # Sequences
    "Conv1D(3, 3): steps": "conv(x, weight, bias)",
    "Conv1D(3, 4, 2): steps": "conv(x, weight, bias, stride=2)",
    "Conv1D(3, 4, padding='same'): steps": "conv(x, weight, bias, (1, 2))",
    "Conv1D(3, 4, 3, 'same'): steps": "conv(x, weight, bias, (1, 2), stride=3)",
    "Conv1D(3, 3, padding='causal'): steps": "conv(x, weight, bias, (2, 0))",
    "Conv1D(3, 2, 2, 'causal', 3): steps": "conv(x, weight, bias, (3, 0), stride=2, dilation=3)",
    "Conv1D(6, 3, groups=2, activation='relu'): steps": "F.relu(conv(x, weight, bias, groups=2))",
    "Conv1D(3, 1, use_bias=False, activation='tanh'): steps": "F.tanh(conv(x, weight))",
    # Transposed
    "Conv2DTranspose(3, 3): small": "transposed(x, weight, bias, (4, 5))",
    "Conv2DTranspose(3, 3, 2): small": "transposed(x, weight, bias, (5, 7), stride=2)",
    "Conv2DTranspose(3, (1, 2), 3): small": "transposed(x, weight, bias, (6, 9), stride=3)",
    "Conv2DTranspose(3, 3, padding='same'): small": "transposed(x, weight, bias, (2, 3), (1, 1))",
    "Conv2DTranspose(3, (3, 4), 2, 'same'): small": (
        "transposed(x, weight, bias, (4, 6), (0, 1), stride=2)"
    ),
    "Conv2DTranspose(3, 5, (1, 2), 'same'): small": (
        "transposed(x, weight, bias, (2, 6), (2, 1), stride=(1, 2))"
    ),
    "Conv2DTranspose(3, 3, 2, output_padding=1): small": (
        "transposed(x, weight, bias, (6, 8), stride=2)"
    ),
    "Conv2DTranspose(3, (3, 4), 2, 'same', (1, 0)): small": (
        "transposed(x, weight, bias, (4, 4), (0, 2), stride=2)"
    ),
    "Conv2DTranspose(3, 2, dilation_rate=(1, 2)): small": (
        "transposed(x, weight, bias, (3, 5), dilation=(1, 2))"
    ),
    "Conv2DTranspose(3, 2, 2, activation='relu', use_bias=False): small": (
        "F.relu(transposed(x, weight, None, (4, 6), stride=2))"
    ),
    # Pooling
    "MaxPooling2D(): picture": "largest(x, 2)",
    "MaxPooling2D((3, 2), (1, 2)): picture": "largest(x, (3, 2), (1, 2))",
    "MaxPooling2D(2, 3): picture": "largest(x, 2, 3)",
    "MaxPooling2D(3, 2, 'same'): picture": "largest(x, 3, 2, (1, 1, 0, 1))",
    "MaxPooling2D(2, 1, 'same'): picture": "largest(x, 2, 1, (0, 1, 0, 1))",
    "MaxPooling1D(): steps": "largest(x, 2)",
    "MaxPooling1D(3, 2, 'same'): steps": "largest(x, 3, 2, (1, 1))",
    "AveragePooling2D(): picture": "mean(x, 2)",
    "AveragePooling2D((3, 2), (1, 2)): picture": "mean(x, (3, 2), (1, 2))",
    "AveragePooling2D(2, 3): picture": "mean(x, 2, 3)",
    "AveragePooling2D(3, 2, 'same'): picture": "mean(x, 3, 2, (1, 1, 0, 1))",
    "AveragePooling2D(2, 1, 'same'): picture": "mean(x, 2, 1, (0, 1, 0, 1))",
    "AveragePooling1D(): steps": "mean(x, 2)",
    "AveragePooling1D(4, 1, 'same'): steps": "mean(x, 4, 1, (1, 2))",
    # All of an image or of a sequence
    "GlobalMaxPooling2D(): picture": "x.amax((1, 2))",
    "GlobalMaxPooling2D(keepdims=True): picture": "x.amax((1, 2), keepdim=True)",
    "GlobalAveragePooling2D(): picture": "x.mean((1, 2))",
    "GlobalAveragePooling2D(keepdims=True): picture": "x.mean((1, 2), keepdim=True)",
    "GlobalMaxPooling1D(): steps": "x.amax(1)",
    "GlobalMaxPooling1D(): steps, mask=present": "masked_largest(x, present)",
    "GlobalMaxPooling1D(keepdims=True): steps, mask=present": (
        "masked_largest(x, present)[:, None]"
    ),
    "GlobalAveragePooling1D(): steps": "x.mean(1)",
    "GlobalAveragePooling1D(): steps, mask=present": "masked_mean(x, present)",
    "GlobalAveragePooling1D(keepdims=True): steps, mask=present": (
        "masked_mean(x, present)[:, None]"
    ),
    # Larger ones
    "ZeroPadding2D(): picture": "F.pad(x, (0, 0, 1, 1, 1, 1))",
    "ZeroPadding2D((0, 2)): picture": "F.pad(x, (0, 0, 2, 2, 0, 0))",
    "ZeroPadding2D(((1, 0), (2, 3))): picture": "F.pad(x, (0, 0, 2, 3, 1, 0))",
    "ZeroPadding1D(): steps": "F.pad(x, (0, 0, 1, 1))",
    "ZeroPadding1D((2, 0)): steps": "F.pad(x, (0, 0, 2, 0))",
    "UpSampling2D(): picture": "enlarged(x, 2)",
    "UpSampling2D((1, 3)): picture": "enlarged(x, (1, 3))",
    "UpSampling2D(2, 'bilinear'): picture": "enlarged(x, 2, 'bilinear')",
    "UpSampling2D((3, 2), 'bilinear'): picture": "enlarged(x, (3, 2), 'bilinear')",
    "UpSampling1D(): steps": "enlarged(x, 2)",
    "UpSampling1D(3): steps": "enlarged(x, 3)",
}


def load():
    """{name: array} of all inputs and parameters, and {case: {"value", "x", parameter: array}}."""
    return read(FILE)


def main():
    from tests.golden import convolution_in_torch

    make(FILE, INPUTS, CASES, vars(convolution_in_torch))


if __name__ == "__main__":
    main()
