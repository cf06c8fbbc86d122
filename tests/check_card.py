"""A GPU as a device, with a driver that stands in for NVIDIA's: what numba.cuda is handed is right.

`make test-gpu` runs this, with the packages of the extra `gpu-ci`. With the stand-in no number is
computed by a GPU; each kernel is compiled for one, and runs in the simulator; or what was compiled
runs, by tests/ptx. What does not look into the stand-in runs on a GPU as well, if there is one.
"""

import re

import numpy as np
import pytest
from numba import cuda

import kernels
from kernels import dlpack
from kernels.cuda import card
from kernels.cuda.card import Card
from kernels.cuda.device import Device
from kernels.cuda.errors import WrongDeviceError
from kernels.cuda.launch import TARGETS, VECTOR, Launch, numbers
from tests import orders
from tests import test_device_training as training
from tests.stand_in_driver import MEMORY, stand_in

NUMBERS = np.random.default_rng(0).standard_normal((3, 5, 4)).astype(np.float32)


@pytest.fixture
def context():
    with stand_in() as context:
        yield context


def called_cuda(device, monkeypatch):
    """The device that "cuda" is the name of from here on."""
    monkeypatch.setattr(kernels.devices, "device", lambda name: device)
    monkeypatch.setattr(kernels, "device", lambda name: device)
    return device


@pytest.fixture
def stand_in_device(context, monkeypatch):
    return called_cuda(Device(Card()), monkeypatch)


@pytest.fixture(params=["stand-in", orders.COMPILED, orders.ON_CARD])
def device(request, monkeypatch):
    """With a stand-in of either kind, and on the card"""
    if request.param == orders.CARD:
        yield called_cuda(Device(orders.needed_card()), monkeypatch)
        return
    with stand_in(runs_ptx=request.param == orders.COMPILED):
        yield called_cuda(Device(Card()), monkeypatch)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int32", "uint8", "bool"])
@pytest.mark.parametrize("look", [np.s_[:], np.s_[0, 0, 0], np.s_[::-1, None, ::2], np.s_[:0]])
def test_arrays_come_back_as_they_went(look, dtype, device):
    host = (NUMBERS * 9).astype(dtype)[look]
    x = device.put(host)
    np.testing.assert_array_equal(x.numpy(), host)


def test_a_read_only_array_is_sent(device):
    host = NUMBERS.copy()
    host.setflags(write=False)
    np.testing.assert_array_equal(device.put(host).numpy(), host)


WORK = {
    "numbers alone": lambda x: x * 2 + 1,
    "views that go backward": lambda x: x[::-1, :, ::-1] + x[:, :1],
    "one number for all": lambda x: np.where(x > 0, x, np.float32(0)),
    "booleans": lambda x: (x > 0) & (x < 1),
    "a sum of some axes": lambda x: np.sum(x, axis=(0, 2)),
    "a sum by blocks": lambda x: np.sum(np.broadcast_to(x[:1, :1], (10, 20, 4))),
    "places": lambda x: np.argmax(x, axis=1),
    "a product": lambda x: x @ x.swapaxes(1, 2),
    "concatenate": lambda x: np.concatenate([x, x[:, :2]], axis=1),
    "of nothing": lambda x: np.sum(x[:, :0], axis=1),
}


@pytest.mark.parametrize("work", WORK.values(), ids=WORK)
def test_what_numpy_says_runs(work, device):
    np.testing.assert_allclose(work(device.put(NUMBERS)).numpy(), work(NUMBERS), rtol=1e-5)


def test_rows_are_taken_and_added_to(device):
    index = np.array([2, -1, 0])
    x, places = device.put(NUMBERS), device.put(index)
    np.testing.assert_array_equal(x[places].numpy(), NUMBERS[index])
    total, right = device.put(NUMBERS), NUMBERS.copy()
    np.add.at(total, places, 1)
    np.add.at(right, index, 1)
    np.testing.assert_allclose(total.numpy(), right)
    with pytest.raises(IndexError, match="beyond the end"):
        x[device.put(index + 1)].numpy()


def test_a_kernel_takes_a_tuple_and_arrays_of_no_numbers(device):
    """A convolution's windows, and the bias that it has not got"""
    images, weight = NUMBERS.reshape(1, 3, 5, 4), NUMBERS[:2, :4].reshape(2, 2, 2, 4)[:, :, :, :3]
    weight = np.repeat(weight, 2, axis=2)
    given = images, np.ascontiguousarray(weight)
    right, _ = kernels.reference.convolution(*given)
    ours, _ = kernels.convolution(*map(device.put, given))
    np.testing.assert_allclose(ours.numpy(), right, rtol=1e-5, atol=1e-5)


def test_a_step_on_the_card_is_that_on_the_cpu(device):
    with kernels.use("numpy"):
        steps = [training.step(training.multilayer_perceptron, where) for where in ("cuda", "cpu")]
    for ours, right in zip(*steps, strict=True):
        np.testing.assert_allclose(ours, right, rtol=1e-5, atol=1e-5)


def test_memory_that_is_not_there_is_an_error_and_what_is_kept_is_given_back(stand_in_device):
    device = stand_in_device
    kept = device.empty((MEMORY // 2,), np.uint8)
    with pytest.raises(MemoryError, match="bytes left"):
        device.empty((MEMORY,), np.uint8)
    del kept
    assert device.empty((MEMORY * 3 // 4,), np.uint8).size  # where the first was kept for others


@pytest.mark.parametrize("grid", [(2**31,), (1, 65536), (1, 1, 65536), (0,)])
def test_a_grid_that_no_card_starts_is_an_error_that_names_the_kernel(grid, stand_in_device):
    x = stand_in_device.put(np.ones(3, np.float32))
    with pytest.raises(ValueError, match=rf"double .*{re.escape(str(grid))} .*65535, 65535"):
        stand_in_device.launch(double, grid, (32,), x)
    assert list(x.numpy()) == [1, 1, 1]


def test_a_block_that_no_gpu_starts_is_refused_by_the_driver(stand_in_device):
    x = stand_in_device.put(np.ones(3, np.float32))
    with pytest.raises(ValueError, match="a block has .*1024, 1024, 64"):
        stand_in_device.launch(double, (1,), (2048,), x)


def double(x):
    i = cuda.grid(1)
    if i < x.shape[0]:
        x[i] *= 2


ANY = Launch(double, (32,), numbers(32), (VECTOR,))


def started(launch, capability):
    """What a kernel does to ones on a GPU of a compute capability"""
    with stand_in(capability):
        x = Device(Card()).put(np.ones(3, np.float32))
        launch(x.device.launch, x)
        return x.numpy().tolist()


@pytest.mark.parametrize(
    "targets, capability",
    [(TARGETS, (7, 5)), (TARGETS, (8, 9)), (((9, 0, "a"),), (9, 0)), (TARGETS, (10, 0))],
)
def test_a_kernel_runs_on_what_it_is_for(targets, capability):
    assert started(ANY._replace(targets=targets), capability) == [2, 2, 2]


@pytest.mark.parametrize(
    "targets, capability, words",
    [
        (TARGETS, (7, 0), "7.5 or newer. This one, a stand-in, has 7.0"),
        (TARGETS[1:], (7, 5), "8.0 or newer. This one, a stand-in, has 7.5"),
        (((9, 0, "a"),), (8, 0), "9.0 and no other. This one, a stand-in, has 8.0"),
        (((9, 0, "a"),), (10, 0), "9.0 and no other. This one, a stand-in, has 10.0"),
    ],
)
def test_a_kernel_for_other_cards_is_an_error_that_says_which(targets, capability, words):
    with pytest.raises(WrongDeviceError) as caught:
        started(ANY._replace(targets=targets), capability)
    assert str(caught.value) == f"check_card.double takes a GPU of compute capability {words}"


@pytest.mark.parametrize(
    "seconds, said", [(0.1, ""), (9.4, "compiled exp_float32_flat for the GPU")]
)
def test_a_long_compilation_is_told(seconds, said, stand_in_device, monkeypatch, capsys):
    x = stand_in_device.put(NUMBERS)
    now = iter([0, seconds])
    monkeypatch.setattr(card.time, "perf_counter", lambda: next(now, seconds))
    np.exp(x)
    np.exp(x)
    said = "" if seconds < 1 else "compiled exp_float32_flat for the GPU in 9.4 s\n"
    assert capsys.readouterr().err == said


def test_what_numpy_says_is_for_the_same_cards_as_other_kernels():
    with stand_in((7, 0)), pytest.raises(WrongDeviceError, match="ufuncs.exp_float32_flat takes"):
        np.exp(Device(Card()).put(NUMBERS))


class Theirs:
    """An array of another library on the same GPU."""

    def __init__(self, array, stream):
        self.array = array
        self.__cuda_array_interface__ = array.__cuda_array_interface__ | {"stream": stream}


@pytest.mark.parametrize("stream, waits", [(None, 0), (1, 0), (7, 1)])
def test_arrays_are_shared_by_cuda_array_interface(stream, waits, stand_in_device, context):
    device = stand_in_device
    x = device.put(NUMBERS)
    ours = device.adopt(Theirs(x[:, ::-1], stream))
    ours += 1
    assert context.waits == waits
    np.testing.assert_array_equal(x.numpy(), NUMBERS + 1)


def test_an_array_of_numba_is_adopted(device):
    theirs = cuda.to_device(NUMBERS)
    ours = device.adopt(theirs)
    ours += 1
    np.testing.assert_array_equal(theirs.copy_to_host(), NUMBERS + 1)


@pytest.mark.gpu
def test_numba_adopts_an_array_of_ours():
    ours = Device(orders.needed_card()).put(NUMBERS)
    np.testing.assert_array_equal(cuda.as_cuda_array(ours).copy_to_host(), NUMBERS)


def test_arrays_are_shared_by_dlpack(stand_in_device, context):
    device = stand_in_device
    x = device.put(NUMBERS)
    assert x.__dlpack_device__() == (dlpack.GPU, 0)
    taken = dlpack.taken(x, stream=7)
    assert (taken.ctypes.data, taken.shape, taken.dtype) == (x.pointer, x.shape, x.dtype)
    assert context.waits == 1
    with pytest.raises((BufferError, RuntimeError), match="device"):
        np.from_dlpack(x)
    with pytest.raises(TypeError, match="cannot be shared"):
        device.adopt(NUMBERS)
