"""What the README says is true: its Python runs, its commands and files are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python( raises=\w+)?\n(.*?)```", README, flags=re.DOTALL)
EVERY = [
    pytest.param(*block, marks=pytest.mark.pretrained if "minilm" in block[1] else ())
    for block in BLOCKS
]


@pytest.mark.parametrize("error, code", EVERY, ids=[str(i) for i in range(len(BLOCKS))])
def test_each_block_of_python_runs(error, code, tmp_path, monkeypatch, request):
    if "minilm" in code:
        request.getfixturevalue("minilm")
    monkeypatch.chdir(tmp_path)
    program = compile(code, "README.md", "exec")
    if error:
        with pytest.raises(AssertionError, match="gaussian: dL/dx at"):
            exec(program, {})
    else:
        exec(program, {})


def test_the_example_of_an_operation_prints_its_gradient(tmp_path, monkeypatch, capsys):
    code = next(code for error, code in BLOCKS if "def gaussian" in code and not error)
    exec(compile(code, "README.md", "exec"), {})
    printed = re.findall(r"-?\d+\.\d*", capsys.readouterr().out)
    assert list(map(float, printed)) == pytest.approx([0.0, -0.7788008, -0.7357589])


def test_each_target_of_make_is_in_the_makefile():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^(\w+):", makefile, flags=re.MULTILINE)
    for target in re.findall(r"make (\w+)", README):
        if f"`make {target}`" in README or f"\nmake {target}\n" in README:
            assert target in targets


def test_each_file_named_is_there():
    named = re.findall(r"`((?:minigrad|kernels|tests)/[\w/.]*)`", README)
    assert len(named) >= 6
    for name in named:
        assert (ROOT / name).exists(), name


def test_each_link_within_the_page_leads_to_a_heading():
    """A heading's anchor is its words in small letters, with - for blanks and without signs."""
    headings = re.findall(r"^#+ (.+)$", README, flags=re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
    links = re.findall(r"\]\(#([^)]*)\)", README)
    assert len(links) >= 6
    assert set(links) <= anchors
