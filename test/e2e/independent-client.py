"""A client of the binary protocol in another language, written from docs/protocol.md alone (Python 3, standard library only).

  python3 independent-client.py HOST:PORT STREAM    creates, appends in a session, sends again, reads; prints what came as JSON
  python3 independent-client.py --vectors FILE      reads every frame of test/vectors/protocol.json; prints what it understood
"""
import json
import socket
import struct
import sys
import zlib

HELLO, GOODBYE, PING, PONG, REQUEST, RESPONSE = 1, 2, 3, 4, 8, 9
APPEND, READ, CREATE_STREAM, STATUS, REGISTER_SESSION, LOOKUP_KEY = 0, 1, 2, 5, 6, 7
OUTCOMES = ["applied", "refused", "unknown"]


def text(value):
    raw = value.encode("utf-8")
    return struct.pack("<H", len(raw)) + raw


def session(client_id, number):
    return b"\x01" + struct.pack("<QQ", client_id, number)


NO_SESSION = b"\x00"


def frame(kind, payload):
    body = bytes([kind]) + payload
    return struct.pack("<II", 4 + len(body), zlib.crc32(body)) + body


class Fields:
    def __init__(self, raw):
        self.raw, self.at = raw, 0

    def take(self, count):
        if self.at + count > len(self.raw):
            raise ValueError("a field runs past the end")
        self.at += count
        return self.raw[self.at - count : self.at]

    def number(self, shape):
        return struct.unpack("<" + shape, self.take(struct.calcsize("<" + shape)))[0]

    def text(self):
        return self.take(self.number("H")).decode("utf-8")

    def bytes(self):
        return self.take(self.number("I"))

    def hash(self):
        return self.take(32).hex()

    def end(self):
        if self.at != len(self.raw):
            raise ValueError("bytes are left over")


class Client:
    def __init__(self, host, port):
        self.socket = socket.create_connection((host, port), timeout=10)
        self.next_id = 1
        hello = b"LKST" + struct.pack("<HHBBBBQ", 1, 1, 1, 255, 0, 255, 0) + text("")
        self.socket.sendall(frame(HELLO, hello))
        kind, payload = self.receive()
        assert kind == HELLO, kind
        fields = Fields(payload)
        assert fields.take(4) == b"LKST"
        low, high = fields.number("H"), fields.number("H")
        assert low <= 1 <= high, (low, high)
        assert fields.number("B") == 0
        self.replica, self.replica_count = fields.number("B"), fields.number("B")

    def exactly(self, count):
        raw = b""
        while len(raw) < count:
            part = self.socket.recv(count - len(raw))
            if part == b"":
                raise ConnectionError("the server closed the connection")
            raw += part
        return raw

    def receive(self):
        while True:
            length, checksum = struct.unpack("<II", self.exactly(8))
            body = self.exactly(length - 4)
            assert zlib.crc32(body) == checksum, "checksum"
            kind, payload = body[0], body[1:]
            if kind == PING:
                self.socket.sendall(frame(PONG, b""))
            elif kind == GOODBYE:
                raise ConnectionError(payload[1 : 1 + payload[0]].decode("ascii"))
            else:
                return kind, payload

    def ask(self, operation, payload):
        asked, self.next_id = self.next_id, self.next_id + 1
        self.socket.sendall(frame(REQUEST, struct.pack("<IIB", asked, 5000, operation) + payload))
        kind, answer = self.receive()
        fields = Fields(answer)
        assert (kind, fields.number("I")) == (RESPONSE, asked)
        outcome = OUTCOMES[fields.number("B")]
        if outcome == "applied":
            return outcome, fields
        return outcome, {"code": fields.text(), "message": fields.text(), "evidence": json.loads(fields.bytes())}


def append_payload(stream, events, key="", expected=None, stamp=NO_SESSION):
    payload = text(stream) + (b"\x00" if expected is None else b"\x01" + struct.pack("<Q", expected))
    payload += text(key) + stamp + struct.pack("<I", len(events))
    for data in events:
        payload += struct.pack("<I", len(data)) + data + text("") + text("")
    return payload


def appended(outcome, fields):
    if outcome != "applied":
        return {"outcome": outcome, "code": fields["code"]}
    found = {"outcome": outcome, "firstOffset": fields.number("Q"), "count": fields.number("I")}
    found |= {"commitId": fields.number("Q"), "hash": fields.hash()}
    fields.end()
    return found


def events_of(fields):
    next_offset, commit_id, events = fields.number("Q"), fields.number("Q"), []
    for _ in range(fields.number("I")):
        event = {"offset": fields.number("Q"), "timestamp": fields.number("Q"), "commitId": fields.number("Q")}
        event |= {"hash": fields.hash(), "type": fields.text(), "contentType": fields.text()}
        event["data"] = fields.bytes().decode("utf-8")
        events.append(event)
    fields.end()
    return {"nextOffset": next_offset, "commitId": commit_id, "events": events}


def run(address, stream):
    host, port = address.rsplit(":", 1)
    client, out = Client(host, int(port)), {}
    out["replica"] = client.replica
    outcome, fields = client.ask(REGISTER_SESSION, b"")
    assert outcome == "applied", fields
    client_id, window = fields.number("Q"), fields.number("I")
    out["session"] = {"clientId": client_id, "window": window, "commitId": fields.number("Q"), "hash": fields.hash()}
    fields.end()
    out["created"] = client.ask(CREATE_STREAM, text(stream) + text("") + session(client_id, 1))[0]
    payload = append_payload(stream, [b"one", b"two"], stamp=session(client_id, 2))
    out["first"] = appended(*client.ask(APPEND, payload))
    other = Client(host, int(port))  # the same number on another connection
    out["again"] = appended(*other.ask(APPEND, payload))
    keyed = append_payload(stream, ["drei – три".encode("utf-8")], key=f"{stream} key")
    out["keyed"] = appended(*client.ask(APPEND, keyed))
    out["keyedAgain"] = appended(*other.ask(APPEND, keyed))
    out["wrongOffset"] = appended(*client.ask(APPEND, append_payload(stream, [b"x"], expected=77)))
    outcome, fields = client.ask(READ, text(stream) + struct.pack("<QIBQI", 0, 100, 1, 0, 0))
    assert outcome == "applied", fields
    out["read"] = events_of(fields)
    outcome, fields = client.ask(LOOKUP_KEY, text(f"{stream} key"))
    assert outcome == "applied", fields
    fields.number("Q")
    out["lookup"] = {"found": fields.number("B") == 1, "stream": fields.text(), "firstOffset": fields.number("Q")}
    client.socket.sendall(frame(REQUEST, b"\xff" * 40))
    try:
        client.receive()
    except ConnectionError as error:
        out["goodbye"] = str(error)
    print(json.dumps(out))


def vectors(path):
    with open(path, encoding="utf-8") as file:
        found = json.load(file)["vectors"]
    understood = []
    for vector in found:
        raw = bytes.fromhex(vector["frame"])
        length, checksum = struct.unpack("<II", raw[:8])
        assert length == len(raw) - 4 and zlib.crc32(raw[8:]) == checksum, vector["name"]
        assert frame(raw[8], raw[9:]) == raw and raw[9:].hex() == vector["payload"], vector["name"]
        if vector["kind"] == "response" and vector["fields"]["operation"] in ("append", "read"):
            fields = Fields(raw[9:])
            assert fields.number("I") == vector["fields"]["id"]
            outcome = OUTCOMES[fields.number("B")]
            if outcome == "applied" and vector["fields"]["operation"] == "append":
                assert appended(outcome, fields)["commitId"] == vector["fields"]["applied"]["commitId"]
        understood.append(vector["name"])
    print(json.dumps({"vectors": len(understood)}))


if __name__ == "__main__":
    vectors(sys.argv[2]) if sys.argv[1] == "--vectors" else run(sys.argv[1], sys.argv[2])
