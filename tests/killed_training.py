"""A training that is backed up, as a program that can be killed: all that can differ is in use.

    python -m tests.killed_training FOLDER SAVE_FREQ

It prints "training" when fit begins, and at the end a line with a digest of all that it has come
to. Batches of augmented images in random order, dropout, batch normalization, metrics with memory,
a learning rate that falls, early stopping that keeps the best weights, a log, and a checkpoint.
"""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np

from minigrad import callbacks, checkpoint, data, layers, models, optimizers, random


class Order(callbacks.Callback):
    """A digest of everything that training has been given, in the order in which it came."""

    state_names = ("seen",)

    def on_train_begin(self):
        self.seen = ""
        print("training", flush=True)

    def on_train_batch_end(self, batch, logs):
        given = [self.seen.encode(), str(sorted(logs.items())).encode()]
        given += [np.ascontiguousarray(array).tobytes() for array in self.run.batch]
        self.seen = hashlib.blake2b(b"".join(given), digest_size=16).hexdigest()


def main(folder, save_freq):
    folder = Path(folder)
    random.seed(7)
    (x, y), (x_test, y_test) = data.digits.load_data()
    x, y = x[:400].reshape(-1, 8, 8), y[:400]
    model = models.Sequential(
        [
            layers.Flatten(input_shape=(8, 8)),
            layers.Dense(24, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.3),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        optimizers.Adam(0.02, global_clipnorm=1.0),
        "sparse_categorical_crossentropy",
        metrics=["accuracy", "f1_score", "auc"],
    )
    told = [
        callbacks.BackupAndRestore(
            folder / "backup", save_freq
        ),  # first, and told last all the same
        Order(),
        callbacks.ReduceLROnPlateau("val_loss", factor=0.5, patience=1, min_delta=0.05),
        callbacks.EarlyStopping("val_accuracy", patience=3, restore_best_weights=True),
        callbacks.CSVLogger(folder / "log.csv"),
        callbacks.ModelCheckpoint(folder / "best.safetensors", "val_loss", save_best_only=True),
    ]
    batches = data.Batches(x, y, batch_size=16, shuffle=True, augment=noise)
    history = model.fit(
        batches,
        epochs=40,
        validation_data=(x_test.reshape(-1, 8, 8), y_test),
        callbacks=told,
        verbose=0,
    )
    model.save(folder / "model.safetensors")
    checkpoint.save_tree(folder / "metrics", [metric.get_state() for metric in model.metrics])
    files = ("model.safetensors", "best.safetensors", "log.csv", "metrics")
    end = {
        "files": {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in files},
        "history": history.history,
        "random": random.get_state(),
        "order": told[1].seen,
        "best": [told[3].best, told[3].best_epoch, told[3].stopped_epoch, told[5].best],
        "learning rate": model.optimizer.learning_rate,
    }
    print(json.dumps(end, sort_keys=True), flush=True)


def noise(x, generator):
    return x + generator.normal(0, 0.1, x.shape).astype(x.dtype)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] if sys.argv[2] == "epoch" else int(sys.argv[2]))
