"""`minigrad predict`: what was learned, of a table or of texts, used on other rows."""

from pathlib import Path

from .finetuned_folder import model_folder
from .predict_table import PREPARATION, predict_table
from .predict_text import predict_text


def predict(folder, source, out, delimiter=None, allow_unknown=False, encoding=None):
    """Write a CSV file with a prediction for each row of `source`; returns the sentence to print.

    folder  that of `minigrad train table`, or of `minigrad finetune`

    All else as in `predict_table`; categories are those of tables alone.
    """
    if model_folder(folder) is not None:
        if allow_unknown:
            raise ValueError("--allow-unknown is about the categories of a table, not about texts")
        given = {"delimiter": delimiter, "encoding": encoding}
        return predict_text(folder, source, out, **{k: v for k, v in given.items() if v})
    if Path(folder).is_dir() and not (Path(folder) / PREPARATION).exists():
        raise FileNotFoundError(
            f"{folder} is not the folder of a `minigrad train table`, which has a {PREPARATION}, "
            "nor of a `minigrad finetune`"
        )
    return predict_table(folder, source, out, delimiter, allow_unknown, encoding)
