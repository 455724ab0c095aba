# With pytest, and python/ in PYTHONPATH: pytest -p halfopen.pytest_plugin examples/visits
import pathlib
import time
import urllib.request

import pytest


@pytest.fixture
def halfopen_settings():
    return pathlib.Path(__file__).with_name("halfopen.toml")


def test_redis_crashes_and_comes_back(halfopen_system):
    system = halfopen_system
    before = int(system.ask().output)
    system.crash("db")
    asked = system.ask()
    assert asked.how == "refused" and asked.exit == 22, asked  # curl's exit code for an answer of 400 and above
    assert "503" in asked.errors
    assert system.ask("health").how == "refused"
    system.reboot("db")
    after = system.served_within(30)
    assert after, "it recovers by itself"
    assert int(after.output) > before, "redis has kept its file"


def test_a_lost_link_is_a_connection_that_one_side_believes_in(halfopen_system):
    system = halfopen_system
    assert system.ask().served
    system.cut("app-db")
    time.sleep(0.3)  # an acknowledgement that is owed for 0.2 s at most is lost now: later it would be answered with an RST
    system.reboot("db")
    system.heal("app-db")
    (seen,) = [c for c in system.state()["connections"] if (c["from"], c["to"]) == ("app", "db")]
    assert seen["half_open"], seen
    assert seen["ends"][0]["would_hang"]["idle_ms"] is None, "node sets no keepalive: for ever"
    assert system.served_within(30)


def test_any_moment_of_an_answer(halfopen_system):
    system = halfopen_system
    system.cut("app-db", after=1, sender="db")  # ":", and not the count
    assert system.ask().how == "refused"
    system.heal("app-db")
    assert system.served_within(30)


def test_from_outside(halfopen_settings):
    import halfopen

    with halfopen.up(halfopen_settings, publish=["0:app:3000"]) as system:
        address, port = system.port("app", 3000)
        with urllib.request.urlopen(f"http://{address}:{port}/visits") as answer:
            assert int(answer.read()) > 0
        with pytest.raises(halfopen.Error, match="there are: db, app, user"):
            system.crash("shop")
        assert "aof_enabled:1" in system.execute("db", "redis-cli", "info", "persistence").text
