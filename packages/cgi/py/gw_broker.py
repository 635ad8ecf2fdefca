"""Starts CGI programs for a gateway, so that the gateway's own process never forks.

Run as `python3 -I -S gw_broker.py DIRECTORY`, with a socket to the gateway on descriptor 3. Standard library only,
Python 3.8 or newer. The protocol is described in the package's src/broker/protocol.ts.

Two processes: a small parent, which keeps the listening socket, and the broker, which it starts again if that dies.
Both end when the gateway closes descriptor 3 or is no more; the programs are then killed.
"""

import errno
import mmap
import os
import select
import signal
import socket
import struct
import sys
import time
from collections import deque

CONTROL = 3
HEAD_LIMIT = 16 << 20  # the system takes less than this for arguments and environment
CHUNK = 4096  # of standard error in one line, so that a line is always sent whole
PATIENCE = 256  # chunks read from a program that has ended, before its exit is told
QUEUE_LIMIT = 256  # lines waiting for the gateway; beyond, standard error is not read
SLOTS = 4096
DOOMED_LIMIT = 4096
SLOT = struct.Struct("=QQ")
BACKLOG = 1024
PF_EXITING = 0x4  # Linux sets it before a process on its way out closes its descriptors


class Table:
    """Which programs run, in memory that parent and broker share: it outlives a broker."""

    def __init__(self):
        self.memory = mmap.mmap(-1, SLOTS * SLOT.size)

    def set(self, slot, number, pid):
        SLOT.pack_into(self.memory, slot * SLOT.size, number, pid)

    def pid(self, slot):
        return SLOT.unpack_from(self.memory, slot * SLOT.size)[1]

    def entries(self):
        """(slot, id, pid) of every program; pid 0: it was about to be started."""
        for slot in range(SLOTS):
            number, pid = SLOT.unpack_from(self.memory, slot * SLOT.size)
            if number:
                yield slot, number, pid


def group_lives(pid):
    try:
        os.killpg(pid, 0)
        return True
    except PermissionError:
        return True  # they run as another user
    except OSError:
        return False


def is_running(pid):
    """Whether a process runs and is not on its way out: then it has closed its output, but cannot be waited for yet."""
    try:
        with open("/proc/%d/stat" % pid, "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        return fields[0] not in (b"Z", b"X") and not int(fields[6]) & PF_EXITING
    except FileNotFoundError:
        return not os.path.exists("/proc/self/stat")  # no Linux: it runs until we have reaped it
    except OSError:
        return True


def candidates(name, environment):
    """Where a program may be: a bare name is looked for in its own PATH, as execvp does."""
    if b"/" in name:
        return [name]
    return [os.path.join(directory or b".", name) for directory in environment.get(b"PATH", b"").split(b":")]


def spawn_first(paths, arguments, environment, options):
    refused = None
    for path in paths:
        try:
            return os.posix_spawn(path, arguments, environment, **options)
        except OSError as error:
            if error.errno == errno.ENOEXEC:
                # A script without an interpreter line is the shell's, as with execvp.
                return os.posix_spawn(b"/bin/sh", [b"/bin/sh", path, *arguments[1:]], environment, **options)
            if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.EACCES):
                raise
            if refused is None or error.errno == errno.EACCES:
                refused = error
    raise refused or FileNotFoundError(errno.ENOENT, "no such program")


class Program:
    __slots__ = ("number", "pid", "slot", "errors", "ended")

    def __init__(self, number, pid, slot, errors):
        self.number = number
        self.pid = pid
        self.slot = slot
        self.errors = errors  # descriptor of its standard error; None: closed
        self.ended = False


class Broker:
    def __init__(self, listener, control, table, defaults):
        self.listener = listener
        self.control = control
        self.table = table
        self.defaults = defaults  # signals that programs must not find ignored
        self.programs = {}  # by id
        self.by_pid = {}
        self.inputs = {}  # connections for standard input, by id
        self.doomed = {}  # ids that were told to end before they were started, oldest first
        self.waiting = {}  # (connection, fields) that miss their input, by id
        self.lines = deque()
        self.received = b""
        self.paused = False
        self.null = os.open("/dev/null", os.O_RDONLY)
        self.poll = select.poll()
        self.handlers = {}
        taken = set()
        for slot, number, pid in table.entries():
            taken.add(slot)
            self.programs[number] = Program(number, pid, slot, None)
        self.free = [slot for slot in range(SLOTS - 1, -1, -1) if slot not in taken]

    def run(self):
        wake, waker = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(waker, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.listener.setblocking(False)
        self.watch(self.listener.fileno(), self.accept, None)
        self.watch(CONTROL, self.read_control, None)
        self.watch(wake, self.reap, wake)
        self.send(b"\nR s\n")
        while True:
            for fd, _ in self.poll.poll():
                handler = self.handlers.get(fd)
                if handler is not None:
                    handler[0](handler[1])

    def watch(self, fd, handler, argument, events=select.POLLIN):
        self.handlers[fd] = (handler, argument)
        self.poll.register(fd, events)

    def unwatch(self, fd):
        del self.handlers[fd]
        self.poll.unregister(fd)

    # Connections: a head, then the socket becomes a program's.

    def accept(self, _):
        for _ in range(16):
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return  # nobody, or out of descriptors: the next round tries again
            connection.setblocking(True)
            self.watch(connection.fileno(), self.read_head, connection)

    def read_head(self, connection):
        try:
            start = connection.recv(8, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return  # an event of another connection that had this number
        except OSError:
            start = b""
        self.unwatch(connection.fileno())
        try:
            # Exactly the head: what follows is the program's. The gateway writes it at once.
            length = int(start, 16)
            if length > HEAD_LIMIT:
                raise ValueError("the head is too long")
            head = connection.recv(length, socket.MSG_WAITALL)
            if len(head) != length:
                raise ValueError("the head is cut")
        except (ValueError, OSError):
            connection.close()
            return
        fields = head.split(b"\0")
        number = int(fields[0])
        if fields[1] == b"i":
            if number in self.waiting:
                output, fields = self.waiting.pop(number)
                self.unwatch(output.fileno())
                self.launch(number, output, connection, fields)
            else:
                self.inputs[number] = connection
                # POLLHUP is always reported: the gateway has given up.
                self.watch(connection.fileno(), self.forget_input, number, 0)
        elif fields[1] == b"n":
            self.launch(number, connection, None, fields)
        elif number in self.inputs:
            body = self.inputs.pop(number)
            self.unwatch(body.fileno())
            self.launch(number, connection, body, fields)
        else:
            self.waiting[number] = (connection, fields)
            self.watch(connection.fileno(), self.forget_waiting, number, 0)

    def forget_input(self, number):
        connection = self.inputs.pop(number)
        self.unwatch(connection.fileno())
        connection.close()

    def forget_waiting(self, number):
        connection, _ = self.waiting.pop(number)
        self.unwatch(connection.fileno())
        connection.close()
        self.send(b"F %d ECANCELED\n" % number)

    # Programs.

    def launch(self, number, output, body, fields):
        slot = None
        errors = writer = None
        try:
            if number in self.doomed:
                del self.doomed[number]
                raise OSError(errno.ECANCELED, "ended before it was started")
            slot = self.free.pop()
            self.table.set(slot, number, 0)
            errors, writer = os.pipe()
            pid = self.spawn(output.fileno(), self.null if body is None else body.fileno(), writer, fields)
            self.table.set(slot, number, pid)
            os.set_blocking(errors, False)
            self.programs[number] = self.by_pid[pid] = program = Program(number, pid, slot, errors)
            self.handlers[errors] = (self.read_errors, program)
            if not self.paused:
                self.poll.register(errors, select.POLLIN)
        except (OSError, ValueError, IndexError) as error:
            reason = "EAGAIN" if isinstance(error, IndexError) else errno.errorcode.get(getattr(error, "errno", None), "EINVAL")
            self.send(b"F %d %s\n" % (number, reason.encode()))
            if errors is not None:
                os.close(errors)
            if slot is not None:
                self.release(slot)
        if writer is not None:
            os.close(writer)
        output.close()
        if body is not None:
            body.close()

    def spawn(self, output, body, errors, fields):
        count = int(fields[3])
        arguments = fields[4 : 4 + count]
        environment = {}
        for entry in fields[4 + count :]:
            name, _, value = entry.partition(b"=")
            environment[name] = value
        os.chdir(fields[2])
        options = {
            "file_actions": (
                (os.POSIX_SPAWN_DUP2, body, 0),
                (os.POSIX_SPAWN_DUP2, output, 1),
                (os.POSIX_SPAWN_DUP2, errors, 2),
            ),
            "setpgroup": 0,
            "setsigmask": (),
            "setsigdef": self.defaults,
        }
        return spawn_first(candidates(arguments[0], environment), arguments, environment, options)

    def read_errors(self, program):
        """Sends one chunk of standard error. False: there is none now."""
        try:
            data = os.read(program.errors, CHUNK)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if data:
            self.send(b"E %d %s\n" % (program.number, data.hex().encode()))
            return True
        self.close_errors(program)
        if program.ended:
            self.send(b"C %d\n" % program.number)
        return False

    def close_errors(self, program):
        fd, program.errors = program.errors, None
        del self.handlers[fd]
        if not self.paused:
            self.poll.unregister(fd)
        os.close(fd)

    def reap(self, wake):
        try:
            while os.read(wake, 4096):
                pass
        except BlockingIOError:
            pass
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            program = self.by_pid.pop(pid, None)
            if program is not None:
                self.end(program, status)

    def end(self, program, status):
        rounds = 0
        # Its last words come before the news of its end.
        while program.errors is not None and rounds < PATIENCE and self.read_errors(program):
            rounds += 1
        program.ended = True
        lives = group_lives(program.pid)
        self.send(exit_line(program.number, status, program.errors is not None, lives))
        if not lives:
            self.drop(program)

    def drop(self, program):
        """Nobody is left in the group, or they may live: its id must not be used any more."""
        if self.programs.pop(program.number, None) is not None:
            self.release(program.slot)

    def release(self, slot):
        self.table.set(slot, 0, 0)
        self.free.append(slot)

    # The gateway.

    def read_control(self, _):
        try:
            data = os.read(CONTROL, 65536)
        except OSError:
            data = b""
        if not data:
            self.end_all()
        *lines, self.received = (self.received + data).split(b"\n")
        for line in lines:
            words = line.split()
            program = self.programs.get(int(words[1]))
            if words[0] == b"Q":
                self.answer(int(words[1]), program)
            elif program is None:
                if words[0] == b"K":
                    self.doom(int(words[1]))
            elif words[0] == b"D":
                self.drop(program)
            else:
                self.signal(program, int(words[2]))

    def doom(self, number):
        """Its connection is still to be read: it shall not start. (Or it has ended: then this is forgotten in time.)"""
        self.doomed[number] = None
        if len(self.doomed) > DOOMED_LIMIT:
            del self.doomed[next(iter(self.doomed))]

    def answer(self, number, program):
        """Does it live? If it ended, or is about to, the news of that are on their way: from us, or from our parent."""
        if program is None:
            self.send(exit_line(number, None, False, False))
        elif not program.ended and is_running(program.pid):
            self.send(b"A %d\n" % number)

    def signal(self, program, number):
        # One that we took over from a broker that died is reaped by our parent, which frees its place.
        if program.pid not in self.by_pid and not program.ended and self.table.pid(program.slot) != program.pid:
            self.programs.pop(program.number, None)
            return
        if program.pid > 1:
            try:
                os.killpg(program.pid, number)
            except OSError:
                pass  # it ended just now
        if program.ended and number == signal.SIGKILL:
            self.drop(program)

    def end_all(self):
        for program in list(self.programs.values()):
            self.signal(program, signal.SIGKILL)
        os._exit(0)

    def send(self, line):
        self.lines.append(line)
        if len(self.lines) == 1:
            self.flush(None)
            if self.lines:
                self.poll.modify(CONTROL, select.POLLIN | select.POLLOUT)
                self.handlers[CONTROL] = (self.control_ready, None)
        elif len(self.lines) > QUEUE_LIMIT and not self.paused:
            self.pause(True)

    def control_ready(self, _):
        self.flush(None)
        if not self.lines:
            self.poll.modify(CONTROL, select.POLLIN)
            self.handlers[CONTROL] = (self.read_control, None)
            if self.paused:
                self.pause(False)
        if select.select([CONTROL], [], [], 0)[0]:
            self.read_control(None)

    def flush(self, _):
        while self.lines:
            line = self.lines[0]
            try:
                sent = self.control.send(line, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            except OSError:
                self.end_all()
            if sent < len(line):
                self.lines[0] = line[sent:]
                return
            self.lines.popleft()

    def pause(self, paused):
        self.paused = paused
        for program in self.programs.values():
            if program.errors is not None:
                if paused:
                    self.poll.unregister(program.errors)
                else:
                    self.poll.register(program.errors, select.POLLIN)


def exit_line(number, status, has_errors, lives):
    text = b"?" if status is None else b"%d" % status
    return b"X %d %s %s %s\n" % (number, text, b"o" if has_errors else b"c", b"g" if lives else b"-")


def become_subreaper():
    """Makes programs of a broker that died our children (Linux). Without it their exit stays unknown."""
    try:
        import ctypes

        return ctypes.CDLL(None, use_errno=True).prctl(36, 1, 0, 0, 0) == 0
    except Exception:
        return False


def report(control, table, slot, number, pid, status):
    """Tells the end of a program that lost its broker."""
    lives = pid > 1 and group_lives(pid)
    try:
        control.send(b"\n" + exit_line(number, status, False, lives))
    except OSError:
        pass
    if not lives:
        table.set(slot, 0, 0)


def newest_child(known):
    """The program among our children that started last and is not known; 0: none (Linux)."""
    session, me, found = os.getsid(0), os.getpid(), (-1, 0)
    for name in os.listdir("/proc") if os.path.exists("/proc/self/stat") else ():
        try:
            with open("/proc/%d/stat" % int(name), "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
        except (ValueError, OSError):
            continue
        pid = int(name)
        # Only programs lead a group in our session: what they leave behind is in theirs, or has a session of its own.
        if [int(field) for field in fields[1:4]] == [me, pid, session] and pid not in known:
            found = max(found, (int(fields[19]), pid))
    return found[1]


def take_over(control, table):
    """After the death of a broker: which of its programs are ours now."""
    entries = list(table.entries())
    for slot, number, pid in entries:
        if pid == 0:
            # The broker died while it started this one: if it runs, it is our only child that nobody has noted.
            pid = newest_child({known for _, _, known in entries})
            table.set(slot, number, pid)
        if pid == 0:
            report(control, table, slot, number, 0, None)
            continue
        try:
            reaped, status = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            report(control, table, slot, number, pid, None)
            continue
        if reaped == pid:
            report(control, table, slot, number, pid, status)


def start(listener, control, table, defaults):
    pid = os.fork()
    if pid != 0:
        return pid
    try:
        Broker(listener, control, table, defaults).run()
    except BaseException as error:  # noqa: B902 - whatever it is, the parent must hear of it
        sys.stderr.write("gw: the CGI broker failed: %r\n" % (error,))
        sys.stderr.flush()
    finally:
        os._exit(1)


def close_inherited():
    try:
        found = [int(name) for name in os.listdir("/proc/self/fd")]
    except OSError:
        found = range(CONTROL + 1, 1024)
    for fd in found:
        if fd > CONTROL:
            try:
                os.close(fd)
            except OSError:
                pass


def main():
    directory = sys.argv[1]
    close_inherited()
    os.set_inheritable(CONTROL, False)
    # Only the gateway ends us: what a terminal sends to everybody is not meant for us.
    ignored = [signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2]
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)
    defaults = [number for number in signal.valid_signals() if signal.getsignal(number) == signal.SIG_IGN]
    control = socket.socket(fileno=CONTROL)
    path = os.path.join(directory, "s")
    mask = os.umask(0o077)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(BACKLOG)
    os.umask(mask)
    table = Table()
    become_subreaper()  # first: a broker may die as soon as it lives
    broker = start(listener, control, table, defaults)
    born = time.monotonic()
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid != broker:
            # An orphan: a program whose broker died, or a process that a program left behind.
            for slot, number, known in list(table.entries()):
                if known == pid:
                    report(control, table, slot, number, pid, status)
            continue
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0:
            break
        try:
            control.send(b"\nL\n")
        except OSError:
            pass
        take_over(control, table)
        if time.monotonic() - born < 1:
            time.sleep(0.1)  # it dies at once, again and again
        broker = start(listener, control, table, defaults)
        born = time.monotonic()
    for remove, what in ((os.unlink, path), (os.rmdir, directory)):
        try:
            remove(what)
        except OSError:
            pass


main()
