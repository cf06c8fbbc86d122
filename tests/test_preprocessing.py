"""Preprocessing gives scikit-learn's values, in 200 random cases."""

import numpy as np
import pytest

from minigrad import data
from tests.golden.make_preprocessing import FITTED, KINDS, WORDS, load

CASES = load()


def of(*kinds):
    return pytest.mark.parametrize("case", [case for case in CASES if case.split()[0] in kinds])


def test_every_case_is_there():
    assert len(CASES) == sum(times for times, _ in KINDS.values()) == 200


@of("StandardScaler", "MinMaxScaler", "RobustScaler")
def test_a_scaler_agrees(case):
    kind, option, _ = case.split()
    options = {} if option == "-" else {"feature_range": [float(x) for x in option.split(",")]}
    x, y = CASES[case]["x"], CASES[case]["y"]
    scaler = getattr(data, kind)(**options).fit(x[:FITTED])
    np.testing.assert_allclose(scaler.transform(x), y, rtol=1e-12, atol=1e-12)


@of("Imputer")
def test_an_imputer_agrees(case):
    _, strategy, _ = case.split()
    x, y = CASES[case]["x"], CASES[case]["y"]
    imputer = data.Imputer(strategy, fill_value=7.5 if strategy == "constant" else None)
    np.testing.assert_allclose(imputer.fit(x[:FITTED]).transform(x), y, rtol=1e-12)


@of("LabelEncoder")
def test_a_label_encoder_agrees(case):
    found = data.LabelEncoder().fit_transform(WORDS[CASES[case]["x"]])
    assert found.dtype == np.int64
    assert np.array_equal(found, CASES[case]["y"])


@of("OneHotEncoder")
def test_a_one_hot_encoder_agrees(case):
    words = WORDS[CASES[case]["x"]]
    found = data.OneHotEncoder(unknown="zeros").fit(words[:FITTED]).transform(words)
    assert found.dtype == np.float32
    assert np.array_equal(found, CASES[case]["y"])


@of("KFold", "StratifiedKFold")
def test_folds_agree(case):
    kind, k, _ = case.split()
    parts = list(getattr(data, kind)(int(k)).split(CASES[case]["y"]))
    trains, tests = zip(*parts)
    assert [len(test) for test in tests] == CASES[case]["sizes"].tolist()
    assert np.array_equal(np.concatenate(trains), CASES[case]["train"])
    assert np.array_equal(np.concatenate(tests), CASES[case]["test"])


@of("stratified")
def test_a_stratified_split_holds_out_as_many_of_each_class(case):
    y, counts = CASES[case]["y"], CASES[case]["counts"]
    fraction = counts.sum() / len(y)
    _, test = data.stratified_split(y, fraction, seed=0)
    assert np.bincount(y[test], minlength=4).tolist() == counts.tolist()
    _, _, test = data.train_validation_test_split(y, validation=0.2, test=fraction)
    assert np.bincount(y[test], minlength=4).tolist() == counts.tolist()
