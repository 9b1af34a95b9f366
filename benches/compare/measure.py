"""Time and memory of a process, and the machine it ran on."""

import os
import platform
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

SAMPLE_SECONDS = 0.05


def tree_bytes(root):
    """Resident bytes of a process and its descendants, from /proc."""
    page = os.sysconf("SC_PAGE_SIZE")
    resident, pending = 0, [root]
    while pending:
        process = Path("/proc") / str(pending.pop())
        try:
            resident += int((process / "statm").read_text().split()[1]) * page
            pending += [
                int(child) for task in (process / "task").iterdir() for child in (task / "children").read_text().split()
            ]
        except (OSError, IndexError):
            continue  # it ended while we looked
    return resident


def timed(command, env, cwd, log):
    """Seconds to the exit of a command, and its peak resident bytes.

    The peak is the larger of the kernel's figure for the largest process and of samples of the whole process tree.
    """
    begun = time.perf_counter()
    process = subprocess.Popen(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    ended, sampled = threading.Event(), [0]

    def sample():
        while not ended.wait(SAMPLE_SECONDS):
            sampled[0] = max(sampled[0], tree_bytes(process.pid))

    sampler = threading.Thread(target=sample)
    sampler.start()
    try:
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
    except BaseException:
        # interrupted: the output is removed next, and nobody may go on writing it
        process.kill()
        process.wait()
        raise
    finally:
        ended.set()
        sampler.join()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        log.seek(0)
        sys.exit(f"{command} ended with {process.returncode}:\n{log.read()[-4000:]}")
    return seconds, max(usage.ru_maxrss * 1024, sampled[0])


def disk(folder):
    """File system and kind of disk under a folder, as far as the kernel tells."""
    folder = folder.resolve()
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    device, _, kind, *_ = max(
        (mount for mount in mounts if folder.is_relative_to(mount[1])), key=lambda mount: len(mount[1])
    )
    name = Path(device).name
    if kind == "tmpfs" or not device.startswith("/dev/"):
        return kind
    if name.startswith("vd"):
        return f"{kind} on a virtual disk"
    for block in Path("/sys/class/block", name).resolve(), Path("/sys/class/block", name).resolve().parent:
        if (block / "queue" / "rotational").exists():
            return f"{kind} on " + (
                "a hard disk" if (block / "queue" / "rotational").read_text().strip() == "1" else "an SSD"
            )
    return kind


def available_bytes():
    """Memory that may still be taken, as the kernel estimates it; cached files count, since they can give way."""
    return int(re.search(r"^MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text(), re.MULTILINE)[1]) * 1024


def machine(folder):
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    release = ".".join(platform.release().split("-")[0].split(".")[:2])
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, {disk(folder)}, {platform.system()} {release}"
