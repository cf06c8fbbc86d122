"""The command line of the course: `minigrad-learn`, or `python -m lessons`."""

import argparse
import sys

from . import lesson as lessons
from . import messages
from .work import StudentError, Work


def main(arguments=None):
    """Run one command. Returns 0, or 1 if an exercise is not passed, or 2 for a wrong command."""
    options = _parser().parse_args(arguments)
    try:
        return options.run(options, Work()) or 0
    except (StudentError, LookupError) as error:
        print(error.args[0], file=sys.stderr)
        return 2


def _parser():
    parser = argparse.ArgumentParser("minigrad-learn", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")

    def command(name, run, text):
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(run=run)
        return added

    command("list", list_lessons, "all lessons and exercises, and which are passed")
    start = command("start", start_lesson, "write work/lesson_NN.py, with the holes to fill")
    start.add_argument("lesson", type=int)
    check = command("check", check_work, "say what is right, and what is not yet")
    check.add_argument("number", help="a lesson, such as 4, or an exercise, such as 4.2")
    hint = command("hint", give_hint, "a hint for an exercise; each time one that says more")
    hint.add_argument("exercise")
    solution = command("solution", show_solution, "the solution, once the exercise is passed")
    solution.add_argument("exercise")
    solution.add_argument("--give-up", action="store_true", help="show it now; is recorded")
    reset = command("reset", reset_lesson, "write a lesson's file anew, and keep the old one")
    reset.add_argument("lesson", type=int)
    grade = command("grade", grade_folder, "grade a student's folder, or a folder of such folders")
    grade.add_argument("folder")
    grade.add_argument("--only", type=lessons.span, help="lessons that all count, such as 4 or 1-4")
    results = "results.json for Gradescope; .xml for JUnit; .csv; .nbgrader.csv. May be repeated"
    grade.add_argument("--out", action="append", default=[], metavar="FILE", help=results)
    return parser


def list_lessons(options, work):
    progress = work.progress()
    for number in lessons.numbers():
        lesson = lessons.load(number)
        passed = [n for n in lesson.exercises if progress.get(n, {}).get("passed")]
        print(f"{number} {lesson.title}: {len(passed)} of {len(lesson.exercises)} passed")
        for n, exercise in lesson.exercises.items():
            facts = progress.get(n, {})
            state = "passed" if facts.get("passed") else "open"
            state += ", gave up" if facts.get("gave_up") else ""
            print(f"  {n} {exercise.title}: {state}")


def start_lesson(options, work):
    path, is_new = work.start(options.lesson)
    print(f"wrote {path}" if is_new else f"{path} is there already, and stays as it is")
    first = next(iter(lessons.load(options.lesson).exercises))
    print(f"Fill in its first function, then: minigrad-learn check {first}")


def check_work(options, work):
    from .checking import check

    number = options.number
    lesson = lessons.load(int(number.partition(".")[0])) if number[:1].isdigit() else None
    if lesson is None:
        raise LookupError(f"{number!r} is the number of no lesson and of no exercise")
    wanted = [lessons.find(number)] if "." in number else list(lesson.exercises.values())
    functions = work.functions(lesson.number)
    verdicts = []
    for exercise in wanted:
        if exercise.number not in functions:
            raise StudentError(f"{work.path(lesson.number)} has no function {exercise.name}")
        verdicts.append(check(exercise, functions[exercise.number]))
        work.note(exercise.number, passed=verdicts[-1].passed)
        print(messages.verdict(verdicts[-1]), end="\n\n" if len(wanted) > 1 else "\n")
    return int(not all(verdict.passed for verdict in verdicts))


def give_hint(options, work):
    exercise = lessons.find(options.exercise)
    read = min(work.progress().get(exercise.number, {}).get("hints", 0) + 1, len(exercise.hints))
    work.note(exercise.number, hints=read)
    for i, hint in enumerate(exercise.hints[:read], 1):
        print(f"Hint {i} of {len(exercise.hints)}: {hint}")


def show_solution(options, work):
    exercise = lessons.find(options.exercise)
    facts = work.progress().get(exercise.number, {})
    if not (facts.get("passed") or facts.get("gave_up") or options.give_up):
        raise StudentError(
            f"the solution opens when {exercise.number} is passed. To see it now, which is "
            f"recorded: minigrad-learn solution {exercise.number} --give-up"
        )
    if not facts.get("passed"):
        work.note(exercise.number, gave_up=True)
    print(exercise.source.rstrip())


def reset_lesson(options, work):
    old = work.reset(options.lesson)
    print(f"wrote {work.path(options.lesson)} anew; the old one is {old}")


def grade_folder(options, work):
    from .grading import reports
    from .grading.grade import grade

    for path in options.out:
        reports.writer(path)  # an error now, not after all the work
    report = grade(options.folder, options.only, tell=_tell_grade)
    for sentence in report.unprotected:
        print(f"Not prevented on this system: {sentence}")
    print(f"{report.points:g} of {report.maximum:g} points")
    for path in options.out:
        reports.write(report, path)


def _tell_grade(grade):
    student = f"{grade.student}: " if grade.student else ""
    print(f"{student}{grade.points:g} of {grade.maximum:g}  {grade.message}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
