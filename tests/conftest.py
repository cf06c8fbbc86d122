"""What all tests share."""

import os
import signal
import threading

import pytest
from hypothesis import HealthCheck, settings

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


@pytest.fixture
def strict_kernels():
    """The kernels take StrictArrays, as a device's would."""
    with strict_array.strict_kernels():
        yield


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """Where the data are known to be at hand, a test that skips for want of them has failed."""
    report = (yield).get_result()
    required = os.environ.get("MINIGRAD_REQUIRE_DATA") and item.get_closest_marker("data")
    if report.skipped and required:
        report.outcome = "failed"
        report.longrepr = f"skipped, though MINIGRAD_REQUIRE_DATA is set: {report.longrepr}"
