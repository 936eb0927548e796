"""Gives up everything this process does not need and becomes another program: ``python -I -S confine.py WISH... -- COMMAND...``.

The wishes are ``limit=NAME:AMOUNT``, ``user=UID:GID``, ``file=DESCRIPTOR``, ``readable=PATH`` and ``report=yes``. The program gets so
much memory, time and disk, no network, no rights, and of all files only those that are named and the machine's programs and
libraries. Where a kernel or a container withholds one of the means, the others stay; a report prints the missing ones instead.
Follows prctl(2), unshare(2), landlock(7). It imports as little as it can: most of the time it takes is Python's start.
"""

import ctypes
import os
import resource
import stat
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
NEW_USER, NEW_NET, NEW_IPC = 0x10000000, 0x40000000, 0x08000000
NO_NEW_PRIVILEGES = 38
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
RULE_PATH_BENEATH = 1
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, TRUNCATE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 14
FILE_RIGHTS_OF_VERSION = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
TCP, SCOPES = 0b11, 0b11
MACHINE = (
    "/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/alternatives", "/proc/sys", "/sys/devices/system",
    "/dev/null", "/dev/zero", "/dev/urandom",
)  # fmt: skip


class Ruleset(ctypes.Structure):
    """What a set of Landlock rules is about."""

    _fields_ = [("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scopes", ctypes.c_uint64)]


class PathRule(ctypes.Structure):
    """What may be done beneath an open file or folder."""

    _pack_ = 1
    _fields_ = [("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32)]


def main(words: list[str]) -> None:
    """Confine this process as wished and become the command."""
    start = words.index("--")
    wishes = [tuple(word.split("=", 1)) for word in words[:start]]
    command = words[start + 1 :]
    for name, amount in [value.split(":") for key, value in wishes if key == "limit"]:
        more = 5 if name == "CPU" else 0
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (int(amount), int(amount) + more))
    cut = leave_network()
    for user, group in [value.split(":") for key, value in wishes if key == "user"]:
        os.setgroups([])
        os.setresgid(int(group), int(group), int(group))
        os.setresuid(int(user), int(user), int(user))
    if LIBC.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "no_new_privs")
    files = [int(value) for key, value in wishes if key == "file"]
    version = close_files(files, [*MACHINE, *(value for key, value in wishes if key == "readable")])
    if ("report", "yes") in wishes:
        missing = [] if cut or version >= 4 else ["the network"]
        sys.stdout.write(" and ".join(missing + ([] if version else ["files"])))
        return
    os.execvp(command[0], command)  # noqa: S606  there is no shell, on purpose


def leave_network() -> bool:
    """Move to where there is no network; False where that is not allowed."""
    user, group = os.geteuid(), os.getegid()
    if not LIBC.unshare(NEW_NET | NEW_IPC):
        return True
    if user == 0 or LIBC.unshare(NEW_USER | NEW_NET | NEW_IPC):
        return False
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        with open(f"/proc/self/{name}", "w") as target:
            target.write(text)
    return True


def close_files(files: list[int], readable: list[str]) -> int:
    """Keep the open files and what may be read, close all others to this process; return Landlock's version, 0 without it."""
    version = max(0, LIBC.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), 1))
    if not version:
        return 0
    every = (1 << FILE_RIGHTS_OF_VERSION[min(version, 5)]) - 1
    wanted = Ruleset(every, TCP if version >= 4 else 0, SCOPES if version >= 6 else 0)
    size = 8 if version < 4 else 16 if version < 6 else 24
    rules = LIBC.syscall(CREATE_RULESET, ctypes.byref(wanted), ctypes.c_size_t(size), 0)
    if rules < 0:
        return 0
    for path in readable:
        try:
            parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        folder = stat.S_ISDIR(os.fstat(parent).st_mode)
        allow(rules, parent, READ_FILE | EXECUTE | (READ_DIR if folder else 0))
        os.close(parent)
    for descriptor in files:
        allow(rules, descriptor, (READ_FILE | WRITE_FILE | TRUNCATE) & every)
    if LIBC.syscall(RESTRICT_SELF, rules, 0):
        raise OSError(ctypes.get_errno(), "landlock")
    os.close(rules)
    return int(version)


def allow(rules: int, parent: int, allowed: int) -> None:
    """Add one rule."""
    rule = PathRule(allowed, parent)
    if LIBC.syscall(ADD_RULE, rules, RULE_PATH_BENEATH, ctypes.byref(rule), 0):
        raise OSError(ctypes.get_errno(), "landlock")


if __name__ == "__main__":
    main(sys.argv[1:])
