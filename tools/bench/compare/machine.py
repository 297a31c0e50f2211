"""What the figures were measured on, and what else the machine did meanwhile."""
import datetime
import os
import platform
import re
import time
from pathlib import Path

from peers import compiler_version


def read(path):
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""


# CPUs that others use from which on figures are worth less.
BUSY = 0.1


class OtherWork:
    """The CPU time that was not ours since it was made."""

    def __init__(self):
        self.began, self.before = time.monotonic(), self.times()

    @staticmethod
    def times():
        """Seconds of CPU that other processes have used, and that the hypervisor gave to others."""
        fields = [int(it) for it in read("/proc/stat").partition("\n")[0].split()[1:9]] or [0] * 8
        user, nice, system, _idle, _wait, interrupt, soft, stolen = (it / os.sysconf("SC_CLK_TCK") for it in fields)
        own = os.times()
        return (user + nice + system + interrupt + soft - own.user - own.system - own.children_user - own.children_system,
                stolen)

    def report(self):
        """In CPUs, over the time since then."""
        took = max(time.monotonic() - self.began, 0.001)
        others, stolen = (max(now - before, 0) / took for now, before in zip(self.times(), self.before))
        return {"others": round(others, 3), "stolen": round(stolen, 3)}


def busy(other):
    """What to say about it, or None."""
    if other["others"] + other["stolen"] < BUSY:
        return None
    return (f"the machine is busy: other processes used {other['others']:.2f} CPUs and other machines took "
            f"{other['stolen']:.2f}; the figures are worth less for it")


def about():
    cpu = re.search(r"^model name\s*:\s*(.+)$", read("/proc/cpuinfo"), re.M)
    system = re.search(r'^PRETTY_NAME="?([^"\n]+)', read("/etc/os-release"), re.M)
    virtual = " in a virtual machine" if re.search(r"^flags.*\bhypervisor\b", read("/proc/cpuinfo"), re.M) else ""
    memory = re.search(r"^MemTotal:\s*(\d+)", read("/proc/meminfo"), re.M)
    return {
        "machine": f"{len(os.sched_getaffinity(0))} CPUs of {cpu[1] if cpu else platform.machine()}{virtual}, "
                   f"{int(memory[1]) >> 20 if memory else '?'} GiB",
        "system": f"{system[1] if system else platform.system()}, Linux {platform.release()}",
        "compiler": compiler_version(),
        "date": datetime.date.today().isoformat(),
    }
