"""The benchmark of GPUs runs on a simulated device, and says nothing where there is no card."""

import pytest

from tests.benchmarks import gpt, gpu

WORK = {
    "product": gpu.product(8, "vectorised"),
    "attention": gpu.attention((1, 1, 3, 4), backward=True),
    "layer_norm": gpu.layer_norm(3, 8),
    "softmax": gpu.softmax(3, 8),
    "gelu": gpu.gelu(9),
    "adamw": gpu.adamw(9),
    "training_step": gpu.training_step(gpt.Shape(1, 4, 5, layers=1, heads=1, width=8)),
}


@pytest.mark.parametrize("name", WORK)
def test_ours_runs_on_a_simulated_device(name):
    ((_, run),) = gpu.on("simulator", WORK[name][0])
    run(1)


def test_without_a_card_nothing_is_measured(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(gpu, "card", lambda: None)
    monkeypatch.setattr(gpu, "RESULTS", tmp_path)
    assert list(gpu.cases()) == []
    gpu.show([])
    assert capsys.readouterr().out == "not measured: there is no GPU here\n"
    assert list(tmp_path.iterdir()) == []


def test_the_results_of_a_card_have_its_name(monkeypatch, tmp_path):
    monkeypatch.setattr(gpu, "card", lambda: "Some card")
    monkeypatch.setattr(gpu, "RESULTS", tmp_path)
    names = [case.name for case in gpu.cases()]
    assert len(set(names)) == len(names) == 11
    row = dict.fromkeys(("benchmark", "case", "unit", "rate", "settings", "our_settings"), "x")
    gpu.show([row | {"ours": 1, "peer": 2, "ratio": 2, "target": None, "peer_name": "PyTorch"}])
    text = tmp_path.joinpath("Some card.md").read_text(encoding="utf-8")
    assert text.startswith("# Some card\n") and "PyTorch" in text
