"""Tables and the files they are read from: kinds of columns, quoting, errors with their place."""

import csv
import gzip
import io
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad import data
from minigrad.data import Table, read_csv

NAN = float("nan")


def table():
    return Table({"height": [1.8, None, 1.6], "eyes": ["blue", "brown", None], "age": [3, 4, 5]})


def write(folder, content, name="file.csv"):
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder / name


def plain(table):
    """{name: list} with None for what is missing."""
    columns = {name: table[name].tolist() for name in table.columns}
    return {name: [None if v != v else v for v in column] for name, column in columns.items()}


# ---- Table ---------------------------------------------------------------------------------------


def test_a_table_keeps_its_columns_in_order():
    assert table().columns == ["height", "eyes", "age"]
    assert len(table()) == 3
    assert "eyes" in table() and "ears" not in table()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2], [1.0, 2.0]),
        ([True, np.False_], [1.0, 0.0]),
        ([1, None], [1.0, None]),
        ([NAN, None], [None, None]),
        (np.array([1, 2], dtype=np.uint8), [1.0, 2.0]),
        (np.array([0.5, np.inf], dtype=np.float32), [0.5, math.inf]),
        (["a", None], ["a", None]),
        (["a", NAN], ["a", None]),
        (np.array(["a", "b"]), ["a", "b"]),
        (np.array(["a", "b"], dtype=np.dtypes.StringDType()), ["a", "b"]),
        ([2**53 - 1], [2.0**53 - 1]),
    ],
)
def test_a_column_is_numbers_with_nan_or_text_with_none(values, expected):
    column = Table({"c": values})["c"]
    assert column.dtype == (object if isinstance(expected[0], str) else np.float64)
    assert plain(Table({"c": values})) == {"c": expected}


def test_a_column_of_none_alone_is_text():
    column = Table({"c": [None, None]})["c"]
    assert column.dtype == object and column.tolist() == [None, None]


def test_a_column_is_a_read_only_copy():
    values = np.array([1.0, 2.0])
    column = Table({"c": values})["c"]
    values[0] = 9
    assert column[0] == 1
    with pytest.raises(ValueError, match="read-only"):
        column[0] = 9


def test_columns_are_selected_dropped_and_replaced():
    assert table().select("age", "eyes").columns == ["age", "eyes"]
    assert table().drop("eyes").columns == ["height", "age"]
    changed = table().replace({"age": ["x", "y", "z"], "new": [7, 8, 9]})
    assert changed.columns == ["height", "eyes", "age", "new"]
    assert plain(changed)["age"] == ["x", "y", "z"] and plain(table())["age"] == [3, 4, 5]


@pytest.mark.parametrize("rows", [[True, False, True], [0, 2], np.array([0, -1]), range(0, 3, 2)])
def test_rows_are_taken_by_a_mask_or_by_indices(rows):
    expected = {"height": [1.8, 1.6], "eyes": ["blue", None], "age": [3, 5]}
    assert plain(table().take(rows)) == expected


def test_text_stays_text_where_only_missing_values_are_taken():
    assert table().take([2])["eyes"].dtype == object


def test_number_columns_become_a_matrix():
    matrix = table().matrix("age", "height")
    assert matrix.dtype == np.float64
    np.testing.assert_array_equal(matrix, [[3, 1.8], [4, NAN], [5, 1.6]])
    assert table().drop("eyes").matrix().shape == (3, 2)


def test_a_table_shows_a_line_for_each_column():
    assert repr(table()).splitlines() == [
        "Table of 3 rows and 3 columns",
        "  'height'  numbers  1.8, missing, 1.6 (1 missing)",
        "  'eyes'    text     'blue', 'brown', missing (1 missing)",
        "  'age'     numbers  3, 4, 5",
    ]


def test_a_large_table_has_a_short_repr():
    wide = Table({f"column {i}\n": ["long text " * 9] * 5000 for i in range(30)})
    lines = repr(wide).splitlines()
    assert lines[0] == "Table of 5,000 rows and 30 columns"
    assert lines[-1] == "  and 10 more columns" and len(lines) == 22
    assert max(map(len, lines)) < 110


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda: Table({}), r"made of \{name: values\}. Received: \{\}"),
        (lambda: Table([1, 2]), r"Received: \[1, 2\]"),
        (lambda: Table({"": [1]}), "a column's name is text, and not empty. Received: ''"),
        (lambda: Table({7: [1]}), "Received: 7"),
        (lambda: Table({"a": [1], "b": [1, 2]}), "Received rows: a 1, b 2"),
        (lambda: Table({"a": []}), "at least one row"),
        (lambda: Table({"a": 5}), r"column 'a' must be of shape \(n,\). Received: shape \(\)"),
        (lambda: Table({"a": [[1], [2]]}), r"column 'a' .* shape \(2, 1\)"),
        (lambda: Table({"a": ["x", 1]}), "column 'a' must be all .* Received: 'x', of type str"),
        (lambda: Table({"a": [1, b"x"]}), "column 'a' .* Received: b'x', of type bytes"),
        (lambda: Table({"a": [1j]}), "column 'a' .* Received: 1j, of type complex"),
        (lambda: Table({"a": [2**53]}), "column 'a' .* below 2.*Received: 9007199254740992"),
        (lambda: Table({"a": np.array([2**63], dtype=np.uint64)}), "Received: 9223372036854775808"),
        (lambda: Table({"a": np.array([-(2**53)])}), "column 'a' .* Received: -9007199254740992"),
        (lambda: Table({"a": [10**400, None]}), "column 'a' .* below 2"),
        (lambda: table()["heigt"], "unknown column 'heigt'; did you mean 'height'"),
        (lambda: table()[0], r"by take\(rows\). Received: 0"),
        (lambda: table()[["eyes", "age"]], r'by select\("a", "b"\), .* Received: list'),
        (lambda: table()[table()["age"] > 3], r"rows by take\(rows\). Received: ndarray"),
        (lambda: table().select(["age"]), "chosen by its name, .* Received: list"),
        (lambda: table().select(*np.ones((2, 3))), "chosen by its name, .* Received: ndarray"),
        (lambda: table().drop(["age"]), "chosen by its name, .* Received: list"),
        (lambda: np.asarray(table()), r"a Table is no array of numbers; its .matrix\(\) is one"),
        (lambda: table().select("age", "eye"), "did you mean 'eyes'"),
        (lambda: table().select("age", "age"), "once. Received: 'age' twice"),
        (lambda: table().drop("eye"), "did you mean 'eyes'"),
        (lambda: table().drop("height", "eyes", "age"), r"Received: \{\}"),
        (lambda: table().replace({"age": [1]}), "height 3, eyes 3, age 1"),
        (lambda: table().matrix(), "'eyes' must hold numbers, .* Received: 'blue' in row 0"),
        (lambda: table().take([True]), "a mask needs 3 values. Received: 1"),
        (lambda: table().take([False] * 3), "at least one row. Received: .* none of 3"),
        (lambda: table().take([0, 3]), "rows 0 to 2. Received: 0 to 3"),
        (lambda: table().take([-4]), "rows 0 to 2. Received: -4 to -4"),
        (lambda: table().take([0.5]), "Received: float64 of shape"),
        (lambda: table().take(1), r"Received: int64 of shape \(\)"),
    ],
)
def test_a_table_names_bad_input(use, message):
    with pytest.raises(ValueError, match=message):
        use()


def test_a_table_says_which_text_is_no_number():
    with pytest.raises(ValueError, match="'a' must hold numbers, .* Received: 'x' in row 2"):
        Table({"a": ["1", None, "x"]}).matrix("a")


def test_a_table_is_no_sequence_of_rows_or_columns():
    with pytest.raises(TypeError, match="not iterable"):
        list(table())


# ---- read_csv ------------------------------------------------------------------------------------

SMALL = "age,eyes\n39,blue\n,?\n50.5,brown\n"
ROWS = {"age": [39, None, 50.5], "eyes": ["blue", None, "brown"]}


@pytest.mark.parametrize(
    ("content", "options"),
    [
        (SMALL, {}),
        (SMALL.replace("\n", "\r\n"), {}),
        (SMALL.replace("\n", "\r"), {}),
        (SMALL.rstrip(), {}),
        (SMALL.replace("\n", "\n\n"), {}),
        (SMALL.encode("utf-8-sig"), {}),
        (gzip.compress(SMALL.encode(), mtime=0), {}),
        (SMALL.encode("utf-16"), {"encoding": "utf-16"}),
        (SMALL.replace(",", ";"), {"delimiter": ";"}),
        (SMALL.replace(",", "\t"), {"delimiter": "\t"}),
        (SMALL.replace(",", ", "), {"skip_spaces": True}),
        (SMALL.split("\n", 1)[1], {"header": ["age", "eyes"]}),
        (SMALL.replace("39", '"39"').replace("brown", '"brown"'), {}),
    ],
)
def test_a_file_is_read_in_all_its_spellings(tmp_path, content, options):
    assert plain(read_csv(write(tmp_path, content), **options)) == ROWS


def test_without_a_header_columns_are_numbered(tmp_path):
    assert plain(read_csv(write(tmp_path, "1,a\n2,b\n"), header=False)) == {
        "0": [1, 2],
        "1": ["a", "b"],
    }


def test_quoted_fields_hold_delimiters_quotes_and_line_ends(tmp_path):
    content = 'name,"the\nsaying"\n"Li, Bo","one ""two""\r\nthree"\n'
    found = plain(read_csv(write(tmp_path, content)))
    assert found == {"name": ["Li, Bo"], "the\nsaying": ['one "two"\r\nthree']}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (["1", "-2.5", "+3e-2", ".5", "7."], [1, -2.5, 0.03, 0.5, 7]),
        ([" 1", "2 ", " NA "], [1, 2, None]),
        (["inf", "-Infinity", "nan"], [math.inf, -math.inf, None]),
        (["?", "", "null"], [None, None, None]),
        (["1", "x", "NA"], ["1", "x", None]),
        (["1", "2_000", "٣"], ["1", "2_000", "٣"]),  # numbers for Python, not for a table
        (["0", "007", "1"], ["0", "007", "1"]),
        (["1", "9007199254740993"], ["1", "9007199254740993"]),
        (["1", "1e999"], ["1", "1e999"]),
        ([" x ", "0x10"], ["x", "0x10"]),
        (["9007199254740991"], [2.0**53 - 1]),
    ],
)
def test_fields_decide_what_a_column_holds_and_nothing_is_lost(tmp_path, fields, expected):
    content = "".join(f'"{field}"\n' for field in ["c", *fields])
    found = read_csv(write(tmp_path, content))
    assert plain(found) == {"c": expected}
    assert found["c"].dtype == (object if isinstance(expected[0], str) else np.float64)


def test_a_long_field_takes_no_time(tmp_path):
    text = "1" * 100_000 + "x"
    assert read_csv(write(tmp_path, f"a\n{text}\n"))["a"][0] == text


def test_columns_can_be_forced(tmp_path):
    file = write(tmp_path, "a,b,c\n007,1,\n9007199254740993,2,\n")
    found = read_csv(file, numbers="a", text=["b", "c"])
    assert plain(found) == {"a": [7, 2.0**53], "b": ["1", "2"], "c": [None, None]}
    assert found["c"].dtype == object


def test_what_counts_as_missing_can_be_chosen(tmp_path):
    file = write(tmp_path, "a,b\n-,NA\n1,\n")
    assert plain(read_csv(file, missing="-")) == {"a": [None, 1], "b": ["NA", ""]}
    assert plain(read_csv(file, missing=())) == {"a": ["-", "1"], "b": ["NA", ""]}


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)


@given(st.integers(2, 4).flatmap(lambda d: st.lists(st.tuples(*[CELLS] * d), min_size=1)))
def test_text_comes_back_as_csv_wrote_it(tmp_path_factory, rows):
    stream = io.StringIO()
    names = [f"column {i}" for i in range(len(rows[0]))]
    csv.writer(stream).writerows([names, *rows])
    file = write(tmp_path_factory.getbasetemp(), stream.getvalue())
    found = read_csv(file, missing=(), text=names)
    expected = [tuple(text.strip() for text in row) for row in rows]
    assert list(zip(*(found[name] for name in names))) == expected


@given(st.lists(st.tuples(*[st.floats(allow_nan=False)] * 2), min_size=1))
def test_numbers_come_back_bit_by_bit(tmp_path_factory, rows):
    content = "".join(f"{a!r},{b!r}\n" for a, b in [("a", "b"), *rows]).replace("'", "")
    found = read_csv(write(tmp_path_factory.getbasetemp(), content), numbers=["a", "b"])
    assert found.matrix().tobytes() == np.array(rows).tobytes()


BAD_FILES = {
    "empty": ("", {}, "is empty"),
    "blank": ("\n \n", {}, "is empty"),
    "header only": ("a,b\n", {}, r"has a header but no rows. Received: \['a', 'b'\]"),
    "short row": (
        "a,b,c\n1,2,3\n\n4,5\n",
        {},
        "line 4: 3 fields expected, as in line 1. Received: 2; the row ends before column 'c'",
    ),
    "long row": ("a,b\n1,2\n3,4,5\n", {}, "line 3: 2 fields .*Received: 3; .* too many is '5'"),
    "short row after a quoted line end": ('a,b\n"x\ny",2\n3\n', {}, "line 4: 2 fields"),
    "wrong number of names": ("1,2\n", {"header": ["a"]}, "line 1: 1 field expected, as in header"),
    "semicolons": ("a;b\n1;2\n", {}, "one column found with delimiter=','.* 1 of ';'. Give deli"),
    "decimal commas": ("a;b\n1,5;2,5\n", {}, "the first line has 1 of ';'"),
    "commas of later rows": ("a;b\n1;2;3\n4;5\n6,5;7\n", {}, "Give delimiter=';'"),
    "tabs": ("a\tb\tc\n1\t2\t3\n", {}, r"the first line has 2 of '\\t'"),
    "commas": ("a,b\n1,2\n", {"delimiter": ";"}, "Give delimiter=','"),
    "quoted semicolons": ('"a";"b"\n"1";"2"\n', {}, "Give delimiter=';'"),
    "duplicate name": ("a,b, a\n1,2,3\n", {}, "line 1: columns 1 and 3 .* Received: 'a'"),
    "empty name": ("a,,c\n1,2,3\n", {}, "line 1: column 2 has no name. Received: ''"),
    "row numbers": (",a\n0,1\n", {}, r"column 1 has no name. .* pandas .*index=False"),
    "mark of UTF-8": (SMALL.encode("utf-8-sig"), {"encoding": "latin-1"}, "Give encoding='utf-8-s"),
    "mark in UTF-8": (SMALL.encode("utf-8-sig"), {"encoding": "utf-8"}, "Give encoding='utf-8-sig"),
    "bad given name": ("1\n", {"header": [3]}, "header: column 1 has no name. Received: 3"),
    "latin-1": ("a,b\nx,y\né,z\n".encode("latin-1"), {}, "line 3: 'utf-8' .* Give encoding="),
    "utf-16": ("a,b\n1,2\n".encode("utf-16"), {}, "line 1: .* Give encoding="),
    "utf-16 without mark": ("a,b\n1,2\n".encode("utf-16-le"), {}, "line 1: a zero byte"),
    "NUL": ("a,b\n1,2\n3,\0\n", {}, "line 3: a zero byte"),
    "NUL after carriage returns": ("a,b\r1,2\r\r3,\0", {}, "line 4: a zero byte"),
    "unclosed quote": ('a,b\n1,2\n"3,4\n5,6\n', {}, "row that begins in line 3 .*never closed"),
    "text after a quote": ('a,b\n"1"2,3\n', {}, "row that begins in line 2 cannot be read"),
    "cut gzip": (gzip.compress(b"a,b\n1,2\n")[:-9], {}, "is not an intact gzipped file"),
    "damaged gzip": (b"\x1f\x8bnonsense", {}, "is not an intact gzipped file"),
    "stray text": (
        "a,b\n1,2\n?,2\n1o,3\n",
        {"numbers": "a"},
        "line 4, column 'a': a number expected. Received: '1o'",
    ),
    "too large": ("a\n1e999\n", {"numbers": "a"}, "line 2, column 'a': .* Received: '1e999'"),
}


@pytest.mark.parametrize(("content", "options", "message"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_bad_file_is_named_with_line_and_column(tmp_path, content, options, message):
    with pytest.raises(ValueError, match=f"bad-file.csv.*{message}"):
        read_csv(write(tmp_path, content, "bad-file.csv"), **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"numbers": "aeg"}, "unknown column 'aeg'; did you mean 'age'"),
        ({"text": ["eye"]}, "unknown column 'eye'; did you mean 'eyes'"),
        ({"text": "age", "numbers": "age"}, "not both. Received: 'age'"),
        ({"numbers": 3}, "numbers must be a text or a list .* Received: 3"),
        ({"missing": [0]}, r"missing must be .* Received: \[0\]"),
        ({"delimiter": "::"}, "one character.* Received: delimiter='::'"),
        ({"delimiter": '"'}, "Received: delimiter='\"'"),
        ({"delimiter": None}, "Received: delimiter=None"),
        ({"encoding": "utf-9"}, "Received: encoding='utf-9'"),
        ({"encoding": 8}, "Received: encoding=8"),
        ({"header": "age"}, "True, False or a list of names. Received: 'age'"),
    ],
)
def test_bad_options_are_named(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        read_csv(write(tmp_path, SMALL), **options)


def test_a_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere.csv"):
        read_csv(tmp_path / "nowhere.csv")


def test_names_are_part_of_the_package():
    assert data.Table is Table and data.read_csv is read_csv
