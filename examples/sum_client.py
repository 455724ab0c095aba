# A client of the sum protocol, from docs/wire-format.md alone:
#     python3 sum_client.py text|binary HOST PORT A B
import socket
import struct
import sys

ERRORS = {1: "overflow", 2: "out_of_range", 3: "malformed", 4: "too_long"}


def ask(form, host, port, a, b):
    with socket.create_connection((host, port), timeout=10) as connection, connection.makefile("rwb") as stream:
        stream.write(b"%d %d\n" % (a, b) if form == "text" else struct.pack(">IBBBqq", 19, 0xF5, 1, 1, a, b))
        stream.flush()
        if form == "text":
            line = stream.readline()
            return line[:-1].decode() if line.endswith(b"\n") else "cut off"
        length, magic, version, kind = struct.unpack(">IBBB", stream.read(7))
        assert (magic, version) == (0xF5, 1) and (kind, length) in ((2, 11), (3, 4)), "no reply"
        body = stream.read(length - 3)
        return str(struct.unpack(">q", body)[0]) if kind == 2 else "error " + ERRORS[body[0]]


if __name__ == "__main__":
    print(ask(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5])))
