"""A message is four bytes of length, the most significant first, and as many bytes of text."""

import argparse
import socket
import struct
import time

HEADER = struct.Struct(">I")
LONGEST = 4096
PORT = 7000


def encoded(text):
    return HEADER.pack(len(text)) + text


def bound_silence(s, seconds):
    """A peer that is gone is noticed within that time, with data in flight or without (tcp(7))."""
    s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, seconds // 2)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, max(1, seconds // 6))
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, seconds * 1000)


def arguments(what):
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("--start-costs", type=float, default=0, help="seconds of processor time before it begins")
    given = parser.parse_args()
    while time.process_time() < given.start_costs:
        pass
    return given
