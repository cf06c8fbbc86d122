"""Reports of grades, as other programs read them. All have the same points.

results.json            Gradescope, and whoever wants to know all
results.xml             JUnit
results.csv             a table
results.nbgrader.csv    a table of the points of nbgrader's cells
"""

import csv
import io
import json
from pathlib import Path
from xml.etree import ElementTree

WRITTEN_AS = "a report is written as .json, .xml, .csv, .nbgrader.csv or .db. Received: {}"


def write(report, path):
    """Write a report to a file, in the way that its name asks for."""
    path, writer = Path(path), writer_for(path)
    if writer is enter:
        return enter(report, path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(writer(report), encoding="utf-8")


def writer_for(path):
    """The function that writes a report as the name of a file asks for."""
    for ending, writer in _WRITERS.items():
        if Path(path).name.endswith(ending):
            return writer
    raise LookupError(WRITTEN_AS.format(path))


def gradescope(report):
    """https://gradescope-autograders.readthedocs.io/en/latest/specs/, section Output Format"""
    tests = [
        {
            "name": _name(grade),
            "number": grade.number,
            "score": grade.points,
            "max_score": grade.maximum,
            "status": "passed" if grade.is_passed else "failed",
            "output": grade.message,
            "extra_data": {
                "student": grade.student,
                "file": grade.file,
                "sha256_file": grade.sha256_file,
                "sha256_source": grade.sha256_source,
                "printed": grade.printed,
                "seconds": grade.seconds,
                "protections": list(grade.held),
            },
        }
        for grade in report.grades
    ]
    result = {
        "score": report.points,
        "tests": tests,
        "extra_data": {
            "maximum": report.maximum,
            "unprotected": report.unprotected,
            "seed": report.seed,
        },
    }
    return json.dumps(result, indent=1) + "\n"


def junit(report):
    """One test case for an exercise, with the points as a property."""
    failed = sum(not grade.is_passed for grade in report.grades)
    counts = {"tests": str(len(report.grades)), "failures": str(failed), "errors": "0"}
    suite = ElementTree.Element("testsuite", name="minigrad", **counts)
    for grade in report.grades:
        place = ".".join(filter(None, (grade.student, f"lesson_{grade.lesson:02}")))
        facts = {"classname": place, "name": _name(grade), "time": str(grade.seconds)}
        case = ElementTree.SubElement(suite, "testcase", **facts)
        properties = ElementTree.SubElement(case, "properties")
        for name in ("points", "maximum", "sha256_source"):
            facts = {"name": name, "value": str(getattr(grade, name))}
            ElementTree.SubElement(properties, "property", **facts)
        if not grade.is_passed:
            first = grade.message.partition("\n")[0]
            ElementTree.SubElement(case, "failure", message=first).text = grade.message
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def table(report):
    """A row for an exercise."""
    head = ["student", "exercise", "title", "points", "maximum", "file"]
    head += ["sha256_file", "sha256_source", "message"]
    rows = [
        [
            *(grade.student, grade.number, grade.title),
            *(grade.points, grade.maximum, grade.file),
            *(grade.sha256_file, grade.sha256_source, grade.message),
        ]
        for grade in report.grades
    ]
    return _comma_separated([head, *rows])


def nbgrader(report):
    """A row for a cell that nbgrader grades."""
    rows = [["assignment", "student_id", "notebook", "grade_id", "score", "max_score"]]
    for grade in report.grades:
        lesson, cell = _cell(grade)
        rows.append([lesson, grade.student, lesson, cell, grade.points, grade.maximum])
    return _comma_separated(rows)


def enter(report, path):
    """Enter the points into the gradebook of a course of nbgrader, which has the assignments."""
    from nbgrader.api import Gradebook

    if not path.is_file():
        raise LookupError(f"there is no gradebook {path}: nbgrader makes it with the assignment")
    with Gradebook(f"sqlite:///{path}") as book:
        for grade in report.grades:
            lesson, cell = _cell(grade)
            book.update_or_create_student(grade.student)
            book.update_or_create_submission(lesson, grade.student)
            entry = book.find_grade(cell, lesson, lesson, grade.student)
            entry.manual_score, entry.needs_manual_grade = grade.points, False
        book.db.commit()


def _cell(grade):
    """The names of the assignment and of the cell that have the check of an exercise."""
    number = grade.number.replace(".", "-")
    return f"lesson_{grade.lesson:02}", f"exercise-{number}-check"


def _comma_separated(rows):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([map(_harmless, row) for row in rows])
    return text.getvalue()


def _harmless(cell):
    """What a spreadsheet would run as a formula becomes a text."""
    return f"'{cell}" if str(cell).startswith(("=", "+", "-", "@")) else cell


def _name(grade):
    title = f"{grade.number} {grade.title}"
    return f"{grade.student}: {title}" if grade.student else title


_WRITERS = {".json": gradescope, ".xml": junit, ".nbgrader.csv": nbgrader, ".csv": table}
_WRITERS |= {".db": enter}
