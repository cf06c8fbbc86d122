"""Which of two epochs was the better one, by a number that fit logs."""

from ..registry import check_number, look_up

GROWING = ("accuracy", "acc", "auc", "precision", "recall", "f1", "r2", "top")
SHRINKING = ("loss", "error", "crossentropy", "hinge", "huber", "mse", "mae", "learning_rate")


class Monitor:
    """Compares values of the number `name`: "val_loss", "accuracy", ...

    mode       "min" if less is better, "max" if more is; "auto" tells it by the name
    min_delta  a value is better than the best so far only if it is so by more than this
    """

    def __init__(self, name, mode="auto", min_delta=0.0):
        self.name = name
        self.sign = {"min": -1, "max": 1}.get(mode) or self._guess(mode)
        self.min_delta = check_number("min_delta", min_delta)

    def _guess(self, mode):
        if mode != "auto":
            raise ValueError(f"mode is 'min', 'max' or 'auto'. Received: mode={mode!r}")
        for sign, words in ((1, GROWING), (-1, SHRINKING)):
            if any(word in str(self.name) for word in words):
                return sign
        raise ValueError(
            f"whether more or less of {self.name!r} is better cannot be told by its name: "
            "give mode='min' or mode='max'"
        )

    def read(self, logs):
        """The number of this name, a float. ValueError if fit does not log it."""
        if str(self.name).startswith("val_") and not any(name.startswith("val_") for name in logs):
            raise ValueError(
                f"{self.name!r} needs validation data: give fit validation_split or validation_data"
            )
        return float(look_up("logged number", self.name, dict(logs)))

    def better(self, value, best):
        """Whether `value` is better than `best`; any number is better than None, NaN than none."""
        if best is None:
            return value == value
        return self.sign * (value - best) > self.min_delta
