# halfopen.liveness on real sockets: what it sets is what the kernel has.
import asyncio
import errno
import socket

import pytest

from halfopen import liveness


@pytest.fixture
def client():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        with socket.create_connection(listening.getsockname()) as sock:
            yield sock


def test_one_number_sets_them_all(client):
    assert liveness.would_hang(client).idle is None  # for ever
    set_it = liveness.set_liveness(client, 10)
    assert set_it == liveness.Liveness(True, 4, 2, 3, 9.8) == liveness.noticed_within(10)
    assert client.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    for option, value in (socket.TCP_KEEPIDLE, 4), (socket.TCP_KEEPINTVL, 2), (socket.TCP_KEEPCNT, 3), \
            (socket.TCP_USER_TIMEOUT, 9800):  # fmt: skip
        assert client.getsockopt(socket.IPPROTO_TCP, option) == value
    assert liveness.liveness_of(client) == set_it
    hang = liveness.would_hang(client)
    assert hang.idle == 10 and hang.in_flight >= 9.8 and hang.connecting > 0


def test_what_takes_socket_options_gets_the_same(client):
    for level, name, value in liveness.socket_options(3):
        client.setsockopt(level, name, value)
    assert liveness.liveness_of(client) == liveness.noticed_within(3)


def test_options_that_no_socket_has():
    hang = liveness.would_hang(liveness.Liveness())
    assert hang == liveness.Hang(None, 924.6, 131)
    assert liveness.would_hang(liveness.noticed_within(60)).idle == 60


def test_a_descriptor_will_do(client):
    assert liveness.set_liveness(client.fileno(), liveness.Liveness(True, 5, 1, 2, 6)).idle == 5
    assert liveness.liveness_of(client.fileno()).idle == 5
    liveness.report_icmp(client)
    assert client.getsockopt(socket.IPPROTO_IP, 11) == 1  # IP_RECVERR


def test_what_the_kernel_refuses(client):
    with pytest.raises(OSError) as raised:
        liveness.set_liveness(client, liveness.Liveness(True, 40_000, 1, 1, 0))
    assert raised.value.errno == errno.EINVAL
    client.close()
    for function in liveness.liveness_of, liveness.would_hang, lambda s: liveness.set_liveness(s, 10), liveness.report_icmp:
        with pytest.raises(OSError) as raised:
            function(client)
        assert raised.value.errno == errno.EBADF


def test_asyncio():
    async def play():
        async with await asyncio.start_server(lambda r, w: w.close(), "127.0.0.1", 0) as server:
            _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            liveness.set_liveness(writer.get_extra_info("socket"), 10)
            found = liveness.would_hang(writer.get_extra_info("socket"))
            writer.close()
            return found

    assert asyncio.run(play()).idle == 10
