"""A seccomp filter: the kernel refuses system calls that generated code has no business with.

A classic BPF program (seccomp(2), Documentation/userspace-api/seccomp_filter.rst) of pairs "is it this call?
refuse it". Refused calls fail with EPERM, so that code sees an ordinary exception.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform

from .libc import PR_SET_SECCOMP, prctl

_LOAD, _JUMP_EQUAL, _JUMP_GREATER_EQUAL, _JUMP_SET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = (
    0,
    4,
    16,
)  # offsets in struct seccomp_data; the low half of the argument
_ALLOW, _ERRNO, _KILL_PROCESS = 0x7FFF0000, 0x00050000, 0x80000000
_FILTER_MODE = 2
_X32_BIT = 0x40000000
_CLONE_THREAD = 0x10000

_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}  # AUDIT_ARCH_* of linux/audit.h

# Numbers on (x86_64, aarch64); None where the architecture has no such call.
# fmt: off
_REFUSED: dict[str, tuple[int | None, int | None]] = {
    # other programs and processes
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "execveat": (322, 281),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "tkill": (200, 130), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240),
    "pidfd_send_signal": (424, 424), "pidfd_open": (434, 434), "pidfd_getfd": (438, 438),
    # the network
    "socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203), "bind": (49, 200),
    "listen": (50, 201), "accept": (43, 202), "accept4": (288, 242), "sendto": (44, 206),
    "sendmsg": (46, 211), "sendmmsg": (307, 269),
    # files beyond what permissions and Landlock cover
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "chown": (92, None), "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54),
    "truncate": (76, 45), "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7),
    "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16), "mknod": (133, None),
    "mknodat": (259, 33), "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265),
    "fanotify_init": (300, 262),
    # memory that outlives the process or escapes the limit on it
    "shmget": (29, 194), "shmat": (30, 196), "semget": (64, 190), "msgget": (68, 186),
    "mq_open": (240, 180), "memfd_create": (319, 279), "memfd_secret": (447, 447),
    # the system itself
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
    "unshare": (272, 97), "setns": (308, 268), "open_tree": (428, 428), "move_mount": (429, 429),
    "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
    "mount_setattr": (442, 442), "bpf": (321, 280), "perf_event_open": (298, 241),
    "userfaultfd": (323, 282), "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106),
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "reboot": (169, 142), "swapon": (167, 224),
    "swapoff": (168, 225), "settimeofday": (164, 170), "clock_settime": (227, 112),
    "adjtimex": (159, 171), "clock_adjtime": (305, 266), "personality": (135, 92), "acct": (163, 89),
    "quotactl": (179, 60), "sethostname": (170, 161), "setdomainname": (171, 162), "syslog": (103, 116),
    "ioperm": (173, None), "iopl": (172, None),
}
# fmt: on
_CLONE, _CLONE3 = (56, 220), (435, 435)
_KILL, _TGKILL, _PRCTL, _PRLIMIT = (62, 129), (234, 131), (157, 167), (302, 261)


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("jt", ctypes.c_uint8),
        ("jf", ctypes.c_uint8),
        ("k", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("filter", ctypes.POINTER(_Instruction)))


def restrict() -> None:
    """Install the filter on this process for good. Needs no_new_privs.

    Raises OSError where the kernel has no seccomp filters, KeyError on an architecture whose call numbers are
    not known here.
    """
    instructions = program(platform.machine(), os.getpid())
    array = (_Instruction * len(instructions))(*(_Instruction(*fields) for fields in instructions))
    prctl(PR_SET_SECCOMP, _FILTER_MODE, ctypes.byref(_Program(len(instructions), array)))


def program(machine: str, process: int) -> list[tuple[int, int, int, int]]:
    """The filter as (code, jump if true, jump if false, operand), for the process with this id."""
    column = list(_ARCHITECTURES).index(machine) if machine in _ARCHITECTURES else None
    if column is None:
        raise KeyError(machine)
    refuse = (_RETURN, 0, 0, _ERRNO | errno.EPERM)
    allow = (_RETURN, 0, 0, _ALLOW)
    code = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_JUMP_EQUAL, 1, 0, _ARCHITECTURES[machine]),
        (_RETURN, 0, 0, _KILL_PROCESS),
        (_LOAD, 0, 0, _NUMBER),
    ]
    if machine == "x86_64":
        code += [(_JUMP_GREATER_EQUAL, 0, 1, _X32_BIT), refuse]
    for numbers in _REFUSED.values():
        number = numbers[column]
        if number is not None:
            code += [(_JUMP_EQUAL, 0, 1, number), refuse]
    # glibc falls back from clone3, whose flags a filter cannot see, to clone.
    code += [(_JUMP_EQUAL, 0, 1, _CLONE3[column]), (_RETURN, 0, 0, _ERRNO | errno.ENOSYS)]
    # Decided by the first argument: threads but no processes, signals and limits only for itself, no escape
    # from the death signal.
    by_argument = [
        (_CLONE, _JUMP_SET, _CLONE_THREAD, allow, refuse),
        (_KILL, _JUMP_EQUAL, process, allow, refuse),
        (_TGKILL, _JUMP_EQUAL, process, allow, refuse),
        (_PRLIMIT, _JUMP_EQUAL, 0, allow, refuse),
        (_PRCTL, _JUMP_EQUAL, 1, refuse, allow),
    ]
    for numbers, test, operand, if_true, if_false in by_argument:
        code += [
            (_JUMP_EQUAL, 0, 4, numbers[column]),
            (_LOAD, 0, 0, _FIRST_ARGUMENT),
            (test, 0, 1, operand),
            if_true,
            if_false,
        ]
    return [*code, allow]
