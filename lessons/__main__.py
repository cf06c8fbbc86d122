"""The command line of the course: `minigrad-learn`, or `python -m lessons`."""

import argparse
import os
import re
import sys
from contextlib import suppress
from dataclasses import replace

from . import lesson as lessons
from . import messages
from .terminal import say, typed
from .work import StudentError, Work

PROGRAMS = ("mlp", "logistic", "soft_labels")  # of programs.py, which takes a second to import


def main(arguments=None):
    """Run one command; returns the exit status.

    0, or 1 if something is not right yet, or 2 for a wrong command, or 130 after Ctrl-C.
    """
    with suppress(AttributeError):  # a terminal without Greek letters shows their numbers instead
        sys.stdout.reconfigure(errors="backslashreplace")
    options = _parser().parse_args(arguments)
    try:
        status = options.run(options, Work()) or 0
        sys.stdout.flush()
        return status
    except (StudentError, LookupError, ValueError) as error:
        print(error.args[0], file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        print(f"{error.name} is missing, of minigrad's extra `teach`: make teach", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130  # as shells count: 128 and the number of the signal
    except BrokenPipeError:  # whoever reads, such as `head`, has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except OSError as error:  # such as a folder in which nothing can be written
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return 2


def _parser():
    parser = argparse.ArgumentParser("minigrad-learn", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")

    def command(name, run, text):
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(run=run)
        return added

    number = {"metavar": "NUMBER", "help": "a lesson, such as 4, or an exercise, such as 4.2"}
    command("list", list_lessons, "all lessons and exercises, and which are passed")
    command("status", show_status, "how far you are, and what comes next")
    start = command("start", start_lesson, "write work/lesson_NN.py, with the holes to fill")
    start.add_argument("lesson", type=int)
    notebook = "write work/lesson_NN.ipynb instead, the whole lesson as a notebook"
    start.add_argument("--notebook", action="store_true", help=notebook)
    check = command("check", check_work, "say what is right, and what is not yet")
    check.add_argument("number", **number)
    watch = command("watch", watch_work, "check again whenever the file is saved; Ctrl-C ends it")
    watch.add_argument("number", **number)
    hint = command("hint", give_hint, "a hint for an exercise; each time one that says more")
    hint.add_argument("exercise")
    solution = command("solution", show_solution, "the solution, once the exercise is passed")
    solution.add_argument("exercise")
    solution.add_argument("--give-up", action="store_true", help="show it now; is recorded")
    reset = command(
        "reset", reset_lesson, "begin a lesson anew, and keep the old file beside the new one"
    )
    reset.add_argument("lesson", type=int)
    run = command("run", run_program, "train a real model with the functions that you have written")
    run.add_argument("program", choices=PROGRAMS, help="the model, see lessons/programs.py")
    mine = "with all of your functions that pass, or with those of these exercises"
    run.add_argument("--mine", nargs="*", metavar="EXERCISE", help=mine)
    build = command("build", build_assignment, "for teachers: write an assignment to a folder")
    build.add_argument("--out", required=True, help="the folder")
    build.add_argument("--only", type=_numbers, help="lessons, such as 1-4 or 1,3 (default: all)")
    hidden = "the notebooks that grade also draw arguments that students cannot know"
    build.add_argument("--hidden-tests", action="store_true", help=hidden)
    address = "where a hosted notebook installs the course from, such as git+https://..."
    build.add_argument("--install-from", metavar="URL", help=address)
    grade = command("grade", grade_folder, "grade a student's folder, or a folder of such folders")
    grade.add_argument("folder")
    all_count = "lessons that all count, such as 1-4 or 1,3 (default: those handed in)"
    grade.add_argument("--only", type=_numbers, help=all_count)
    results = "results.json for Gradescope, or .xml (JUnit), .csv, .nbgrader.csv, nbgrader's .db"
    grade.add_argument("--out", action="append", default=[], metavar="FILE", help=results)
    jobs = "how many exercises are graded at a time (default: as many as there are processors)"
    grade.add_argument("--jobs", type=_positive, metavar="N", help=jobs)
    seed = "draw the arguments of an earlier report again, which has its seed"
    grade.add_argument("--seed", type=int, metavar="N", help=seed)
    return parser


def _numbers(text):
    """[1, 2, 3, 4] for "1-4", [1, 3] for "1,3"."""
    found = []
    for piece in text.split(","):
        written = re.fullmatch(r"(\d+)(?:-(\d+))?", piece)
        between = range(int(written[1]), int(written[2] or written[1]) + 1) if written else ()
        if not between:
            raise argparse.ArgumentTypeError(f"lessons are named as 1-4 or 1,3. Received: {text}")
        found += between
    return found


def _positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"at least 1 is needed. Received: {number}")
    return number


# ---- What there is, and how far one is -----------------------------------------------------------


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


def show_status(options, work):
    progress = work.progress()
    exercises = [e for n in lessons.numbers() for e in lessons.load(n).exercises.values()]
    passed = [e for e in exercises if progress.get(e.number, {}).get("passed")]
    gave_up = [e.number for e in exercises if progress.get(e.number, {}).get("gave_up")]
    hints = sum(facts.get("hints", 0) for facts in progress.values())
    read = "1 hint" if hints == 1 else f"{hints} hints"
    print(f"{len(passed)} of {len(exercises)} exercises passed, {read} read.")
    if gave_up:
        print(f"Solutions seen before: {', '.join(gave_up)}.")
    following = next((e for e in exercises if e not in passed), None)
    if following is None:
        print("All that there is to do is done.")
        return
    begun = work.path(following.lesson).exists()
    ask = f"check {following.number}" if begun else f"start {following.lesson}"
    print(f"Next: {following.number} {following.title}: {typed(ask)}")


def start_lesson(options, work):
    number, name = options.lesson, f"lesson_{options.lesson:02}"
    path, is_new = (work.start_notebook if options.notebook else work.start)(number)
    print(f"wrote {path}" if is_new else f"{path} is there already, and stays as it is")
    if options.notebook:
        print("Open it in Jupyter.")
        return
    print(f"What it is about: pages/{name}.html, which `make lessons` writes,")
    print(f"or, as a notebook, {typed(f'start {number} --notebook')}")
    first = next(iter(lessons.load(number).exercises))
    print(f"Fill in the first function, then {typed(f'check {first}')}")


# ---- Checks --------------------------------------------------------------------------------------


def check_work(options, work):
    lesson, wanted = _wanted(options.number)
    functions = work.functions(lesson.number)
    passed = 0
    for exercise in wanted:
        verdict = _checked(exercise, functions, work)
        text = messages.verdict(verdict) if len(wanted) == 1 else messages.brief(verdict)
        say(text, end="\n\n" if "\n" in text and len(wanted) > 1 else "\n")
        passed += verdict.passed
    if len(wanted) > 1:
        print(f"{passed} of {len(wanted)} passed.")
    return int(passed < len(wanted))


def watch_work(options, work):
    from .watching import watch

    lesson, wanted = _wanted(options.number)
    path, _ = work.start(lesson.number)

    def look():
        try:
            _say_until_first_open(wanted, work.functions(lesson.number), work)
        except StudentError as error:
            print(error.args[0])
        print(f"\nWatching {path}. Ctrl-C ends.", flush=True)

    watch(path, look)


def _wanted(number):
    """The Lesson and the Exercises that "4" or "4.2" names."""
    lesson = lessons.load(int(number.partition(".")[0])) if number[:1].isdecimal() else None
    if lesson is None:
        raise LookupError(f"{number!r} is the number of no lesson and of no exercise")
    exact = "." in number
    return lesson, [lessons.find(number)] if exact else list(lesson.exercises.values())


def _checked(exercise, functions, work):
    from .checking import check

    if exercise.number not in functions:
        raise StudentError(f"{work.path(exercise.lesson)} has no function {exercise.name}")
    verdict = check(exercise, functions[exercise.number])
    work.note(exercise.number, passed=verdict.passed)
    return verdict


def _say_until_first_open(exercises, functions, work):
    """The verdicts up to the first that is not passed."""
    for i, exercise in enumerate(exercises, 1):
        verdict = _checked(exercise, functions, work)
        say(messages.verdict(verdict))
        if not verdict.passed:
            left = len(exercises) - i
            print(f"\n{left} more after this one." if left else "\nThis is the last one.")
            return
    print("\nAll passed.")


# ---- Help ----------------------------------------------------------------------------------------


def give_hint(options, work):
    print(work.hint(lessons.find(options.exercise)))


def show_solution(options, work):
    print(work.solution(lessons.find(options.exercise), options.give_up))


def reset_lesson(options, work):
    old = work.reset(options.lesson)
    print(f"wrote {work.path(options.lesson)}{f' anew; the old one is {old}' if old else ''}")


# ---- The real model ------------------------------------------------------------------------------


def run_program(options, work):
    from . import programs

    if options.mine is None:
        _say_run("the framework's own functions", programs.run(options.program, {}))
        return 0
    mine = _passing(options.mine, work)
    if not mine:
        raise StudentError("none of your functions that the framework has a place for passes yet")
    own = programs.run(options.program, {exercise: exercise.solution for exercise in mine})
    found = programs.run(options.program, mine)
    _say_run("your functions", found)
    _say_run("the framework's own", own)
    faults = 0
    for exercise in mine:
        count = found.calls[exercise.number]
        called = f"called {count} times" if count > 1 else "called once"
        if not count:
            is_bypassed = own.calls[exercise.number] > 0
            faults += is_bypassed or bool(options.mine)
            called = "never called" + _why_not(exercise, options.program, is_bypassed)
        print(f"  {exercise.number} {exercise.name}: {called}")
    if not any(found.calls.values()):
        print("None of your functions was called, which is an error.")
    return int(faults > 0 or not any(found.calls.values()))


def _why_not(exercise, program, is_bypassed):
    """Why a program has not called the student's function, and which one does."""
    from . import programs

    if is_bypassed:
        why = ", which is an error: other functions of yours do without it. Alone it is called:"
        return f"{why} {typed(f'run {program} --mine {exercise.number}')}"
    for other in programs.callers(exercise):
        if other != program:
            why = ": this model has no need of it. Another one has:"
            return f"{why} {typed(f'run {other} --mine {exercise.number}')}"
    return ": no model here has need of it"


def _say_run(whose, found):
    figures = ", ".join(f"{name} {number:.4f}" for name, number in found.figures.items())
    print(f"With {whose}: {figures}")


def _passing(numbers, work):
    """{exercise: function} of these numbers, or else of all in the student's files that passed.

    Each must still pass. What the framework has no place for is left out, if it is not asked for.
    """
    progress = work.progress()
    wanted = [lessons.find(number) for number in numbers] or [
        exercise
        for n in lessons.numbers()
        if work.path(n).exists()
        for exercise in lessons.load(n).exercises.values()
        if exercise.target and progress.get(exercise.number, {}).get("passed")
    ]
    passing = {}
    for exercise in wanted:
        functions = work.functions(exercise.lesson)
        if not exercise.target:
            raise StudentError(
                f"the framework has no {exercise.name}, in whose place yours could be"
            )
        if not _checked(exercise, functions, work).passed:
            raise StudentError(
                f"{exercise.number} does not pass: {typed(f'check {exercise.number}')}"
            )
        passing[exercise] = functions[exercise.number]
    return passing


# ---- For teachers --------------------------------------------------------------------------------


def build_assignment(options, work):
    from .building import assignments

    paths = assignments.build(options.out, options.only, options.hidden_tests, options.install_from)
    for path in paths:
        print(f"wrote {path}")


def grade_folder(options, work):
    if sys.platform != "linux":
        raise StudentError("grading needs Linux: elsewhere, run it in a container")
    from .grading import reports
    from .grading.grade import grade

    for path in options.out:
        reports.writer_for(path)  # an error now, not after all the work
    jobs = options.jobs or len(os.sched_getaffinity(0))
    report = grade(options.folder, options.only, jobs=jobs, seed=options.seed, tell=_tell_grade)
    for sentence in report.unprotected:
        print(f"Not prevented on this system: {sentence}")
    for student in dict.fromkeys(found.student for found in report.grades):
        own = replace(report, grades=[g for g in report.grades if g.student == student])
        print(f"{student}{': ' if student else ''}{own.points:g} of {own.maximum:g} points")
    for path in options.out:
        reports.write(report, path)


def _tell_grade(grade):
    student = f"{grade.student}: " if grade.student else ""
    first_line = grade.message.partition("\n")[0]
    print(f"{student}{grade.points:g} of {grade.maximum:g}  {first_line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
