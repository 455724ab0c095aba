# halfopen.fate on real sockets: what ended them, and that its words are those of `halfopen explain`.
import errno
import http.client
import os
import select
import socket
import struct
import subprocess
import urllib.request

import pytest

from halfopen import fate


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


@pytest.fixture
def both(listener):
    with socket.create_connection(listener.getsockname()) as client:
        server, _ = listener.accept()
        with server:
            yield client, server


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def wait_for_news(sock):
    assert select.select([sock], [], [], 5)[0]


def test_a_reset(both):
    client, server = both
    client.sendall(b"ask")
    wait_for_news(server)
    reset(server)
    wait_for_news(client)
    with pytest.raises(ConnectionResetError) as raised:
        client.recv(1)
    f = fate.diagnose(client, raised.value)
    assert (f.how, f.or_else, f.when, f.again, f.during) == \
        ("peer_reset", "peer_rebooted", "awaiting_reply", "unknown", "read")  # fmt: skip
    assert f.could_be("peer_rebooted") and not f.could_be("refused")
    assert f.error == errno.ECONNRESET and f.detail == "" and not f.still_open
    assert f.last_heard >= 0 and f.round_trip > 0 and f.router is None
    assert str(f) == "peer_reset or peer_rebooted while awaiting_reply: read: ECONNRESET (Connection reset by peer); " \
        "retry: unknown"  # fmt: skip
    assert f.explanation.startswith("While a reply was awaited, the peer reset the connection, or its host rebooted (")


def test_a_fin_in_the_middle_of_a_reply(both):
    client, server = both
    server.sendall(b"half a li")
    server.close()
    assert client.recv(100) == b"half a li" and client.recv(100) == b""
    f = fate.diagnose(client, 0, when="receiving_reply")
    assert (f.how, f.when, f.again) == ("peer_closed", "receiving_reply", "safe")  # nothing was asked
    assert f.detail == "end-of-file" and f.still_open


def test_a_refusal(listener):
    address = listener.getsockname()
    listener.close()
    with socket.socket() as sock, pytest.raises(ConnectionRefusedError) as raised:
        sock.connect(address)
    f = fate.diagnose(None, raised.value, during="connect")
    assert (f.how, f.when, f.again) == ("refused", "connecting", "safe")


def test_writing_after_a_reset(both):
    client, server = both
    reset(server)
    wait_for_news(client)
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    with pytest.raises(BrokenPipeError) as raised:
        client.sendall(b"x")
    f = fate.diagnose(client, raised.value, during="write")
    assert (f.how, f.when, f.again) == ("broken_pipe", "sending", "safe")


def test_a_time_limit_of_our_own_says_nothing_of_the_peer(both):
    client, _ = both
    client.settimeout(0.01)
    with pytest.raises(TimeoutError) as raised:
        client.recv(1)
    assert fate.diagnose(client, raised.value).how == "deadline_passed"


def test_an_exception_is_looked_into(listener):
    silent = socket.create_server(("127.0.0.1", 0))
    address = listener.getsockname()
    listener.close()
    with pytest.raises(urllib.request.URLError) as raised:
        urllib.request.urlopen(f"http://{address[0]}:{address[1]}/", timeout=5)
    assert fate.error_of(raised.value) == errno.ECONNREFUSED
    connection = http.client.HTTPConnection(*silent.getsockname(), timeout=5)
    connection.request("GET", "/")
    accepted, _ = silent.accept()
    while b"\r\n\r\n" not in accepted.recv(4096):
        pass
    accepted.close()
    with pytest.raises(http.client.RemoteDisconnected) as raised:
        connection.getresponse()
    assert fate.diagnose(None, raised.value).how == "peer_closed"
    try:
        try:
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")
        except OSError as e:
            raise RuntimeError("a driver's own") from e
    except RuntimeError as e:
        assert fate.error_of(e) == errno.EPIPE
    assert fate.error_of(EOFError()) == 0
    with pytest.raises(ValueError):
        fate.error_of(socket.gaierror(-2, "Name or service not known"))
    with pytest.raises(ValueError):
        fate.error_of(KeyError("x"))


def test_what_is_no_argument(both):
    for wrong in {"during": "reading"}, {"when": "dreaming"}:
        with pytest.raises(ValueError):
            fate.diagnose(both[0], 0, **wrong)
    with pytest.raises(KeyError):
        fate.explain("no such word")
    with pytest.raises(ValueError):
        fate.ending_of("dreaming", 0)


def test_what_an_errno_means():
    m = fate.explain("ECONNRESET")
    assert m.error == errno.ECONNRESET and m.endings == ("peer_reset", "peer_rebooted", "aborted_before_accept")
    assert fate.ending_of("connect", errno.ECONNREFUSED) == "refused"


def test_the_program_explains_with_the_same_words():
    assert len(fate.ENDINGS) == 14 and len(fate.PHASES) == 5 and len(fate.RETRIES) == 3
    for word in fate.ENDINGS + fate.PHASES + fate.RETRIES:
        said = subprocess.run([os.environ["HALFOPEN"], "explain", word], capture_output=True, text=True, check=True).stdout
        said = " ".join(said.split())
        m = fate.explain(word)
        assert m.name == word and m.endings == ((word,) if word in fate.ENDINGS else ())
        assert m.means and m.advice
        for text in m.means, m.causes, m.advice:
            assert text in said, word
