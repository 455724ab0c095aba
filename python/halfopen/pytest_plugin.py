"""A fixture for pytest, which takes the system of the settings file that `halfopen_settings` names:

    # conftest.py
    pytest_plugins = ["halfopen.pytest_plugin"]

    # test_shop.py
    def test_the_database_crashes(halfopen_system):
        halfopen_system.crash("db")
        assert halfopen_system.ask().how == "refused"

Each test has a system of its own, freshly started; its packets are in the test's tmp_path, and are named with the
system's log in the report of a test that fails. In pytest.ini: halfopen_settings, halfopen_publish.
"""

import pathlib

import pytest

import halfopen


def pytest_addoption(parser):
    parser.addini("halfopen_settings", "the settings file with [hosts.NAME] and [probe]", default="halfopen.toml")
    parser.addini("halfopen_publish", "ports for the tests' own network, such as 0:app:3000", type="linelist")


@pytest.fixture
def halfopen_settings(pytestconfig):
    """The settings file; a test module that has another one overrides this fixture."""
    return pathlib.Path(pytestconfig.rootpath, pytestconfig.getini("halfopen_settings"))


@pytest.fixture
def halfopen_system(request, halfopen_settings, tmp_path):
    """A system that is up, as halfopen.up() gives it."""
    capture = tmp_path / "packets.pcapng"
    publish = request.config.getini("halfopen_publish")
    with halfopen.up(halfopen_settings, publish=publish, capture=capture) as system:
        request.node.halfopen = system, capture
        yield system


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    system, capture = getattr(item, "halfopen", (None, None))
    if system is not None and report.failed and call.when == "call":
        report.sections.append(("halfopen up", f"{system.log}packets: {capture}\n"))
