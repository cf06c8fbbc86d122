"""The command line of the benchmarks.

The exit status is 0 if they have run, 1 if --check finds that a target is missed or a peer, and 2
if one that was named has measured nothing, for it needs a GPU and there is none.
"""

import argparse
import importlib
import os
import pkgutil
import sys
from pathlib import Path

from minigrad import registry
from tests import benchmarks
from tests.benchmarks import harness, machine

NOT_BENCHMARKS = ("__main__", "choices", "contestants", "harness", "machine", "memory", "profile")
MEASURED, MISSED, NOT_MEASURED = 0, 1, 2


def main(arguments=None):
    """Run the benchmarks that the arguments name. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("names", nargs="*", metavar="NAME", help="benchmarks to run (all)")
    parser.add_argument("--list", action="store_true", help="say which benchmarks there are")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the results to FILE too")
    parser.add_argument(
        "--check", action="store_true", help="exit with 1 if a target is missed or a peer"
    )
    parser.add_argument("--data", metavar="FOLDER", help="with the data sets that some need")
    options = parser.parse_args(arguments)

    modules = found()
    try:
        chosen = {name: registry.look_up("benchmark", name, modules) for name in options.names}
    except ValueError as error:
        parser.error(str(error))
    if options.json and not options.json.absolute().parent.is_dir():
        parser.error(f"--json: there is no folder {options.json.absolute().parent}")
    if options.list:
        show_list(chosen or modules)
        return 0
    if options.data:
        os.environ["MINIGRAD_DATA"] = options.data
    is_good, left_out = run(chosen or modules, options.json)
    if options.check and not is_good:
        return MISSED
    return NOT_MEASURED if left_out & chosen.keys() else MEASURED


def found():
    """{name: module path} of every benchmark in this folder."""
    names = (module.name for module in pkgutil.iter_modules(benchmarks.__path__))
    return {name: f"{benchmarks.__name__}.{name}" for name in names if name not in NOT_BENCHMARKS}


def show_list(modules):
    for name, path in modules.items():
        print(f"{name:12} {importlib.import_module(path).__doc__.splitlines()[0]}")


def run(modules, json_file):
    """Measure, show and store.

    -> whether all peers were there and all targets were met, and the benchmarks that lack a GPU
    """
    description = machine.describe()
    for name, value in description.items():
        print(f"{name:14} {value}")

    rows, absent, means, met, left_out = [], {}, [], True, {}
    for benchmark, path in modules.items():
        module, of_this = importlib.import_module(path), []
        if hasattr(module, "lacks") and (reason := module.lacks()):
            left_out[benchmark] = reason
            continue
        for case in module.cases():
            print(f"measuring {benchmark}: {case.name}", file=sys.stderr)
            measured, missing = case.measure(benchmark)
            of_this += measured
            absent |= missing
        lines, is_met = harness.means(benchmark, of_this, getattr(module, "MEANS", {}))
        rows, means, met = rows + of_this, means + lines, met and is_met
        if hasattr(module, "show"):
            module.show(of_this)

    if rows:
        print(f"\n{harness.table(rows)}\n\nratio = peer's time / our time: above 1 we are ahead")
        print("\n".join(means))
        for line in dict.fromkeys(row["profile"] for row in rows if "profile" in row):
            print(f"where our time goes, {line}")
    for name, reason in absent.items():
        print(f"not measured: {name} ({reason})")
    for name, reason in left_out.items():
        print(f"not measured: {reason}. So `{name}` has timed nothing")
    if absent:
        print(harness.INSTALL)
    if json_file:
        results = {"machine": description, "rows": rows, "means": means}
        harness.write_json(json_file, results)
    return not absent and met and all(map(harness.is_met, rows)), left_out.keys()


if __name__ == "__main__":
    sys.exit(main())
