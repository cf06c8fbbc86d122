"""What all tests share."""

import gc
import os
import signal
import threading

import pytest
from hypothesis import HealthCheck, settings

from minigrad import finetune
from tests import strict_array

# `pytest &` has Ctrl-C ignored, and so would have the programs that tests start and interrupt.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Every run draws the same examples, so a red test stays red until the code is mended.
settings.register_profile(
    "minigrad",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("minigrad")


def pytest_collection_finish():
    """Python need not look through thousands of tests each time that it looks for garbage."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def strict_kernels():
    """The kernels take StrictArrays, as a device's would."""
    with strict_array.strict_kernels():
        yield


_REQUIRED = {
    "data": "MINIGRAD_REQUIRE_DATA",
    "pretrained": "MINIGRAD_REQUIRE_PRETRAINED",
    "gpu": "MINIGRAD_REQUIRE_GPU",
}


@pytest.fixture(scope="session")
def minilm():
    """The folder of MiniLM. Tests that have it are marked `pretrained`."""
    try:
        return finetune.minilm_folder()
    except FileNotFoundError as error:
        pytest.skip(str(error))


@pytest.fixture
def run(request):
    """What starts a kernel: a Run of tests/orders.py. The report says which it has started."""
    from tests import orders  # which loads Numba

    run = orders.run_of(request.param)
    yield run
    request.node.user_properties.append(("kernels", run.names))


@pytest.fixture
def where(request, monkeypatch):
    """The name of a device that there is. Tests that have it are marked DEVICES."""
    from tests import orders

    return orders.needed_device(request.param, monkeypatch)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """Where what a test needs is known to be at hand, one that skips for want of it has failed."""
    report = (yield).get_result()
    for mark, variable in _REQUIRED.items():
        if report.skipped and os.environ.get(variable) and item.get_closest_marker(mark):
            report.outcome = "failed"
            report.longrepr = f"skipped, though {variable} is set: {report.longrepr}"
