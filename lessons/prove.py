"""Do the exercises of a lesson tell right from wrong?  `python -m lessons.prove 6`

For every exercise: the solution is accepted, as the framework has it and as it is shown, and an
open hole is not; it and every other right answer are accepted, whatever is drawn; every wrong
answer is rejected, whatever is drawn, with the sentence written for it, and differs from all others
by what it does.
"""

import argparse
import ast
import sys

from . import answers, diagnosis
from . import lesson as lessons
from .checking import check
from .skeleton import parse, skeleton

SEEDS = 20
WRONG, RIGHT = 5, 3  # answers to an exercise, at least


def prove(exercise, seeds=SEEDS):
    """All that is wrong with an exercise, in sentences."""
    own = list(dict.fromkeys([exercise.solution, exercise.shown_solution]))
    for function in own:
        verdict = check(exercise, function)
        if not verdict.passed:
            yield f"its own solution is rejected: {verdict.failure}"
            return
    if exercise.is_written_out:
        yield from faults_of_text(exercise)
    if check(exercise, hole(exercise)).passed:
        yield "an open hole is accepted"
    right, wrong = answers.right_answers(exercise.number), answers.wrong_answers(exercise.number)
    if len(wrong) < WRONG:
        yield f"it has {len(wrong)} wrong answers, not {WRONG}"
    if len(right) < RIGHT:
        yield f"it has {len(right)} other right answers, not {RIGHT}"
    for name in ("by_hand", "edges", "laws"):
        if not getattr(exercise, name):
            yield f"it has no {name}"
    if len(exercise.hints) != 3:
        yield f"it has {len(exercise.hints)} hints, not 3"
    for function in (*own, *(answer.function for answer in right)):
        for seed in range(seeds):
            verdict = check(exercise, function, seed)
            if not verdict.passed:
                yield f"{function.__name__} is right, and rejected: {verdict.failure}"
                break
    for answer in wrong:
        verdict = check(exercise, answer.function)
        if verdict.passed or _passes_by_chance(exercise, answer.function, verdict, seeds):
            yield f"{answer.function.__name__} is wrong, and accepted"
        elif verdict.reason != answer.sentence:
            yield f"{answer.function.__name__} is told {verdict.reason!r}, not {answer.sentence!r}"
    for one, other in diagnosis.twins(exercise):
        yield f"{one.function.__name__} and {other.function.__name__} do the same"


def _passes_by_chance(exercise, function, verdict, seeds):
    """Whether a function that fails in cases that were drawn passes when others are."""
    if verdict.failure.kind in ("by hand", "edge"):
        return False
    return any(check(exercise, function, seed).passed for seed in range(1, seeds))


def faults_of_text(exercise):
    """What is wrong with a solution that is written out beside the framework's."""
    wanted, shown = parse(exercise.source), parse(exercise.shown_source)
    calls = [f"{f.name}({ast.unparse(f.args)})" for f in (wanted, shown)]
    if calls[0] != calls[1]:
        yield f"its solution is written out as {calls[1]}, and the framework has {calls[0]}"
    if ast.get_docstring(shown):
        yield "its solution is written out with a docstring: students see the framework's"


def hole(exercise):
    """The function as a student finds it."""
    namespace = {}
    exec(skeleton(exercise), namespace)
    return namespace[exercise.name]


def main(arguments=None):
    parser = argparse.ArgumentParser("python -m lessons.prove", description=__doc__.splitlines()[0])
    parser.add_argument("lessons", type=int, nargs="*", help="all of them, if none is named")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    options = parser.parse_args(arguments)
    faults = 0
    for number in options.lessons or lessons.numbers():
        for n, exercise in lessons.load(number).exercises.items():
            found = list(prove(exercise, options.seeds))
            faults += len(found)
            wrong, right = len(answers.wrong_answers(n)), len(answers.right_answers(n))
            print(f"{n} {exercise.title}: {wrong} wrong, {right} right, {len(found)} faults")
            for sentence in found:
                print(f"    {sentence}")
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
