"""What a teacher hands out, and what a teacher keeps.

    students/lesson_06.py, .ipynb, .html       a lesson with its holes, in the three forms
    source/lesson_06/lesson_06.ipynb           the same with solutions: nbgrader's source
    solutions/lesson_06.html                   a page with the solutions
    nbgrader_config.py                         makes the folder a course of nbgrader

In it, `nbgrader generate_assignment lesson_06` and `nbgrader autograde lesson_06` work.
"""

import secrets
from pathlib import Path

from .. import lesson as lessons
from ..work import student_file
from . import notebooks

CONFIG = '''"""Makes this folder a course of nbgrader: https://nbgrader.readthedocs.io"""

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "minigrad"
c.ClearSolutions.code_stub = {"python": "raise NotImplementedError"}
c.ExecutePreprocessor.timeout = 300
'''


def build(out, numbers=None, hidden_tests=False, install_from=None):
    """Write an assignment of the lessons of these numbers to a folder. Returns the paths.

    hidden_tests  whether nbgrader draws other arguments as well than students can know
    """
    from . import pages

    folder, numbers = Path(out), numbers or lessons.numbers()
    names = {number: f"lesson_{number:02}" for number in numbers}
    links = {number: f"{name}.html" for number, name in names.items()}
    texts = {folder / "nbgrader_config.py": CONFIG}
    for number, name in names.items():
        lesson = lessons.load(number)
        seed = 1 + secrets.randbelow(10**9) if hidden_tests else None
        notebook = notebooks.text(lesson, install_from=install_from)
        solved = notebooks.text(lesson, solved=True, hidden_seed=seed, install_from=install_from)
        texts[folder / "students" / f"{name}.py"] = student_file(lesson)
        texts[folder / "students" / f"{name}.ipynb"] = notebook
        texts[folder / "students" / f"{name}.html"] = pages.text(lesson, links)
        texts[folder / "source" / name / f"{name}.ipynb"] = solved
        texts[folder / "solutions" / f"{name}.html"] = pages.text(lesson, links, solved=True)
    return write(texts)


def write(texts):
    """Write {path: text}, where it differs from what is there. Returns all paths."""
    for path, text in texts.items():
        if not path.is_file() or path.read_bytes() != text.encode():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
    return list(texts)
