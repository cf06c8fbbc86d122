"""`make lessons`: all notebooks and pages of the course, made anew from its texts.

notebooks/lesson_06.ipynb              with its holes
notebooks/solutions/lesson_06.ipynb    with its solutions
pages/lesson_06.html                   which git does not keep, for its pictures differ
"""

import argparse
import sys
from pathlib import Path

from .. import lesson as lessons
from . import notebooks
from .assignments import write


def main(arguments=None):
    parser = argparse.ArgumentParser(
        "python -m lessons.building", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--out", type=Path, default=".", help="the folder (default: this one)")
    parser.add_argument("--no-pages", action="store_true", help="notebooks alone, which is quick")
    parser.add_argument("--install-from", metavar="URL", help="where hosted notebooks install from")
    options = parser.parse_args(arguments)
    texts = notebook_texts(options.install_from)
    if not options.no_pages:
        texts |= page_texts()
    for path in write({options.out / path: text for path, text in texts.items()}):
        print(path)
    return 0


def notebook_texts(install_from=None):
    """{path: text} of all notebooks."""
    texts = {}
    for number in lessons.numbers():
        lesson, name = lessons.load(number), f"lesson_{number:02}.ipynb"
        holes = notebooks.text(lesson, install_from=install_from)
        solved = notebooks.text(lesson, solved=True, install_from=install_from)
        texts[Path("notebooks", name)] = holes
        texts[Path("notebooks", "solutions", name)] = solved
    return texts


def page_texts():
    """{path: text} of all pages."""
    from . import pages

    names = {number: f"lesson_{number:02}.html" for number in lessons.numbers()}
    return {Path("pages", name): pages.text(lessons.load(n), names) for n, name in names.items()}


if __name__ == "__main__":
    sys.exit(main())
