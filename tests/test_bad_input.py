"""Bad input: an error that names the culprit and says what came, and weights as they were."""

import re
import warnings

import numpy as np
import pytest

from minigrad import (
    Tensor,
    callbacks,
    checkpoint,
    data,
    initializers,
    layers,
    losses,
    models,
    ops,
    optimizers,
    random,
    registry,
    regularizers,
    schedules,
)
from minigrad.layers import Dense

N = 12
X = np.random.default_rng(0).normal(size=(N, 4)).astype(np.float32)
Y = np.arange(N) % 3
SPARSE = "sparse_categorical_crossentropy"


def classifier(loss=SPARSE, units=3, **options):
    """4 features, 3 classes."""
    model = models.Sequential([Dense(5, input_shape=(4,)), Dense(units, activation="softmax")])
    model.build((None, 4))
    model.compile("adam", loss, **options)
    return model


def regression(loss="mse"):
    model = models.Sequential([Dense(1, input_shape=(4,))])
    model.compile("sgd", loss)
    return model


def spoiled(array, value, place=(3,)):
    array = array.astype(np.result_type(array, type(value)))
    array[place] = value
    return array


def unbuilt():
    model = models.Sequential([Dense(3)])
    model.compile("adam", SPARSE)
    return model


def uncompiled():
    return models.Sequential([Dense(3, input_shape=(4,))])


def write(path, content):
    path.write_bytes(content)
    return path


def weights_only(path):
    uncompiled().save_weights(path)
    return path


def cut(path):
    classifier().save(path)
    return write(path, path.read_bytes()[:-10])


NAN, INFINITY = float("nan"), float("inf")

# Each takes a classifier that is built and compiled. What must be in the message comes after it.
SHAPES = {
    "x has too few features": (lambda m: m.fit(X[:, :3], Y), "Dense 4 features (12, 3)"),
    "x has too few features for a model that is not built": (
        lambda m: regression().fit(X[:, :3], Y),
        "Dense 4 features (12, 3)",
    ),
    "x has one axis": (lambda m: m.fit(X[:, 0], Y), "Received (12,)"),
    "x has one axis and the model is not built": (
        lambda m: unbuilt().fit(X[:, 0], Y),
        "Dense batch axis (1,)",
    ),
    "x is a single number": (lambda m: m.fit(3.0, Y), "x one row per example 3.0"),
    "x and y differ in length": (lambda m: m.fit(X, Y[:-2]), "one row per example x 12 y 10"),
    "x and sample_weight differ in length": (
        lambda m: m.fit(X, Y, sample_weight=np.ones(11)),
        "x 12 y 12 sample_weight 11",
    ),
    "sample_weight has two axes": (
        lambda m: m.fit(X, Y, sample_weight=np.ones((12, 3))),
        "sample_weight (12,) (12, 3)",
    ),
    "y has a column for three outputs": (
        lambda m: classifier("mse").fit(X, Y[:, None]),
        "y_true (12, 3) (12, 1)",
    ),
    "y is one-hot for a sparse loss": (
        lambda m: m.fit(X, np.eye(3)[Y]),
        "y one label per example categorical_crossentropy (12, 3)",
    ),
    "y is sparse for a one-hot loss": (
        lambda m: classifier("categorical_crossentropy").fit(X, Y * 0),
        "y_true (12, 3) (12,)",
    ),
    "predict on too many features": (
        lambda m: m.predict(np.ones((2, 5))),
        "Dense 4 features (2, 5)",
    ),
    "evaluate on different lengths": (lambda m: m.evaluate(X, Y[:5]), "x 12 y 5"),
    "validation data of different lengths": (
        lambda m: m.fit(X, Y, validation_data=(X, Y[:5])),
        "validation x 12 validation y 5",
    ),
    "Reshape to another size": (
        lambda m: layers.Reshape((2, 3))(X),
        "Reshape (2, 3) (12, 4)",
    ),
    "a column of labels against a row of predictions": (
        lambda m: losses.MeanSquaredError()(np.ones((3, 2)), Tensor(np.ones(3))),
        "y_true (3,) (3, 2)",
    ),
    "a matrix product that does not fit": (
        lambda m: ops.matmul(Tensor(np.ones((2, 3))), Tensor(np.ones((2, 3)))),
        "(2, 3)",
    ),
    "batches of different lengths": (lambda m: data.Batches(X, Y[:3]), "differ [12, 3]"),
}
DTYPES = {
    "x is text": (lambda m: m.fit([["a"] * 4] * N, Y), "x must hold numbers dtype <U1"),
    "x holds None": (lambda m: m.fit([[None] * 4] * N, Y), "x must hold numbers dtype object"),
    "x is complex": (lambda m: m.fit(X * 1j, Y), "x must hold numbers dtype complex"),
    "x is ragged": (lambda m: m.fit([[1.0, 2.0], [3.0]], Y[:2]), "x is not a rectangular array"),
    "x holds dates": (
        lambda m: m.predict(np.zeros((2, 4), "datetime64[s]")),
        "x must hold numbers datetime64",
    ),
    "y is text": (lambda m: m.fit(X, ["a"] * N), "y must hold numbers dtype <U1"),
    "an Embedding of fractions": (
        lambda m: layers.Embedding(5, 2)(np.array([[0.5]])),
        "Embedding integers float",
    ),
    "a layer of integers": (lambda m: Dense(3, dtype="int32"), "floating dtype='int32'"),
    "a Tensor of text": (lambda m: Tensor(["a"]), "Tensor dtype <U1"),
    "a gradient of integers": (
        lambda m: Tensor([1, 2], requires_grad=True),
        "only floats dtype int64",
    ),
}
VALUES = {
    "a label too large": (
        lambda m: m.fit(X, spoiled(Y, 3)),
        "y must be 0 to 2 the model has 3 outputs Received: 3 at (3,)",
    ),
    "labels from 1 to 3": (lambda m: m.fit(X, Y + 1), "y must be 0 to 2 3 at (2,), and 3 more"),
    "a negative label": (lambda m: m.fit(X, spoiled(Y, -1)), "y 0 to 2 -1 at (3,)"),
    "a label between two": (lambda m: m.fit(X, spoiled(Y, 1.5)), "y integers 1.5 at (3,)"),
    "a label too large in validation": (
        lambda m: m.fit(X, Y, validation_data=(X, spoiled(Y, 7))),
        "validation y 0 to 2 7 at (3,)",
    ),
    "a label too large in evaluate": (lambda m: m.evaluate(X, spoiled(Y, 7)), "y 0 to 2 7 at (3,)"),
    "a label too large in a batch": (
        lambda m: m.fit([(X, spoiled(Y, 7))]),
        "batch y 0 to 2 7 at (3,)",
    ),
    "a probability above 1": (
        lambda m: regression("binary_crossentropy").fit(X, spoiled(Y * 0, 2)),
        "y between 0 and 1 2 at (3,)",
    ),
    "a negative probability": (
        lambda m: classifier("categorical_crossentropy").fit(X, spoiled(np.eye(3)[Y], -0.5)),
        "y between 0 and 1 -0.5 at (3, 0), and 2 more",
    ),
    "a sign of 2": (
        lambda m: regression("hinge").fit(X, spoiled(Y * 0, 2)),
        "y -1 and 1 2 at (3,)",
    ),
    "signs of two kinds": (
        lambda m: regression("squared_hinge").fit(X, Y - 1),
        "y -1 and 1, or 0 and 1 -1 at (0,)",
    ),
    "NaN in x": (lambda m: m.fit(spoiled(X, NAN, (3, 1)), Y), "x 1 NaN (3, 1): nan"),
    "infinity in x": (lambda m: m.fit(spoiled(X, -INFINITY), Y), "x 4 infinite (3, 0): -inf"),
    "NaN in y": (
        lambda m: regression().fit(X, spoiled(X[:, 0], NAN)),
        "y has 1 values NaN (3,): nan",
    ),
    "NaN in sample_weight": (
        lambda m: m.fit(X, Y, sample_weight=spoiled(np.ones(N), NAN)),
        "sample_weight 1 NaN (3,): nan",
    ),
    "NaN in validation data": (
        lambda m: m.fit(X, Y, validation_data=(spoiled(X, NAN), Y)),
        "validation x 4 NaN",
    ),
    "NaN in a batch": (lambda m: m.fit([(spoiled(X, NAN), Y)]), "batch x 4 NaN"),
    "NaN in what to predict": (lambda m: m.predict(spoiled(X, NAN)), "x 4 NaN (3, 0)"),
    "no examples": (lambda m: m.fit(X[:0], Y[:0]), "x is empty (0, 4)"),
    "nothing to evaluate": (lambda m: m.evaluate(X[:0], Y[:0]), "x is empty (0, 4)"),
    "nothing to predict": (lambda m: m.predict(X[:0]), "x is empty (0, 4)"),
    "no batches": (lambda m: m.fit([]), "no batch"),
    "no batches to evaluate": (lambda m: m.evaluate([]), "no batch to evaluate"),
    "a class without weight": (
        lambda m: m.fit(X, Y, class_weight={0: 1.0, 2: 1.0}),
        "class_weight labels [1] {0: 1.0, 2: 1.0}",
    ),
    "class weights in a list": (
        lambda m: m.fit(X, Y, class_weight=[1.0, 2.0, 3.0]),
        "class_weight dict [1.0, 2.0, 3.0]",
    ),
    "a class weight of text": (
        lambda m: m.fit(X, Y, class_weight={0: 1, 1: "a", 2: 1}),
        "class_weight must hold numbers",
    ),
    "a class weight of NaN": (
        lambda m: m.fit(X, Y, class_weight={0: 1.0, 1: NAN, 2: 1.0}),
        "class_weight NaN (1,)",
    ),
    "class weights for batches of Tensors": (
        lambda m: m.fit([(Tensor(X), Tensor(Y))], class_weight={0: 1, 1: 1, 2: 1}),
        "class_weight arrays Tensor",
    ),
}
NAMES = {
    "loss": (
        lambda m: m.compile("adam", "mean_square_error"),
        "unknown loss 'mean_square_error' did you mean 'mean_squared_error' mae",
    ),
    "optimizer": (
        lambda m: m.compile("adm", "mse"),
        "unknown optimizer 'adm'; did you mean 'adam' rmsprop",
    ),
    "metric": (
        lambda m: m.compile("adam", "mse", ["acuracy"]),
        "unknown metric 'acuracy'; did you mean 'accuracy'",
    ),
    "activation": (
        lambda m: Dense(3, activation="rellu"),
        "unknown activation 'rellu' did you mean 'relu' softmax",
    ),
    "activation of an Activation": (
        lambda m: layers.Activation("sofmax"),
        "unknown activation 'sofmax'; did you mean 'softmax'",
    ),
    "initializer": (
        lambda m: Dense(3, kernel_initializer="glorot_unifrom"),
        "unknown initializer 'glorot_unifrom' did you mean 'glorot_uniform'",
    ),
    "regularizer": (
        lambda m: Dense(3, kernel_regularizer="l1l2"),
        "unknown regularizer 'l1l2'; did you mean 'l1_l2'",
    ),
    "a name far from all": (
        lambda m: m.compile("quux", "mse"),
        "unknown optimizer 'quux'. Known: ",
    ),
    "reduction": (
        lambda m: losses.MeanSquaredError(reduction="summ"),
        "unknown reduction 'summ'; did you mean 'sum'",
    ),
    "fan": (
        lambda m: initializers.VarianceScaling(mode="fan_inn"),
        "unknown mode 'fan_inn' did you mean 'fan_in'",
    ),
    "callback": (
        lambda m: callbacks.LambdaCallback(on_batch=print),
        "'on_batch' Known on_train_batch_end",
    ),
    "a loss that is a number": (lambda m: m.compile("adam", 5), "loss must be a name Received: 5"),
    "an optimizer that is a number": (lambda m: m.compile(0.01, "mse"), "optimizer 0.01"),
    "metrics that are one name": (
        lambda m: m.compile("adam", "mse", "accuracy"),
        "metrics is a list 'accuracy'",
    ),
    "no loss": (lambda m: m.compile("adam"), "a loss loss=None"),
    "a regularizer that is a number": (
        lambda m: Dense(3, kernel_regularizer=0.01),
        "regularizer must be a name 0.01",
    ),
}
ARGUMENTS = {
    "a class_weight below 0": (
        lambda m: m.fit(X, Y, class_weight={0: 1, 1: -1, 2: 1}),
        "class_weight below 0 -1",
    ),
    "a sample_weight below 0": (
        lambda m: m.fit(X, Y, sample_weight=-np.ones(len(X))),
        "sample_weight below 0 -1.0",
    ),
    **{
        f"batch_size={size!r}": (
            lambda m, size=size: m.fit(X, Y, batch_size=size),
            f"batch_size integer from 1 up batch_size={size!r}",
        )
        for size in (0, -1, 2.5, "32", True, None)
    },
    **{
        f"epochs={epochs!r}": (
            lambda m, epochs=epochs: m.fit(X, Y, epochs=epochs),
            f"epochs integer from 0 up epochs={epochs!r}",
        )
        for epochs in (-1, 1.5, "3", True, None)
    },
    **{
        f"validation_split={share!r}": (
            lambda m, share=share: m.fit(X, Y, validation_split=share),
            f"validation_split between 0 and 1 {share!r}",
        )
        for share in (1.0, -0.1, 20, "0.2", NAN)
    },
    "a validation_split of no example": (
        lambda m: m.fit(X, Y, validation_split=0.99),
        "validation_split=0.99 of 12 examples empty",
    ),
    "verbose=3": (lambda m: m.fit(X, Y, verbose=3), "verbose is 0, 1, 2 or 'auto' 3"),
    "verbose='loud'": (lambda m: m.predict(X, verbose="loud"), "verbose is 0, 1, 2 'loud'"),
    "initial_epoch=-1": (lambda m: m.fit(X, Y, initial_epoch=-1), "initial_epoch=-1"),
    "batch_size=0 in predict": (lambda m: m.predict(X, batch_size=0), "batch_size=0"),
    "a callback that is none": (lambda m: m.fit(X, Y, callbacks=[print]), "Callback print"),
    "a callback in no list": (
        lambda m: m.fit(X, Y, callbacks=callbacks.History()),
        "callbacks is a list History",
    ),
    "no y": (lambda m: m.fit(X), "without y iterable of batches ndarray"),
    "no y and no iterable": (lambda m: m.fit(7), "without y iterable of batches int"),
    "a batch without y": (lambda m: m.fit([X, X]), "a batch is (x, y) ndarray"),
    "a batch of four": (lambda m: m.fit([(X, Y, Y, Y)]), "a batch is (x, y) tuple"),
    "batches with a validation_split": (
        lambda m: m.fit([(X, Y)], validation_split=0.2),
        "validation_split arrays batches",
    ),
    "batches with a sample_weight": (
        lambda m: m.fit([(X, Y)], sample_weight=np.ones(N)),
        "sample_weight arrays batches",
    ),
    "batches to evaluate with a sample_weight": (
        lambda m: m.evaluate([(X, Y)], sample_weight=np.ones(N)),
        "sample_weight arrays batches",
    ),
    "two kinds of validation": (
        lambda m: m.fit(X, Y, validation_split=0.2, validation_data=(X, Y)),
        "validation_split or validation_data both",
    ),
    "validation data without y": (
        lambda m: m.fit(X, Y, validation_data=X),
        "iterable of batches ndarray",
    ),
    **{
        f"Dense({units!r})": (
            lambda m, units=units: Dense(units),
            f"Dense units positive integer units={units!r}",
        )
        for units in (-3, 0, 2.5, "64", None, True)
    },
    "Embedding(0, 2)": (lambda m: layers.Embedding(0, 2), "Embedding input_dim=0"),
    **{
        f"Dropout({rate!r})": (lambda m, rate=rate: layers.Dropout(rate), f"rate={rate!r}")
        for rate in (1.5, 1, -0.1, "0.5", NAN)
    },
    "input_shape=784": (lambda m: Dense(3, input_shape=784), "input_shape tuple input_shape=784"),
    "input_shape=(-4,)": (lambda m: Dense(3, input_shape=(-4,)), "input_shape=(-4,)"),
    "Input(784)": (lambda m: layers.Input(784), "shape tuple shape=784"),
    "build(784)": (lambda m: unbuilt().build(784), "input_shape tuple 784"),
    "Reshape of two unknown axes": (lambda m: layers.Reshape((-1, -1))(X), "Reshape (-1, -1)"),
    "learning_rate=-1": (lambda m: optimizers.SGD(-1), "learning_rate from 0 up -1"),
    "learning_rate='fast'": (lambda m: optimizers.Adam("fast"), "'fast'"),
    "beta_1=1": (lambda m: optimizers.Adam(beta_1=1), "beta_1 below 1 beta_1=1"),
    "momentum=1.5": (lambda m: optimizers.SGD(momentum=1.5), "momentum below 1 momentum=1.5"),
    "two ways to clip": (
        lambda m: optimizers.SGD(clipnorm=1.0, clipvalue=1.0),
        "clips in one way 'clipnorm' 'clipvalue'",
    ),
    "decay_steps=0": (lambda m: schedules.CosineDecay(0.1, 0), "decay_steps above 0 decay_steps=0"),
    "l2=-1": (lambda m: regularizers.L2(-1), "l2 from 0 up l2=-1"),
    "delta=0": (lambda m: losses.Huber(delta=0), "delta above 0 delta=0"),
    "seed=-1": (lambda m: random.seed(-1), "seed from 0 up -1"),
    "seed=1.5": (lambda m: random.seed(1.5), "seed integer 1.5"),
    "test_fraction=2": (lambda m: data.digits.load_data(test_fraction=2), "test_fraction=2"),
    "None as a metric": (lambda m: m.compile("adam", "mse", [None]), "metric None"),
}
STATES = {
    "fit before compile": (lambda m: uncompiled().fit(X, Y), "compile(optimizer=..., loss=...)"),
    "evaluate before compile": (lambda m: uncompiled().evaluate(X, Y), "compile(optimizer="),
    "summary of unknown shape": (lambda m: unbuilt().summary(), "not built input_shape="),
    "weights of unknown shape": (lambda m: unbuilt().weights(), "not built input_shape="),
    "save of unknown shape": (lambda m: unbuilt().save("model"), "not built input_shape="),
    "a layer that is none": (
        lambda m: models.Sequential(["dense"]),
        "Sequential Layer objects 'dense'",
    ),
    "a class for a layer": (lambda m: m.add(Dense), "Sequential Layer objects Dense"),
    "a layer of several results within": (
        lambda m: models.Sequential([layers.LSTM(2, return_state=True), Dense(1)])(X[:, None]),
        "Sequential one array 3 of them LSTM",
    ),
    "Input after another layer": (lambda m: m.add(layers.Input((4,))), "Input comes first after 2"),
    "pop from nothing": (lambda m: models.Sequential().pop(), "no layers"),
    "fit of no layers": (lambda m: empty().fit(X, X), "nothing to train"),
    "fit of a frozen model": (lambda m: frozen(m).fit(X, Y), "nothing to train frozen"),
    "a loss that is not reduced": (
        lambda m: classifier(losses.SparseCategoricalCrossentropy(reduction="none")).fit(X, Y),
        "(12,)",
    ),
}


def empty():
    model = models.Sequential()
    model.compile("sgd", "mse")
    return model


def frozen(model):
    model.trainable = False
    return model


def assert_says(words, error):
    """All of the words are in the message, or in the notes beside it, in this order."""
    message = "\n".join([str(error), *getattr(error, "__notes__", [])])
    assert re.search(".*".join(map(re.escape, words.split())), message, re.DOTALL), message


PICTURE, SEQUENCE = np.ones((2, 3, 4, 6), "float32"), np.ones((2, 5, 6), "float32")


def afterwards(layer, first, second):
    layer(first)
    return layer(second)


CONVOLUTIONS = {
    "images without channels": (
        lambda m: layers.Conv2D(2, 3)(PICTURE[..., 0]),
        "Conv2D needs x (n, h, w, c) (2, 3, 4)",
    ),
    "a sequence for Conv2D": (lambda m: layers.Conv2D(2, 3)(SEQUENCE), "Conv2D (n, h, w, c)"),
    "images for Conv1D": (lambda m: layers.Conv1D(2, 3)(PICTURE), "Conv1D (n, t, c) (2, 3, 4, 6)"),
    "a matrix for Conv2DTranspose": (
        lambda m: layers.Conv2DTranspose(2, 3)(X),
        "Conv2DTranspose (n, h, w, c) (12, 4)",
    ),
    **{
        f"a matrix for {layer!r}": (
            lambda m, layer=layer: layer(X),
            f"{type(layer).__name__} (12, 4)",
        )
        for layer in (
            *(layers.MaxPooling2D(), layers.AveragePooling1D(), layers.ZeroPadding2D()),
            *(layers.GlobalMaxPooling2D(), layers.GlobalAveragePooling1D(), layers.UpSampling1D()),
        )
    },
    "images of other channels": (
        lambda m: afterwards(layers.Conv2D(2, 1), PICTURE, PICTURE[..., :5]),
        "Conv2D built 6 channels (2, 3, 4, 5)",
    ),
    "sequences of other channels": (
        lambda m: afterwards(layers.Conv1D(2, 1), SEQUENCE, SEQUENCE[..., :5]),
        "Conv1D built 6 channels (2, 5, 5)",
    ),
    "images of other channels, transposed": (
        lambda m: afterwards(layers.Conv2DTranspose(2, 1), PICTURE, PICTURE[..., :5]),
        "Conv2DTranspose built 6 channels (2, 3, 4, 5)",
    ),
    "channels that do not divide": (
        lambda m: layers.Conv2D(4, 1, groups=4)(PICTURE),
        "Conv2D groups=4 6 channels filters=4",
    ),
    "filters that do not divide": (
        lambda m: layers.Conv1D(4, 1, groups=3)(SEQUENCE),
        "Conv1D groups=3 6 channels filters=4",
    ),
    "a window larger than the image": (
        lambda m: layers.Conv2D(2, (4, 3))(PICTURE),
        "Conv2D windows of (4, 3) none of which fits (2, 3, 4, 6)",
    ),
    "a window that dilation makes too large": (
        lambda m: layers.Conv1D(2, 3, dilation_rate=3)(SEQUENCE),
        "Conv1D windows of (3,) with dilation (3,) none (2, 5, 6)",
    ),
    "pooling of less than a window": (
        lambda m: layers.MaxPooling2D(4)(PICTURE),
        "MaxPooling2D windows of (4, 4) none (2, 3, 4, 6)",
    ),
    "a transposed convolution to nothing": (
        lambda m: layers.Conv2DTranspose(2, 2, padding="same", output_padding=0)(PICTURE[:, :1]),
        "Conv2DTranspose (0, 3) (2, 1, 4, 6)",
    ),
    "filters=0": (lambda m: layers.Conv2D(0, 3), "Conv2D filters positive integer filters=0"),
    "kernel_size=0": (lambda m: layers.Conv2D(1, 0), "Conv2D kernel_size positive kernel_size=0"),
    "three sizes": (
        lambda m: layers.Conv2D(1, (3, 3, 3)),
        "Conv2D kernel_size integer or 2 kernel_size=(3, 3, 3)",
    ),
    "strides=0": (lambda m: layers.Conv1D(1, 3, strides=0), "Conv1D strides strides=0"),
    "dilation_rate=1.5": (
        lambda m: layers.Conv1D(1, 3, dilation_rate=1.5),
        "Conv1D dilation_rate dilation_rate=1.5",
    ),
    "groups='2'": (lambda m: layers.Conv2D(2, 3, groups="2"), "Conv2D groups groups='2'"),
    "an unknown padding": (
        lambda m: layers.Conv2D(1, 3, padding="smae"),
        "unknown padding 'smae'; did you mean 'same'",
    ),
    "images in the order of time": (
        lambda m: layers.Conv2D(1, 3, padding="causal"),
        "unknown padding 'causal' same, valid",
    ),
    "output_padding=2": (
        lambda m: layers.Conv2DTranspose(1, 3, 2, output_padding=2),
        "Conv2DTranspose output_padding below strides=(2, 2) output_padding=2",
    ),
    "pool_size=0": (lambda m: layers.MaxPooling2D(0), "MaxPooling2D pool_size pool_size=0"),
    "zeros before, after and where": (
        lambda m: layers.ZeroPadding2D((1, 2, 3)),
        "ZeroPadding2D padding padding=(1, 2, 3)",
    ),
    "fewer than no zeros": (lambda m: layers.ZeroPadding1D(-1), "ZeroPadding1D padding=-1"),
    "up-sampling to nothing": (lambda m: layers.UpSampling2D(0), "UpSampling2D size size=0"),
    "an unknown interpolation": (
        lambda m: layers.UpSampling2D(2, "bilinaer"),
        "unknown interpolation 'bilinaer'; did you mean 'bilinear'",
    ),
    "an operation on a matrix": (
        lambda m: ops.convolution(X, np.ones((1, 1, 4, 2))),
        "images (n, h, w, c) (12, 4) and (1, 1, 4, 2) in convolution",
    ),
    "an operation with a weight of other channels": (
        lambda m: ops.convolution(PICTURE, np.ones((1, 1, 5, 2))),
        "6 channels and 2 units in 1 groups (1, 1, 5, 2)",
    ),
    "an operation with a bias of other units": (
        lambda m: ops.convolution(PICTURE, np.ones((1, 1, 6, 2)), np.ones(3)),
        "2 units need a bias (2,) (3,)",
    ),
    "an operation whose window does not fit": (
        lambda m: ops.max_pool(PICTURE, (4, 4), (1, 1)),
        "no window of (4, 4) fits (3, 4) max_pool",
    ),
}


TABLE = {**CONVOLUTIONS, **SHAPES, **DTYPES, **VALUES, **NAMES, **ARGUMENTS, **STATES}


@pytest.mark.parametrize("call, words", TABLE.values(), ids=TABLE)
def test_bad_input_is_named_and_changes_no_weight(call, words):
    model = classifier()
    before = {path: weight.numpy() for path, weight in model.weights().items()}
    with pytest.raises(ValueError) as raised:
        call(model)
    assert_says(words, raised.value)
    for path, weight in model.weights().items():
        np.testing.assert_array_equal(weight.numpy(), before[path])
    assert model.optimizer.iterations == 0


FILES = {
    "missing": (lambda path: path, FileNotFoundError, "No such file"),
    "a folder": (lambda path: path.mkdir() or path, OSError, ""),
    "empty": (lambda path: write(path, b""), ValueError, "is empty"),
    "cut": (cut, ValueError, "damaged, incomplete"),
    "text": (lambda path: write(path, b"epoch,loss\n"), ValueError, "not a safetensors file"),
    "a zip": (lambda path: write(path, b"PK\3\4" + bytes(99)), ValueError, "a zip archive PyTorch"),
    "a pickle": (lambda path: write(path, b"\x80\4]\x94."), ValueError, "a pickle opens none"),
    "a web page": (lambda path: write(path, b"<!DOCTYPE html>"), ValueError, "a web page"),
}


@pytest.mark.parametrize("load", ["load_weights", "load_model"])
@pytest.mark.parametrize("make, error, words", FILES.values(), ids=FILES)
def test_a_bad_file_is_named_and_changes_no_weight(make, error, words, load, tmp_path):
    model = classifier()
    before = {path: weight.numpy() for path, weight in model.weights().items()}
    path = make(tmp_path / "bad-file")
    with pytest.raises(error) as raised:
        (models.load_model if load == "load_model" else model.load_weights)(path)
    assert "bad-file" in str(raised.value)
    assert_says(words, raised.value)
    for path, weight in model.weights().items():
        np.testing.assert_array_equal(weight.numpy(), before[path])


def test_weights_are_no_model(tmp_path):
    with pytest.raises(ValueError, match="weights and no model.*load_weights"):
        models.load_model(weights_only(tmp_path / "weights"))


def test_a_foreign_file_of_tensors_is_no_model(tmp_path):
    checkpoint.save(tmp_path / "foreign", {"encoder.weight": X})
    with pytest.raises(ValueError, match="foreign holds weights and no model"):
        models.load_model(tmp_path / "foreign")
    with pytest.raises(ValueError, match="4 missing: 0.weight.*\n.*1 unexpected: encoder.weight"):
        classifier().load_weights(tmp_path / "foreign")


def test_saving_into_no_folder_says_so(tmp_path):
    with pytest.raises(OSError, match="no folder .*nowhere"):
        classifier().save(tmp_path / "nowhere" / "model")


@pytest.mark.parametrize("value", [0, True, np.True_, 2.5, "3", None, np.array([3]), -(10**99)])
def test_what_is_no_integer_from_1_up_is_named(value):
    with pytest.raises(
        ValueError, match=r"count must be an integer from 1 up\. .*: count=.{1,60}$"
    ):
        registry.check_integer("count", value)


@pytest.mark.parametrize("value", [3, np.int64(3), np.array(3), Tensor(np.array(3))])
def test_an_integer_of_any_kind_is_one_of_python(value):
    assert type(registry.check_integer("count", value, least=3)) is int
    assert registry.is_integer(value, 1, 3) and not registry.is_integer(value, 1, 2)


def test_the_table_tries_at_least_45_cases():
    assert len(TABLE) + 2 * len(FILES) >= 45


def test_nothing_but_the_error_is_said():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for call, _ in TABLE.values():
            with pytest.raises(ValueError):
                call(classifier())
