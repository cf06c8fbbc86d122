"""Which GPUs a kernel for some targets runs on."""

import pytest

from kernels.cuda.launch import TARGETS, Launch, in_words, name_of, runs_on

HOPPER = ((9, 0, "a"),)


@pytest.mark.parametrize("capability, runs", [((8, 0), True), ((12, 0), True), ((7, 5), False)])
def test_a_kernel_for_a_target_runs_on_all_that_is_newer(capability, runs):
    assert runs_on(TARGETS, capability) == runs_on(((8, 0),), capability) == runs


@pytest.mark.parametrize("capability, runs", [((9, 0), True), ((8, 9), False), ((10, 0), False)])
def test_a_target_with_a_letter_is_one_kind_of_gpu(capability, runs):
    assert runs_on(HOPPER, capability) == runs


def test_what_a_kernel_asks_for_is_said():
    assert in_words(TARGETS) == "8.0 or newer"
    assert in_words(HOPPER) == "9.0 and no other"
    assert in_words((*HOPPER, (10, 0))) == "9.0 and no other, or 10.0 or newer"
    assert [name_of(target) for target in TARGETS] == ["sm_80", "sm_90a"]


def test_a_kernel_is_for_both_targets_unless_it_says_otherwise():
    assert Launch(None, (), None, ()).targets == TARGETS == ((8, 0), (9, 0, "a"))
