"""Writes preprocessing.safetensors: 200 random cases and scikit-learn's answers.   Needs it.

    python -m tests.golden.make_preprocessing    (from the root of the repository)

A case is a kind of preprocessing, an option (or "-") and a number; "CASE | NAME" is an array of it.
What is fitted is fitted to the first FITTED rows of x. Words are stored as their places in WORDS.
The tests read the file, and need no scikit-learn.
"""

from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

FILE = Path(__file__).with_name("preprocessing.safetensors")
FITTED = 9
WORDS = np.array(["red", "green", "blue", "Blue", "", "a b", "élan", "10", "9"], dtype=object)
STRATEGIES = ("mean", "median", "most_frequent", "constant")

# How many cases of each kind, and the options that they take in turn.
KINDS = {
    "StandardScaler": (25, ["-"]),
    "MinMaxScaler": (25, ["-1,1", "0,1", "0.25,8"]),
    "RobustScaler": (25, ["-"]),
    "Imputer": (40, STRATEGIES),
    "LabelEncoder": (15, ["-"]),
    "OneHotEncoder": (15, ["-"]),
    "KFold": (15, ["2", "3", "5", "7"]),
    "StratifiedKFold": (25, ["2", "3", "4"]),
    "stratified": (15, ["0.1", "0.25", "0.4"]),
}


def load():
    """{case: {name: array}} of the file."""
    cases = {}
    for key, array in load_file(FILE).items():
        case, name = key.split(" | ")
        cases.setdefault(case, {})[name] = array
    return cases


def numbers(random, columns):
    """(12, d): columns of different units; some are constant."""
    scale = 10.0 ** random.integers(-5, 6, columns)
    x = (random.normal(size=(12, columns)) + random.uniform(-20, 20, columns)) * scale
    constant = random.random(columns) < 0.2
    x[:, constant] = x[0, constant]
    return x


def scaler(kind, option, random):
    from sklearn import preprocessing

    options = {} if option == "-" else {"feature_range": tuple(map(float, option.split(",")))}
    x = numbers(random, random.integers(1, 4))
    return {"x": x, "y": getattr(preprocessing, kind)(**options).fit(x[:FITTED]).transform(x)}


def imputer(strategy, random):
    from sklearn.impute import SimpleImputer

    x = np.round(numbers(random, random.integers(1, 4)), random.integers(0, 3))
    x[1:][random.random((11, x.shape[1])) < 0.3] = np.nan
    value = 7.5 if strategy == "constant" else None
    return {
        "x": x,
        "y": SimpleImputer(strategy=strategy, fill_value=value).fit(x[:FITTED]).transform(x),
    }


def encoder(kind, random):
    from sklearn import preprocessing

    if kind == "LabelEncoder":
        x = random.integers(0, len(WORDS), 12).astype(np.uint8)
        return {"x": x, "y": preprocessing.LabelEncoder().fit_transform(WORDS[x]).astype(np.uint8)}
    x = random.integers(0, 5, (12, 2)).astype(np.uint8) + random.integers(0, 5, 2, dtype=np.uint8)
    encode = preprocessing.OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return {"x": x, "y": encode.fit(WORDS[x[:FITTED]]).transform(WORDS[x]).astype(np.uint8)}


def folds(kind, option, random):
    from sklearn import model_selection

    n, k = int(random.integers(20, 50)), int(option)
    y = random.permutation(np.concatenate([np.repeat([3, 1, 2], k), random.integers(1, 4, n)]))
    parts = list(getattr(model_selection, kind)(k).split(y, y))
    trains, tests = zip(*parts)
    return {
        "y": y.astype(np.uint8),
        "train": np.concatenate(trains).astype(np.uint8),
        "test": np.concatenate(tests).astype(np.uint8),
        "sizes": np.array([len(test) for test in tests], dtype=np.uint8),
    }


def stratified(option, random):
    """How many of each class are held out; no classes tie, for then scikit-learn draws lots."""
    from sklearn.model_selection import train_test_split

    remainders = np.zeros(4)
    while len(np.unique(np.round(remainders, 6))) < 4:
        counts = random.integers(10, 60, 4)
        total = round(counts.sum() * float(option))
        remainders = counts * total / counts.sum() % 1
    y = np.repeat(np.arange(4), counts)
    _, held_out = train_test_split(y, test_size=total, stratify=y, random_state=0)
    return {"y": y.astype(np.uint8), "counts": np.bincount(held_out, minlength=4).astype(np.uint8)}


def main():
    random = np.random.default_rng(0)
    saved = {}
    for kind, (times, options) in KINDS.items():
        for number in range(times):
            option = options[number % len(options)]
            if kind.endswith("Scaler"):
                case = scaler(kind, option, random)
            elif kind == "Imputer":
                case = imputer(option, random)
            elif kind.endswith("Encoder"):
                case = encoder(kind, random)
            elif kind.endswith("KFold"):
                case = folds(kind, option, random)
            else:
                case = stratified(option, random)
            for name, array in case.items():
                saved[f"{kind} {option} {number} | {name}"] = np.ascontiguousarray(array)
    save_file(saved, FILE)


if __name__ == "__main__":
    main()
