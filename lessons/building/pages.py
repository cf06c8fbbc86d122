"""A lesson as a page: one file of HTML, without network and without JavaScript.

Formulas are MathML, which browsers draw and screen readers read aloud; the code is run, and what it
prints and draws stands below it. The page follows the reader's choice of light or dark.
"""

import html
import re
from pathlib import Path

from .. import lesson as lessons
from ..exercise import Exercise
from ..lesson import Code
from ..pictures import embedded
from ..skeleton import filled, skeleton
from .notebooks import PICTURE
from .running import run

STYLE = Path(__file__).with_name("page.css")
UNKNOWN = re.compile(r">\\\w+<|&#x00026;")  # in MathML: a command, or the mark of a column
APPLIED = re.compile(  # a function's name before what it is applied to, if that has no brackets
    r"(?<!<msup>)(?<!<msub>)<mi>(?:exp|log|ln|sin|cos|tan|tanh)</mi>(?=<m(?!o))"
)
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
{way}<main>
{content}</main>
{way}</body>
</html>
"""


def text(lesson, names=None, solved=False):
    """The page of a lesson; with the solutions, or else with the holes.

    names  {number of a lesson: its file}, for the way to the lessons before and after
    """
    markdown, shown = _markdown(), run(lesson)
    content, alt = [], ""
    for part in lesson.parts:
        if isinstance(part, Exercise):
            content.append(_exercise(part, solved))
        elif isinstance(part, Code):
            content.append(_code(part.source))
            content.append(_shown(shown[part.line], alt))
        else:
            pictures = PICTURE.findall(part.text)
            alt = " ".join(pictures[-1].split()) if pictures else ""
            content.append(markdown.render(PICTURE.sub("", part.text)))
    title = html.escape(f"Lesson {lesson.number}: {lesson.title}")
    style = STYLE.read_text(encoding="utf-8")
    way = _way(lesson.number, names or {})
    return PAGE.format(title=title, style=style, content="".join(content), way=way)


def _way(number, names):
    """Links to the lessons before and after this one."""
    places = {number - 1: "prev", number + 1: "next"}
    links = [
        f'<a rel="{rel}" href="{names[n]}">Lesson {n}: {html.escape(lessons.load(n).title)}</a>'
        for n, rel in places.items()
        if n in names
    ]
    return f'<nav aria-label="Lessons">{"".join(links)}</nav>\n' if links else ""


def _exercise(exercise, solved):
    source = filled(exercise) if solved else skeleton(exercise)
    number = exercise.number
    ask = f"<p>In the terminal: <code>minigrad-learn check {number}</code></p>\n"
    return f'<div class="exercise">\n{_code(source)}{ask}</div>\n'


def _code(source):
    return f'<pre tabindex="0"><code>{html.escape(source.strip())}</code></pre>\n'


def _shown(shown, alt):
    pieces = []
    if shown.text.strip():
        printed = html.escape(shown.text.rstrip())
        hidden = '<p class="visually-hidden">It prints:</p>\n'
        pieces.append(f'{hidden}<pre class="shown" tabindex="0">{printed}</pre>\n')
    for figure in shown.figures:
        pieces.append(f"<figure>{embedded(figure, alt)}</figure>\n")
    return "".join(pieces)


# ---- Markdown and formulas -----------------------------------------------------------------------


def _markdown():
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    markdown = MarkdownIt("commonmark").enable("table")
    dollarmath_plugin(markdown, allow_digits=False, renderer=_formula)
    markdown.add_render_rule("table_open", lambda *_: '<div class="wide" tabindex="0"><table>\n')
    markdown.add_render_rule("table_close", lambda *_: "</table></div>\n")
    return markdown


def _formula(latex, options):
    from latex2mathml.converter import convert

    display = "block" if options["display_mode"] else "inline"
    formula = convert(latex.replace("{aligned}", "{split}"), display=display)
    if UNKNOWN.search(formula):
        raise ValueError(f"latex2mathml knows not all of this formula: {latex}")
    return APPLIED.sub(r"\g<0><mspace width='0.167em' />", formula)
