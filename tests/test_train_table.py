"""`minigrad train table` and `minigrad predict table`: from a file to predictions on other rows."""

import csv
import json

import numpy as np
import pytest

from minigrad import data
from minigrad.__main__ import main
from minigrad.programs import predict_table, table_columns
from minigrad.programs.preparation import Preparation
from minigrad.programs.table_examples import divide, examine
from minigrad.programs.train_table import train_table


def write(path, columns):
    """A CSV file of {name: values}; None is an empty field."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values()))
    return str(path)


def read(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def fruit(n=120):
    """Fruit by colour, weight and an origin that says nothing, with gaps."""
    generator = np.random.default_rng(0)
    kind = generator.integers(3, size=n)
    colour = np.array(["red", "yellow", "orange"], dtype=object)[kind]
    weight = generator.normal([150, 120, 130], 10, (n, 3))[np.arange(n), kind].round(1)
    colour[::11] = None
    return {
        "id": [f"fruit-{i}" for i in range(n)],
        "colour": colour,
        "weight": [None if i % 13 == 0 else w for i, w in enumerate(weight)],
        "origin": np.array(["north", "south"])[generator.integers(2, size=n)],
        "planet": ["earth"] * n,
        "kind": np.array(["apple", "banana", "orange"])[kind],
    }


def houses(n=120):
    """Prices that are 3 area + 50 with a garden."""
    generator = np.random.default_rng(1)
    area, garden = generator.uniform(30, 200, n).round(1), generator.integers(2, size=n)
    price = 3 * area + 50 * garden + generator.normal(0, 5, n)
    return {"area": area, "garden": np.array(["no", "yes"])[garden], "price": price.round(2)}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder after a classification: fruit.csv, and run with its report, pictures and model."""
    folder = tmp_path_factory.mktemp("fruit")
    source = write(folder / "fruit.csv", fruit())
    out = ["--out", str(folder / "run"), "--epochs", "40", "--group", "origin"]
    assert main(["train", "table", "--data", source, "--target", "kind", *out]) == 0
    return folder


@pytest.fixture(scope="module")
def regression(tmp_path_factory):
    """The folder after a regression, of a file whose first row has no price."""
    folder = tmp_path_factory.mktemp("houses")
    table = houses()
    source = write(folder / "houses.csv", table | {"price": [None, *table["price"][1:]]})
    out = ["--out", str(folder / "run"), "--epochs", "60"]
    assert main(["train", "table", "--data", source, "--target", "price", *out]) == 0
    return folder


def report_of(folder):
    return (folder / "run" / "report.txt").read_text(encoding="utf-8")


def last_line(folder):
    return report_of(folder).strip().splitlines()[-1]


# ---- Training ------------------------------------------------------------------------------------


def test_a_classification_with_text_and_gaps_beats_the_baseline(trained):
    words = last_line(trained).split()
    assert words[:2] == ["test", "accuracy"]
    accuracy, baseline = float(words[2].rstrip(";")), float(words[-1])
    assert accuracy > 0.85 and baseline < 0.5


def test_a_regression_beats_the_mean(regression):
    words = last_line(regression).split()
    assert last_line(regression).startswith("test root mean squared error")
    assert float(words[5].rstrip(";")) < 0.3 * float(words[-1])


def test_the_figures_are_those_of_the_predictions_in_the_file(trained, regression):
    rows = read(trained / "run" / "test.csv")
    accuracy = np.mean([row["true kind"] == row["predicted kind"] for row in rows])
    baseline = np.mean([row["true kind"] == "orange" for row in rows])  # the most frequent
    assert last_line(trained) == (
        f"test accuracy {accuracy:.4f}; always 'orange' gives {baseline:.4f}"
    )
    rows = read(regression / "run" / "test.csv")
    errors = [float(row["true price"]) - float(row["predicted price"]) for row in rows]
    assert f"error {np.sqrt(np.mean(np.square(errors))):.4g};" in last_line(regression)


def test_probabilities_in_the_file_are_those_of_the_model_bit_by_bit(trained):
    rows, source = read(trained / "run" / "test.csv"), data.read_csv(trained / "fruit.csv")
    preparation, model = predict_table.load(trained / "run")
    table = source.take(np.array([int(row["row"]) for row in rows]))
    outputs = model.predict(preparation.inputs(table), verbose=0)
    names = ["apple", "banana", "orange"]
    found = [[float(row[f"probability of {name}"]) for name in names] for row in rows]
    assert np.array_equal(found, outputs)
    assert [row["predicted kind"] for row in rows] == [names[i] for i in outputs.argmax(axis=1)]
    assert [row["true kind"] for row in rows] == table["kind"].tolist()


def test_the_report_has_its_stages_and_says_what_was_done(trained):
    text = report_of(trained)
    for stage in (
        *("1. Data", "2. Parts", "3. Preparation", "4. Model", "5. Training"),
        *("6. Evaluation", "7. Files"),
    ):
        assert f"{stage}" in text
    assert "'id' is left out: text with 120 different values" in text
    assert "'planet' is left out: it is always 'earth'" in text
    assert "10 missing" in text and "11 missing" in text
    assert "accuracy by 'origin':" in text and "\nnorth " in text and "\nsouth " in text
    assert "no better" not in text
    assert "numbers: weight\n" in text and "text: colour, origin\n" in text


def test_model_pictures_and_predictions_are_in_the_folder(trained, regression):
    files = {"history.png", "model.safetensors", "preparation.json", "report.txt", "test.csv"}
    found = [{file.name for file in (f / "run").iterdir()} for f in (trained, regression)]
    assert found == [files | {"confusion_matrix.png"}, files | {"predictions.png"}]


def test_two_classes_get_a_picture_of_calibration(tmp_path, capsys):
    table = houses(60)
    table["garden"], table["price"] = table["price"], table["garden"]
    source = write(tmp_path / "gardens.csv", table)
    result = train_table(source, "price", tmp_path / "run", epochs=3, hidden="")
    assert (tmp_path / "run" / "calibration.png").exists()
    text = capsys.readouterr().out
    assert "class 1 is 'yes'" in text
    assert f"test accuracy {result[0]:.4f}; always " in text


def test_classes_that_are_numbers_keep_their_names_and_old_pictures_go(tmp_path, capsys):
    table = houses(60)
    table["y"] = [10**15 + i % 2 for i in range(60)]
    source = write(tmp_path / "numbers.csv", table)
    train_table(source, "price", tmp_path / "run", epochs=1)
    assert (tmp_path / "run" / "predictions.png").exists()
    train_table(source, "y", tmp_path / "run", epochs=1)
    assert not (tmp_path / "run" / "predictions.png").exists()
    rows = read(tmp_path / "run" / "test.csv")
    names = {"1000000000000000", "1000000000000001"}
    assert {row["true y"] for row in rows} == names
    assert {row["predicted y"] for row in rows} <= names


def test_equal_seeds_give_equal_files_and_others_do_not(tmp_path, capsys):
    source = write(tmp_path / "fruit.csv", fruit(60))
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        train_table(source, "kind", tmp_path / name, epochs=2, seed=seed)
    files = ("model.safetensors", "preparation.json", "test.csv")
    a, b, c = ([(tmp_path / n / file).read_bytes() for file in files] for n in "abc")
    assert a == b
    assert all(one != other for one, other in zip(a, c))


def test_preparation_and_baseline_come_from_the_training_part_alone(tmp_path, capsys):
    source = write(tmp_path / "houses.csv", houses())
    _, baseline = train_table(source, "price", tmp_path / "run", epochs=1)
    table = data.read_csv(source)
    rows = divide(examine(table, "price"), 0.2, 0)
    train, test = (table.take(rows[name]) for name in ("train", "test"))
    learned = json.loads((tmp_path / "run" / "preparation.json").read_text(encoding="utf-8"))
    assert learned["learned"][1]["center"] == [train["area"].mean()]
    assert baseline == pytest.approx(
        np.sqrt(np.mean((test["price"] - train["price"].mean()) ** 2)), rel=1e-12
    )


def test_every_row_is_in_one_part_and_every_class_in_each():
    examples = examine(data.Table(fruit()), "kind")
    parts = divide(examples, 0.2, 0)
    assert [len(rows) for rows in parts.values()] == [76, 18, 23]
    assert sorted(np.concatenate(list(parts.values()))) == list(range(117))  # 3 repeat
    kinds = examples.table["kind"]
    for rows in parts.values():
        for kind in ("apple", "banana", "orange"):
            assert abs(sum(kinds[rows] == kind) - sum(kinds == kind) * len(rows) / 117) < 1


# ---- What is left out ----------------------------------------------------------------------------


def test_rows_without_target_and_few_repeated_rows_are_left_out():
    table = {name: [*values, values[5]] for name, values in houses(40).items()}
    table["price"][3] = None
    examples = examine(data.Table(table), "price")
    assert examples.rows.tolist() == [0, 1, 2, *range(4, 40)]
    assert examples.notes == [
        "rows left out for they have no target: 1",
        "rows left out for they repeat another: 1",
    ]


def test_rows_alike_but_for_a_column_that_is_left_out_are_no_repetition():
    table = {"row": range(40), "x": [1.5, 2] * 20, "y": ["a", "b"] * 20}
    assert examine(data.Table(table), "y").notes == [
        "'row' is left out: it numbers the rows; --keep would use it",
        "rows that repeat another stay where no number is special: the columns have few "
        "different values, so that examples are alike by chance",
    ]


def test_many_repeated_rows_stay_and_leaks_are_reported(tmp_path, capsys):
    source = write(tmp_path / "coins.csv", {"side": ["heads", "tails"] * 30, "win": [1, 0] * 30})
    train_table(source, "win", tmp_path / "run", epochs=1)
    text = capsys.readouterr().out
    assert "rows that repeat another stay" in text
    assert "note: 12 rows of test have the columns of one of train: the columns have few" in text


def test_rows_in_complaints_are_those_of_the_file():
    table = fruit(60)
    table["kind"] = [None, *table["kind"][1:]]
    table["weight"][7] = "heavy"
    table["weight"] = [None if weight is None else str(weight) for weight in table["weight"]]
    with pytest.raises(ValueError, match="'weight' .*'heavy' in row 7"):
        examine(data.Table(table), "kind")


def test_a_model_that_is_no_better_than_the_baseline_is_told_so(tmp_path, capsys):
    noise = np.random.default_rng(3).normal(size=(3, 40))
    source = write(tmp_path / "noise.csv", {"x": noise[0], "u": noise[1], "y": noise[2]})
    error, baseline = train_table(source, "y", tmp_path / "run", epochs=1, hidden="")
    assert error > baseline
    assert "no better than the baseline" in capsys.readouterr().out


def test_columns_that_say_nothing_are_left_out_with_the_reason():
    n = 40
    table = data.Table(
        {
            "row": range(1, n + 1),
            "empty": [None] * n,
            "nearly": [1.0, 2.0] + [None] * (n - 2),
            "same": [7] * n,
            "name": [f"name {i}" for i in range(n)],
            "year": [2000 + i // 2 for i in range(n)],
            "city": ["Rome", "Oslo"] * (n // 2),
        }
    )
    reasons = table_columns.left_out(table)
    assert {name: reason.split(";")[0] for name, reason in reasons.items()} == {
        "row": "it numbers the rows",
        "empty": "40 of 40 values are missing",
        "nearly": "38 of 40 values are missing",
        "same": "it is always 7",
        "name": "text with 40 different values: names or prose, no categories",
    }


def test_a_table_with_a_gap_in_every_row_can_be_learned_from(tmp_path, capsys):
    table = fruit(60)
    rows = range(60)
    table["weight"] = [w if i % 2 else None for i, w in zip(rows, table["weight"])]
    table["colour"] = [None if i % 2 else c for i, c in zip(rows, table["colour"])]
    source = write(tmp_path / "gaps.csv", table)
    assert train_table(source, "kind", tmp_path / "run", epochs=1)


@pytest.mark.parametrize(
    "target, task, chosen",
    [
        (["a", "b"] * 20, "auto", "classification"),
        ([0, 1] * 20, "auto", "classification"),
        ([0, 1] * 20, "regression", "regression"),
        (range(40), "auto", "regression"),
        ([0.5, 1] * 20, "auto", "regression"),
        ([0.5, 1] * 20, "classification", "classification"),
        (["0", "1"] * 20, "auto", "classification"),
    ],
)
def test_the_target_decides_the_task_unless_it_is_given(target, task, chosen):
    column = data.Table({"y": list(target)})["y"]
    found, why = table_columns.choose_task("y", column, task)
    assert found == chosen
    assert why


# ---- Prediction ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["trained", "regression"])
def test_predict_repeats_the_predictions_of_the_evaluation_bit_by_bit(name, request, tmp_path):
    folder = request.getfixturevalue(name)
    source = next(folder.glob("*.csv"))
    rows, evaluated = read(source), read(folder / "run" / "test.csv")
    chosen = [rows[int(row["row"])] for row in evaluated]
    unlabelled = {k: [row[k] for row in chosen] for k in reversed(list(chosen[0])[:-1])}
    new = write(tmp_path / "new.csv", unlabelled)
    out = tmp_path / "out.csv"
    model = ["--model", str(folder / "run")]
    assert main(["predict", "table", *model, "--data", new, "--out", str(out)]) == 0
    predicted = read(out)
    assert len(predicted) == len(evaluated)
    for i, (one, other) in enumerate(zip(predicted, evaluated)):
        assert one.pop("row") == str(i)
        assert one.items() <= other.items()
        assert len(one) == len(other) - 2


def test_an_unknown_category_is_taken_as_none_of_the_known_if_allowed(trained, tmp_path):
    row = {"colour": ["blue"], "weight": [120], "origin": ["north"]}
    new, out = write(tmp_path / "new.csv", row), tmp_path / "out.csv"
    options = ["--model", str(trained / "run"), "--data", new, "--out", str(out)]
    assert main(["predict", "table", *options]) == 2
    assert not out.exists()
    assert main(["predict", "table", *options, "--allow-unknown"]) == 0
    assert read(out)[0]["predicted kind"] in ("apple", "banana", "orange")


def test_text_that_looks_like_numbers_stays_text_when_predicting(tmp_path, capsys):
    table = {
        "grade": ["1", "2", "A"] * 20,
        "size": range(60, 0, -1),
        "passed": ["y", "y", "n"] * 20,
    }
    table["size"] = [size * 1.5 for size in table["size"]]
    train_table(write(tmp_path / "a.csv", table), "passed", tmp_path / "run", epochs=1)
    new = write(tmp_path / "b.csv", {"size": [3], "grade": ["1"]})
    model = ["--model", str(tmp_path / "run"), "--out", str(tmp_path / "out.csv")]
    assert main(["predict", "table", *model, "--data", new]) == 0


def test_a_preparation_from_its_file_is_the_same(tmp_path):
    table = data.Table(fruit())
    made = Preparation("kind", "classification", ["weight"], ["colour", "origin"]).fit(table)
    made.save(tmp_path / "p.json")
    same = Preparation.load(tmp_path / "p.json")
    x = made.inputs(table)
    assert np.array_equal(same.inputs(table), x)
    assert x.shape == (120, made.width) == (120, 1 + 4 + 2)  # a missing colour is a category
    assert np.array_equal(same.targets(table), made.targets(table))
    assert same.classes == ["apple", "banana", "orange"]


# ---- Bad input -----------------------------------------------------------------------------------

N = 40
GOOD = {"x": [i * 0.5 for i in range(N)], "c": ["a", "b"] * (N // 2), "y": ["u", "v"] * (N // 2)}
HALVES = [i / 2 for i in range(N)]


def table(**columns):
    """GOOD with other columns, as the lines of a CSV file."""
    columns = {name: list(values) for name, values in (GOOD | columns).items()}
    rows = [columns, *zip(*columns.values())]
    return "\n".join(",".join("" if v is None else str(v) for v in row) for row in rows)


BAD_TRAINING = {
    "no file": (None, [], ["absent.csv"]),
    "empty file": ("", [], ["bad.csv is empty"]),
    "header alone": ("x,y\n", [], ["header but no rows"]),
    "ragged": (table() + "\n1,2", [], ["line 42", "3 fields expected", "Received: 2"]),
    "wrong delimiter": (table().replace(",", ";"), [], ["Give --delimiter ';'"]),
    "long delimiter": (table(), ["--delimiter", "::"], ["delimiter", "'::'"]),
    "twice a name": (table().replace("x,c,y", "y,c,y"), [], ["same name", "'y'"]),
    "no text": ("x,y\n\0", [], ["zero byte"]),
    "unknown target": (table(), ["--target", "yy"], ["'yy'", "did you mean 'y'"]),
    "unknown drop": (table(), ["--drop", "cc"], ["'cc'", "did you mean 'c'"]),
    "unknown group": (table(), ["--group", "cc"], ["'cc'", "did you mean 'c'"]),
    "target dropped": (table(), ["--drop", "y"], ["--drop", "'y'"]),
    "all dropped": (
        table(),
        ["--drop", "x", "--drop", "c"],
        ["no column is left", "['x', 'c', 'y']"],
    ),
    "group is target": (table(), ["--group", "y"], ["--group", "'y'"]),
    "too many groups": (table(), ["--group", "x"], ["--group", "'x' with 40"]),
    "no target at all": (table(y=[None] * N), [], ["'y'".strip("'"), "Received: 0"]),
    "few rows": (table(y=["u"] * 19 + [None] * 21), [], ["at least 20", "Received: 19"]),
    "few different rows": (table(x=[1] * 19 + HALVES[:21], c="a" * N, y="u" * N), [], ["'u'"]),
    "one class": (table(y=["u"] * N), [], ["'y'", "'u' in all 40"]),
    "one number": (table(y=[7] * N), [], ["'y'", "7 in all 40"]),
    "rare class": (table(y=["w", *GOOD["y"][1:]]), [], ["'w'", "1 of class"]),
    "rare number": (table(y=[3] + [0, 1] * 19 + [0]), [], ["class 3", "--task regression"]),
    "text for regression": (table(), ["--task", "regression"], ["'y'", "'u'", "regression"]),
    "stray in target": (table(y=["?!", *HALVES[1:]]), [], ["'y'", "line 2: "]),
    "stray in column": (table(x=[*HALVES[1:], "abc"]), [], ["'x'", "line 41: "]),
    "infinite value": (table(x=["inf", *HALVES[1:]]), [], ["'x'", "line 2: "]),
    "infinite target": (table(y=["inf", *HALVES[1:]]), [], ["'y'", "line 2: "]),
    "too large": (table(x=[v * 1e300 for v in HALVES]), [], ["'x'", "too large"]),
    "too large a target": (table(y=[v * 1e300 for v in HALVES]), [], ["'y'", "too large"]),
    "nothing to learn": (table(x=[1] * N, c=["a"] * N), [], ["'y'", "'x' is left out"]),
    "unknown task": (table(), ["--task", "classify"], ["'classify'", "classification"]),
    "no epochs": (table(), ["--epochs", "0"], ["epochs=0"]),
    "negative seed": (table(), ["--seed", "-1"], ["seed", "-1"]),
    "no test": (table(), ["--test", "0"], ["test=0.0"]),
    "all test": (table(), ["--test", "0.9"], ["test=0.9"]),
    "test without a class": (table(), ["--test", "0.001"], ["too few", "test=0.001"]),
    "words for units": (table(), ["--hidden", "64,many"], ["hidden='64,many'"]),
    "too many units": (table(), ["--hidden", "99999999999"], ["hidden='99999999999'"]),
    "no units": (table(), ["--hidden", "64,0"], ["hidden='64,0'"]),
}


def complaint(arguments, capsys):
    """The one line that an error of the user gives."""
    assert main(arguments) == 2
    out, text = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in text
    assert text.count("\n") == 1
    return text


@pytest.mark.parametrize("content, options, culprits", BAD_TRAINING.values(), ids=BAD_TRAINING)
def test_what_cannot_be_learned_from_is_one_line_and_writes_nothing(
    content, options, culprits, tmp_path, capsys
):
    source, out = tmp_path / ("absent.csv" if content is None else "bad.csv"), tmp_path / "out"
    if content is not None:
        source.write_text(content, encoding="utf-8")
    files = ["--data", str(source), "--out", str(out)]
    text = complaint(["train", "table", "--target", "y", *files, *options], capsys)
    assert all(culprit in text for culprit in culprits), text
    assert not out.exists()


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path, capsys):
    source = tmp_path / "good.csv"
    source.write_text(table(), encoding="utf-8")
    files = ["--data", str(source), "--out", str(source)]
    assert "good.csv" in complaint(["train", "table", "--target", "y", *files], capsys)
    assert source.read_text(encoding="utf-8") == table()


def test_the_data_are_not_written_over(tmp_path, capsys):
    source = tmp_path / "test.csv"
    source.write_text(table(), encoding="utf-8")
    files = ["--data", str(source), "--out", str(tmp_path)]
    assert "--out" in complaint(["train", "table", "--target", "y", *files], capsys)
    assert source.read_text(encoding="utf-8") == table()


BAD_PREDICTION = {
    "missing column": ("colour,weigth\nred,1", ["'weight'", "did you mean 'weigth'", "new.csv"]),
    "unknown category": (
        "colour,weight,origin\nred,1,north\nblue,1,west",
        ["line 3: ", "'blue'", "1 other such category"],
    ),
    "text for a number": (
        "colour,weight,origin\nred,light,north",
        ["line 2", "'weight'", "'light'"],
    ),
    "infinite": ("colour,weight,origin\nred,inf,north", ["'weight'", "line 2: "]),
    "too large": ("colour,weight,origin\nred,1e300,north", ["'weight'", "line 2: ", "1e+300"]),
    "ragged": ("colour,weight,origin\nred,1", ["line 2", "3 fields expected"]),
    "empty": ("", ["new.csv is empty"]),
}


@pytest.mark.parametrize("content, culprits", BAD_PREDICTION.values(), ids=BAD_PREDICTION)
def test_rows_that_do_not_fit_the_model_are_refused(content, culprits, trained, tmp_path, capsys):
    new, out = tmp_path / "new.csv", tmp_path / "out.csv"
    new.write_text(content, encoding="utf-8")
    files = ["--model", str(trained / "run"), "--data", str(new), "--out", str(out)]
    text = complaint(["predict", "table", *files], capsys)
    assert all(culprit in text for culprit in culprits), text
    assert not out.exists()


@pytest.mark.parametrize(
    "files, culprit",
    [
        (["--model", "no/folder"], "no/folder"),
        (["--model", "."], "preparation.json"),
        (["--out", "new.csv"], "'new.csv' for both"),
        (["--out", "."], "is a folder"),
        (["--out", "no/folder/out.csv"], "no folder"),
        (["--data", "absent.csv"], "absent.csv"),
    ],
)
def test_files_of_a_prediction_that_cannot_be_are_named(
    files, culprit, trained, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    content = "colour,weight,origin\nred,1,north"
    (tmp_path / "new.csv").write_text(content, encoding="utf-8")
    good = ["--model", str(trained / "run"), "--data", "new.csv", "--out", "out.csv"]
    assert culprit in complaint(["predict", "table", *good, *files], capsys)
    assert (tmp_path / "new.csv").read_text(encoding="utf-8") == content


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "[]",
        lambda text: text.replace('"numbers"', '"figures"'),
        lambda text: text.replace('"version": 2', '"version": 1'),
        lambda text: text.replace('"classification"', '"regression"'),
        lambda text: text.replace('"weights": "', '"weights": "0'),  # of another training
        lambda text: text.replace('   "apple",', ""),  # a class less than the model has
    ],
)
def test_a_damaged_preparation_is_refused(damage, trained, tmp_path, capsys):
    for file in ("model.safetensors", "preparation.json"):
        (tmp_path / file).write_bytes((trained / "run" / file).read_bytes())
    path = tmp_path / "preparation.json"
    good = path.read_text(encoding="utf-8")
    path.write_text(damage(good), encoding="utf-8")
    assert path.read_text(encoding="utf-8") != good
    new = write(tmp_path / "new.csv", {"colour": ["red"], "weight": [1], "origin": ["north"]})
    files = ["--model", str(tmp_path), "--data", new, "--out", str(tmp_path / "out.csv")]
    assert "preparation.json" in complaint(["predict", "table", *files], capsys)


def test_a_file_of_the_model_is_not_replaced_by_predictions(trained, capsys):
    out = trained / "run" / "model.safetensors"
    before = out.read_bytes()
    files = ["--model", str(trained / "run"), "--data", str(trained / "fruit.csv")]
    assert "of the model" in complaint(["predict", "table", *files, "--out", str(out)], capsys)
    assert out.read_bytes() == before


def test_keep_uses_a_column_that_would_be_left_out_unless_it_is_constant():
    table = data.Table({"id": range(40), "same": [1] * 40})
    assert set(table_columns.left_out(table, ["id", "same"])) == {"same"}


def test_numbers_in_order_stay_unless_they_come_first_or_are_called_an_identifier():
    names = ("x", "year", "PassengerId", "row_number", "height")
    table = data.Table({name: range(40) for name in names})
    assert set(table_columns.left_out(table)) == {"x", "PassengerId", "row_number"}


def test_rows_that_repeat_a_special_number_are_left_out_however_many():
    table = {name: list(values) * 3 for name, values in houses(60).items()}
    examples = examine(data.Table(table), "price")
    assert examples.rows.tolist() == list(range(60))
    assert "rows left out for they repeat another: 120" in examples.notes


def test_markers_and_encoding_of_the_training_serve_the_prediction(tmp_path, capsys):
    table = houses(60)
    table["garden"] = ["né" if i % 2 else "n/a" for i in range(60)]
    source = tmp_path / "a.csv"
    write(tmp_path / "b.csv", table)
    text = (tmp_path / "b.csv").read_text(encoding="utf-8").replace(",", ";")
    source.write_text(text, encoding="latin-1")
    run = ["--out", str(tmp_path / "run"), "--delimiter", ";", "--encoding", "latin-1"]
    files = ["--data", str(source)]
    assert main(["train", "table", *files, "--target", "price", *run, "--epochs", "1"]) == 0
    assert "taken as missing, and how often: 'n/a' 30" in capsys.readouterr().out
    out = ["--model", str(tmp_path / "run"), "--out", str(tmp_path / "out.csv")]
    assert main(["predict", "table", *files, *out]) == 0


def test_a_rare_class_is_pointed_out_and_the_order_is_told(tmp_path, capsys):
    x = np.random.default_rng(0).normal(size=300)
    y = np.where(x < np.sort(x)[15], "ill", "well")
    source = write(tmp_path / "rare.csv", {"x": x, "y": y})
    train_table(source, "y", tmp_path / "run", epochs=1, hidden="")
    text = capsys.readouterr().out
    assert "'ill' has 3 of the 60 rows of the test: accuracy says little about it" in text
    assert "; area below the ROC curve" in text.splitlines()[-1]


def test_one_empty_field_that_training_did_not_have_is_called_so(trained, tmp_path, capsys):
    new = write(tmp_path / "new.csv", {"colour": ["red"], "weight": [1], "origin": [None]})
    out = ["--out", str(tmp_path / "out.csv"), "--model", str(trained / "run")]
    text = complaint(["predict", "table", "--data", new, *out], capsys)
    assert "line 2: column 'origin' has an empty field that training did not have" in text
    assert "other such" not in text
    assert main(["predict", "table", "--data", new, *out, "--allow-unknown"]) == 0
    assert "1 prediction of" in capsys.readouterr().out
