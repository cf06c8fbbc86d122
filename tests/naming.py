"""How often is a mistake named that the diagnosis has not seen?  `python -m tests.naming`

Of the wrong answers in `unseen`, each written from the name of a known mistake alone, it is counted
how many are told the sentence of that mistake. The others are listed with what they are told. It is
an error if one is accepted, or if too few are named.
"""

import argparse
import importlib
import pkgutil
import sys
from dataclasses import dataclass

from lessons import answers
from lessons import lesson as lessons
from lessons.checking import check
from tests import unseen

LEAST = 0.8  # of the variants, whose mistake must be named


@dataclass(frozen=True)
class Named:
    """A variant of a mistake, the sentence for the mistake, and the Verdict on the variant."""

    variant: unseen.Variant
    sentence: str
    verdict: object

    @property
    def is_named(self):
        return self.verdict.reason == self.sentence


def named(lesson):
    """What all variants of the mistakes in a lesson are told."""
    things = vars(importlib.import_module(f"tests.unseen.lesson_{lesson:02}")).values()
    for variant in [thing for thing in things if isinstance(thing, unseen.Variant)]:
        verdict = check(lessons.find(variant.number), variant.function)
        yield Named(variant, _sentence(variant), verdict)


def _numbers():
    """The lessons of whose mistakes there are variants."""
    names = [module.name for module in pkgutil.iter_modules(unseen.__path__)]
    return sorted(int(name.removeprefix("lesson_")) for name in names)


def _sentence(variant):
    known = answers.wrong_answers(variant.number)
    return next(a.sentence for a in known if a.function.__name__ == variant.mistake)


def share(found):
    """The share of the variants whose mistake is named."""
    return sum(one.is_named for one in found) / len(found)


def summary(found):
    """How many are named, and what the others are told, in lines."""
    yield f"{sum(one.is_named for one in found)} of {len(found)} named ({share(found):.3f})"
    for one in found:
        if not one.is_named:
            told = "accepted" if one.verdict.passed else one.verdict.reason or "no reason is told"
            yield f"    {one.variant.number} {one.variant.mistake}: {told}"


def main(arguments=None):
    parser = argparse.ArgumentParser("python -m tests.naming", description=__doc__.splitlines()[0])
    parser.add_argument("lessons", type=int, nargs="*", help="all that have any, if none is named")
    options = parser.parse_args(arguments)
    everything = []
    for number in options.lessons or _numbers():
        found = list(named(number))
        everything += found
        first, *others = summary(found)
        print(f"lesson {number}: {first}", *others, sep="\n")
    print("in all:", next(summary(everything)))
    accepted = any(one.verdict.passed for one in everything)
    return int(accepted or share(everything) < LEAST)


if __name__ == "__main__":
    sys.exit(main())
