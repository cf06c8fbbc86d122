"""The benchmark of GPUs runs on a simulated device, and says nothing where there is no card."""

import types

import pytest

from tests.benchmarks import __main__ as command_line
from tests.benchmarks import gpt, gpu
from tests.benchmarks.harness import Case

WORK = {
    "product": gpu.product(8, "double_buffered"),
    "attention": gpu.attention((1, 1, 3, 4), backward=True),
    "layer_norm": gpu.layer_norm(3, 8),
    "softmax": gpu.softmax(3, 8),
    "gelu": gpu.gelu(9),
    "adamw": gpu.adamw(9),
    "training_step": gpu.training_step(gpt.Shape(1, 4, 5, layers=1, heads=1, width=8)),
}


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """Where results go. Beside the benchmark of GPUs there is one more, which has no cases."""
    fake = types.ModuleType("fake", doc="Nothing.")
    fake.cases = lambda: []
    monkeypatch.setitem(command_line.sys.modules, "fake", fake)
    monkeypatch.setattr(command_line, "found", lambda: {"fake": "fake", "gpu": gpu.__name__})
    monkeypatch.setattr(command_line.machine, "describe", dict)
    monkeypatch.setattr(gpu, "RESULTS", tmp_path)
    return tmp_path


def absent():
    import a_package_that_nobody_has

    yield "", a_package_that_nobody_has


@pytest.mark.parametrize("name", WORK)
def test_ours_runs_on_a_simulated_device(name):
    ((_, run),) = gpu.on("simulator", WORK[name][0])
    run(1)


NO_CARD = "not measured: no card is in the machine. So `gpu` has timed nothing\n"


@pytest.fixture
def without_card(monkeypatch):
    monkeypatch.setattr(gpu.driver, "lacking", lambda: "no card is in the machine")


@pytest.fixture
def with_card(monkeypatch):
    monkeypatch.setattr(gpu.driver, "lacking", lambda: None)
    monkeypatch.setattr(gpu, "card", lambda: "Some card")


@pytest.mark.parametrize("arguments", [["gpu"], ["gpu", "--check"], ["fake", "gpu", "--check"]])
def test_without_a_card_nothing_is_measured_and_the_exit_status_says_so(
    arguments, folder, without_card, capsys
):
    assert command_line.main(arguments) == command_line.NOT_MEASURED == 2
    assert capsys.readouterr().out.endswith(NO_CARD)
    assert list(folder.iterdir()) == []


def test_who_wants_all_benchmarks_needs_no_card(folder, without_card, capsys):
    assert command_line.main([]) == command_line.MEASURED == 0
    assert capsys.readouterr().out.endswith(NO_CARD)


def test_a_missed_target_tells_more_than_a_card_that_is_not_there(
    folder, without_card, monkeypatch
):
    missed = Case("small", "ms per step", lambda: iter([("", lambda times: None)]), {"it": absent})
    monkeypatch.setattr(command_line.sys.modules["fake"], "cases", lambda: [missed])
    assert command_line.main(["fake", "gpu"]) == command_line.NOT_MEASURED
    assert command_line.main(["fake", "gpu", "--check"]) == command_line.MISSED == 1


def test_with_a_card_the_exit_status_says_whether_targets_are_met(folder, with_card, monkeypatch):
    monkeypatch.setattr(gpu, "cases", lambda: [])
    assert command_line.main(["gpu", "--check"]) == command_line.MEASURED


def test_the_results_of_a_card_have_its_name(folder, with_card):
    names = [case.name for case in gpu.cases()]
    assert len(set(names)) == len(names) == 13
    row = dict.fromkeys(("benchmark", "case", "unit", "rate", "settings", "our_settings"), "x")
    gpu.show([row | {"ours": 1, "peer": 2, "ratio": 2, "target": None, "peer_name": "PyTorch"}])
    text = folder.joinpath("Some card.md").read_text(encoding="utf-8")
    assert text.startswith("# Some card\n") and "PyTorch" in text
