"""What the figures were measured on."""
import datetime
import os
import platform
import re
from pathlib import Path

from peers import compiler_version


def read(path):
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""


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
