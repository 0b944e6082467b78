"""Runs a program on a terminal of its own, and says what stands there: python3 pty_screen.py COLUMNS ROWS PROGRAM ARGUMENT...

Reads orders, one JSON value a line: {"resize": [columns, rows]}, {"type": "text"}, {"signal": number}. Writes, one JSON value a
line, each new state of the terminal: {"above": lines that have scrolled away, "lines": lines on the screen, "red": texts in
red, "hidden": whether the cursor is, "stopped": whether the program is}; and at last {"exit": code, "written": all bytes in base64}.
"""
import base64, fcntl, json, os, pty, select, struct, sys, termios
import pyte

columns, rows = int(sys.argv[1]), int(sys.argv[2])
screen = pyte.HistoryScreen(columns, rows, history=10000, ratio=0.5)
stream = pyte.ByteStream(screen)
written = b''


def text(line):
    return ''.join(line[x].data for x in range(screen.columns)).rstrip()


def red(line):
    return ''.join(line[x].data for x in range(screen.columns) if line[x].fg == 'red')


def say(value):
    print(json.dumps(value), flush=True)


def state():
    above = list(screen.history.top)
    shown = [screen.buffer[y] for y in range(screen.lines)]
    return {
        'above': [text(line) for line in above],
        'lines': [text(line) for line in shown],
        'red': [one for one in map(red, above + shown) if one],
        'hidden': screen.cursor.hidden,
        'stopped': is_stopped(),
    }


def is_stopped():
    # proc(5): the state follows the command's name, which is in brackets.
    with open(f'/proc/{child}/stat') as file:
        return file.read().rpartition(')')[2].split()[0] == 'T'


def resize(fd, columns, rows):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))


sized, size_it = os.pipe()
child, master = pty.fork()
if child == 0:
    # Until the window has its size, the program would see none.
    os.read(sized, 1)
    os.execvp(sys.argv[3], sys.argv[3:])
resize(master, columns, rows)
os.write(size_it, b'.')

orders = b''
last = None
inputs = [master, 0]
while master in inputs:
    ready, _, _ = select.select(inputs, [], [], 0.2)
    if 0 in ready:
        piece = os.read(0, 65536)
        if not piece:
            inputs.remove(0)
        orders += piece
        *whole, orders = orders.split(b'\n')
        for order in map(json.loads, whole):
            if 'resize' in order:
                screen.resize(order['resize'][1], order['resize'][0])
                resize(master, *order['resize'])
            elif 'type' in order:
                os.write(master, order['type'].encode())
            else:
                os.kill(child, order['signal'])
    if master in ready:
        try:
            piece = os.read(master, 65536)
        except OSError:
            piece = b''
        if not piece:
            inputs.remove(master)
        written += piece
        stream.feed(piece)
    now = state()
    if now != last:
        say(now)
        last = now
_, status = os.waitpid(child, 0)
say({'exit': os.waitstatus_to_exitcode(status), 'written': base64.b64encode(written).decode()})
