"""What the compiler makes of a mistake shows it, and of the right kernel nothing.

A mistake is found in what is run, whatever the simulator says of it: as another result, or as an
access that a GPU must not make. `make test-gpu` runs this, with the packages of the extra `gpu-ci`.
That right kernels give right results is tested where they are, in the rows called "compiled".
"""

import functools

import pytest

from tests import compiled, on_card, ptx, seeded_bugs
from tests.verdicts import NOTHING, differ

ORDERS = {"together": False, "apart": True}  # of the warps: see compiled.Machine

# They are races, or numbers that nobody has set, and nothing but the simulator tells of them: who
# comes first does here what is right, or both write the same, or what is in the memory is no harm.
UNSEEN = {
    "blocks overlap",
    "sums that do not begin at 0",
    "a part of a tile is not fetched",
    "rows of four collide",
    "a layer that reads what others write",
    "a number that a copy will replace",
    "a wait that no barrier follows",
    "a barrier that comes before the wait",
    "blocks have rows in common",
    "all lanes write a mean",
    "sums of columns without a barrier",
    "a sum that other lanes have made",
    "two lanes write a loss",
    "features are fetched while they are used",
    "each team writes its sums",
    "two threads write the norms of a query",
    "values take the place of keys in use",
    "a mean of what is not set",
}


def run(order):
    """What starts a kernel."""
    return functools.partial(on_card.launch, compiled.Machine(ORDERS[order]))


def shown(launch, name, right, order):
    """What a kernel shows beside the arrays of the right one, in words."""
    given = seeded_bugs.arguments(name)
    try:
        launch(run(order), *given)
    except ptx.FAULTS as error:
        return f"{type(error).__name__}: {error}"
    return "another result" if any(map(differ, given, right)) else NOTHING


@pytest.mark.parametrize("name", seeded_bugs.BUGS)
def test_a_mistake_shows_in_what_is_compiled_and_not_in_the_right_kernel(name):
    right = seeded_bugs.arguments(name)
    seeded_bugs.right(name)(run("together"), *right)
    assert shown(seeded_bugs.right(name), name, right, "apart") == NOTHING
    mistake = seeded_bugs.prepared(name)
    is_seen = any(shown(mistake, name, right, order) != NOTHING for order in ORDERS)
    assert is_seen == (name not in UNSEEN)
