"""What keeps a process, from some moment on, from all but its own work. Linux; Python's own tools.

    limits       of memory, processor time, processes, files and their sizes
    user         of a superuser: another user, with no rights; of others: no rights to gain any
    namespaces   nothing of the machine but a few files to read, no network, no other process
    landlock     the same few files, where namespaces are not allowed
    seccomp      no new processes, no network, no signals, no namespaces

Each is tried, and what the system does not allow is left out: `isolate` says which are in force.
"""

import ctypes
import math
import os
import platform
import pwd
import resource
import signal
import struct
from contextlib import suppress
from pathlib import Path

LAYERS = ("namespaces", "user", "landlock", "seccomp")
_libc = ctypes.CDLL(None, use_errno=True)
_SCRATCH = "/scratch"
SIGNAL = 128  # an exit code above it tells the signal that ended a process


def isolate(room, process):
    """Give up everything but what a room allows.   -> names of the layers that are in force

    Where processes get a namespace of their own this forks, and returns in the new process only.
    """
    held = []
    readable = [Path(path) for path in room["readable"]]
    scratch = room["scratch"]
    user = _nobody(process) if "user" in room["layers"] and os.geteuid() == 0 else None
    if "namespaces" in room["layers"] and _namespaces(room, readable, user):
        held.append("namespaces")
        scratch = _SCRATCH
    elif user is not None:
        if all(map(_is_open_to_all, {path.parent for path in readable})):
            os.chown(scratch, user, user)
        else:
            user = None  # who could not read what is readable
    os.chdir(scratch)
    os.environ.clear()
    os.environ.update(HOME=scratch, TMPDIR=scratch, PATH="")
    _limit(room)
    if "user" in room["layers"] and _give_up_rights(user):
        held.append("user")
    end_with_parent()
    _call(_libc.prctl, _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if "landlock" in room["layers"] and _landlock(readable, room["listed"], scratch):
        held.append("landlock")
    if "seccomp" in room["layers"] and _seccomp():
        held.append("seccomp")
    return held


def end_with_parent():
    """Let the system end this process when its parent ends, even if that is killed."""
    _libc.prctl(_PR_SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)


def _call(function, *arguments):
    """Call a function of the C library; OSError if it fails."""
    result = function(*arguments)
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


# ---- Limits --------------------------------------------------------------------------------------


def _limit(room):
    limits = {
        resource.RLIMIT_AS: room["memory"],
        resource.RLIMIT_CPU: math.ceil(room["seconds"]),
        resource.RLIMIT_FSIZE: room["file_size"],
        resource.RLIMIT_NOFILE: 64,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NPROC: room["processes"] + _processes_of_user(),
    }
    for kind, most in limits.items():
        allowed = resource.getrlimit(kind)[1]
        most = most if allowed == resource.RLIM_INFINITY else min(most, allowed)
        with suppress(OSError, ValueError):
            resource.setrlimit(kind, (most, most))


def _processes_of_user():
    """How many threads this user has already, which count; none that is in a namespace or root."""
    count, user = 0, os.getuid()
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if user and entry.stat().st_uid == user:
                count += len(os.listdir(entry / "task"))
    return count


# ---- User ----------------------------------------------------------------------------------------

_PR_SET_DEATH_SIGNAL, _PR_SET_NO_NEW_PRIVS, _PR_CAPBSET_DROP = 1, 38, 24
_CAPABILITY_VERSION = 0x20080522


def _nobody(process):
    """The number of a user that nobody is; for another process, another one."""
    for user in range(40_000 + process % 20_000, 65_000):
        try:
            pwd.getpwuid(user)
        except KeyError:
            return user
    return None


def _give_up_rights(user):
    """Be this user, if that is allowed, and have no special rights.   -> whether it is another"""
    is_another = False
    if user is not None:
        with suppress(OSError):
            os.setgroups([])
            os.setresgid(user, user, user)
            os.setresuid(user, user, user)
            is_another = True
    for capability in range(64):
        _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    head, nothing = struct.pack("Ii", _CAPABILITY_VERSION, 0), struct.pack("6I", *[0] * 6)
    _call(_libc.capset, ctypes.create_string_buffer(head), ctypes.create_string_buffer(nothing))
    return is_another


def _is_open_to_all(folder):
    """Whether every user may go into a folder."""
    return all(path.stat().st_mode & 0o001 for path in (folder, *folder.parents))


# ---- Namespaces ----------------------------------------------------------------------------------

_NEW_FILES, _NEW_NAMES, _NEW_MESSAGES = 0x00020000, 0x04000000, 0x08000000
_NEW_USER, _NEW_PROCESSES, _NEW_NETWORK = 0x10000000, 0x20000000, 0x40000000
_READ_ONLY, _NO_SETUID, _NO_DEVICES, _NO_EXECUTION, _AGAIN = 1, 2, 4, 8, 32
_BIND, _RECURSIVE, _PRIVATE, _DETACH = 4096, 16384, 1 << 18, 2
_KEPT = {os.ST_NOEXEC: _NO_EXECUTION, os.ST_NOATIME: 1024, os.ST_NODIRATIME: 2048}
_KEPT |= {os.ST_RELATIME: 1 << 21}
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}


def _namespaces(room, readable, user):
    """Begin in namespaces of our own, for a user or for the present one. Whether that is allowed.

    The first process in a namespace takes all others with it when it ends.
    """
    mine = _NEW_FILES | _NEW_NAMES | _NEW_MESSAGES | _NEW_PROCESSES | _NEW_NETWORK
    inside, outside = os.getuid(), os.getgid()
    try:
        if _libc.unshare(mine):
            _call(_libc.unshare, mine | _NEW_USER)
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{inside} {inside} 1")
            Path("/proc/self/gid_map").write_text(f"{outside} {outside} 1")
        _private_files(room["root"], readable, room["scratch_size"], user)
    except (OSError, KeyError):
        return False
    _go_on_in_a_child()
    return True


def _go_on_in_a_child():
    """Fork; the parent waits, and ends as its child does."""
    child = os.fork()
    if not child:
        return
    os.closerange(0, 64)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else SIGNAL - code)


def _private_files(root, readable, scratch_size, user):
    """See a root of our own with the readable files in their places, and a scratch folder."""
    _mount("none", "/", flags=_RECURSIVE | _PRIVATE)
    _mount("tmpfs", root, "tmpfs", _NO_SETUID | _NO_DEVICES, "size=1m,mode=755")
    for path in readable:
        _show(path.resolve(), Path(f"{root}{path}"))
    scratch = f"{root}{_SCRATCH}"
    os.mkdir(scratch)
    options = f"size={scratch_size},nr_inodes=1000,mode=700"
    _mount("tmpfs", scratch, "tmpfs", _NO_SETUID | _NO_DEVICES, options)
    if user is not None:
        with suppress(OSError):  # if this user exists in no namespace, it cannot be become either
            os.chown(scratch, user, user)
    _mount("none", root, flags=_BIND | _AGAIN | _READ_ONLY | _NO_SETUID | _NO_DEVICES)
    os.chdir(root)
    _call(_libc.syscall, _PIVOT_ROOT[platform.machine()], b".", b".")
    _call(_libc.umount2, b".", _DETACH)
    os.chdir("/")


def _show(path, place):
    """Let a file or folder be read at a place, and nothing else be done with it."""
    if path.is_dir():
        place.mkdir(parents=True, exist_ok=True)
    else:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    _mount(path, place, flags=_BIND)
    before = os.statvfs(place).f_flag
    kept = sum(flag for seen, flag in _KEPT.items() if before & seen)
    flags = _BIND | _AGAIN | _READ_ONLY | _NO_SETUID | _NO_DEVICES | kept
    _mount("none", place, flags=flags)


def _mount(source, target, kind=None, flags=0, options=None):
    texts = [None if text is None else os.fsencode(text) for text in (source, target, kind)]
    _call(_libc.mount, *texts, ctypes.c_ulong(flags), options and options.encode())


# ---- Landlock ------------------------------------------------------------------------------------

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_WRITE_FILE, _READ_FILE, _READ_FOLDER, _REMOVE_FILE = 1 << 1, 1 << 2, 1 << 3, 1 << 5
_MAKE_FILE, _TRUNCATE = 1 << 8, 1 << 14
_ACTIONS_ON_FILES = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}  # {version: how many kinds there are}


def _landlock(readable, listed, scratch):
    """Read what is readable, and write files in the scratch folder. Whether that is in force."""
    version = _libc.syscall(_CREATE, None, ctypes.c_size_t(0), 1)
    if version < 1:
        return False
    everything = (1 << _ACTIONS_ON_FILES[min(version, 5)]) - 1
    network, others = (3 if version >= 4 else 0), (3 if version >= 6 else 0)
    words = [everything, network, others][: 1 + (version >= 4) + (version >= 6)]
    rules = struct.pack(f"{len(words)}Q", *words)
    ruleset = _call(_libc.syscall, _CREATE, rules, ctypes.c_size_t(len(rules)), 0)
    for path in listed:
        _allow(ruleset, path, _READ_FOLDER)
    for path in readable:
        allowed = _READ_FILE | (_READ_FOLDER if path.is_dir() else 0)
        _allow(ruleset, path, allowed)
    own = _READ_FILE | _READ_FOLDER | _WRITE_FILE | _MAKE_FILE | _REMOVE_FILE | _TRUNCATE
    _allow(ruleset, scratch, own & everything)
    _call(_libc.syscall, _RESTRICT, ruleset, 0)
    os.close(ruleset)
    return True


def _allow(ruleset, path, actions):
    file = os.open(path, os.O_PATH | os.O_CLOEXEC)
    rule = struct.pack("=Qi", actions, file)
    _call(_libc.syscall, _ADD, ruleset, 1, rule, 0)
    os.close(file)


# ---- Seccomp -------------------------------------------------------------------------------------

_PR_SET_SECCOMP, _FILTER = 22, 2
_ALLOW, _REFUSE, _END = 0x7FFF0000, 0x00050000, 0x80000000  # a verdict on a call of the system
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NOT_PERMITTED, _NO_SUCH_CALL = 1, 38
_THREAD = 0x00010000  # what distinguishes a thread from a process, when one is started
_MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_NEVER = 0xFFFFFFFF  # the number of no call
# Calls that reach out of the process, or change who may do what with files:
# {name: (number on x86_64, on aarch64)}
_REFUSED = {
    "fork": (57, _NEVER),
    "vfork": (58, _NEVER),
    "socket": (41, 198),
    "kill": (62, 129),
    "tkill": (200, 130),
    "tgkill": (234, 131),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424),
    "pidfd_getfd": (438, 438),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "prlimit64": (302, 261),
    "setpriority": (141, 140),
    "chmod": (90, _NEVER),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, _NEVER),
    "fchown": (93, 55),
    "lchown": (94, _NEVER),
    "fchownat": (260, 54),
    "utime": (132, _NEVER),
    "utimes": (235, _NEVER),
    "futimesat": (261, _NEVER),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "setxattrat": (463, 463),
    "removexattrat": (466, 466),
    "file_setattr": (469, 469),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
    "mq_open": (240, 180),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "fsopen": (430, 430),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "open_by_handle_at": (304, 265),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
}
_CLONE = (56, 220)
_CLONE3 = 435
_OTHER_NUMBERS = 0x40000000  # of another way to call the same system


def _seccomp():
    """Refuse the system calls that reach out of the process. Whether that is in force."""
    machine = platform.machine()
    if machine not in _MACHINES:
        return False
    column = list(_MACHINES).index(machine)
    steps = [
        (_LOAD, 0, 0, 4),
        (_EQUAL, 1, 0, _MACHINES[machine]),
        (_RETURN, 0, 0, _END),
        (_LOAD, 0, 0, 0),
        (_AT_LEAST, 0, 1, _OTHER_NUMBERS),
        (_RETURN, 0, 0, _END),
    ]
    for numbers in _REFUSED.values():
        steps += [(_EQUAL, 0, 1, numbers[column]), (_RETURN, 0, 0, _REFUSE | _NOT_PERMITTED)]
    # A library that does not find clone3 uses clone, whose flags can be read here.
    steps += [(_EQUAL, 0, 1, _CLONE3), (_RETURN, 0, 0, _REFUSE | _NO_SUCH_CALL)]
    steps += [(_EQUAL, 1, 0, _CLONE[column]), (_RETURN, 0, 0, _ALLOW), (_LOAD, 0, 0, 16)]
    steps += [(_ANY_BIT, 0, 1, _THREAD), (_RETURN, 0, 0, _ALLOW)]
    steps += [(_RETURN, 0, 0, _REFUSE | _NOT_PERMITTED)]
    code = b"".join(struct.pack("HBBI", *step) for step in steps)
    program = ctypes.create_string_buffer(code, len(code))
    head = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(program))
    return _libc.prctl(_PR_SET_SECCOMP, _FILTER, ctypes.create_string_buffer(head), 0, 0) == 0


# ---- In words ------------------------------------------------------------------------------------


def unprotected(held):
    """In sentences, what the layers in force do not keep a submission from."""
    held = set(held)
    if not held & {"namespaces", "landlock"}:
        yield "It could read all files that a user can read here, the framework among them."
        yield "It could write wherever a user can write here, and not in its own folder alone."
    if "namespaces" not in held:
        yield "It could fill the disk, until its time was over."
    if not held & {"namespaces", "seccomp"}:
        yield "It could use the network."
    if not held & {"namespaces", "seccomp", "user"}:
        yield "It could send signals to other processes of the user who grades, and read them."
        yield "It could change the rights and dates of files of the user who grades."
