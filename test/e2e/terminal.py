"""
A program on a terminal of its own, for tests: python3 terminal.py PROGRAM ARGS...
Each line of standard input is JSON: {"keys": "..."} is typed, {"size": [rows, columns]} resizes. What the terminal shows comes
as JSON lines {"shown": "..."}; the last line is {"exit": code}. The end of standard input ends the program.
"""
import codecs, fcntl, json, os, pty, select, signal, struct, sys, termios

pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])

def size(rows, columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

def say(what):
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()

size(40, 120)
decoder = codecs.getincrementaldecoder("utf-8")("replace")
orders, typing = b"", True
while True:
    ready, _, _ = select.select([terminal] + ([0] if typing else []), [], [])
    if terminal in ready:
        try:
            shown = os.read(terminal, 65536)
        except OSError:
            shown = b""
        if not shown:
            break
        say({"shown": decoder.decode(shown)})
    if 0 in ready:
        given = os.read(0, 65536)
        if not given:
            typing = False
            os.kill(pid, signal.SIGHUP)
        orders += given
        while b"\n" in orders:
            line, orders = orders.split(b"\n", 1)
            order = json.loads(line)
            if "keys" in order:
                os.write(terminal, order["keys"].encode())
            if "size" in order:
                size(*order["size"])
_, status = os.waitpid(pid, 0)
say({"exit": os.waitstatus_to_exitcode(status)})
