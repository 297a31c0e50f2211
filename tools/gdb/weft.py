"""Fibers in gdb, in a live process and in a core file.

    (gdb) source tools/gdb/weft.py
    (gdb) info fibers              every fiber: id, state, name, where it was started
    (gdb) fiber 17 bt              the stack of fiber 17
    (gdb) fiber 17 COMMAND...      any command, in the innermost frame of fiber 17
    (gdb) fiber apply all bt       the stacks of all
    (gdb) fiber check              whether the scheduler's lists hold together (sched/invariants.h)

A parked fiber's registers lie on its stack. An unwinder puts its frames in place of the callers of the
selected thread's newest frame while a command runs, so nothing in the process changes, and a core will do:
one that the kernel has written. gdb's own gcore leaves out whole megabytes with a guard page in them.
"""

import gdb
import gdb.unwinder

PAGE = 4096
STAGGER_PLACES, LINE = 16, 64  # sched/g.cc
FLAG_LOCKED, FLAG_ABANDONED = 2, 4  # sched/g.h
HAS_EXTRAS = 1
RESTORED = ("r12", "r13", "r14", "r15", "rbx", "rbp", "rip")  # in the order of their words


def weft_type(name):
    return gdb.lookup_type("weft::detail::" + name)


def word(address):
    return int.from_bytes(gdb.selected_inferior().read_memory(address, 8).tobytes(), "little")


def atomic(value):
    for field in ("_M_i", "_M_b"):
        try:
            value = value[field]
        except gdb.error:
            continue
        return value["_M_p"] if field == "_M_b" and "_M_p" in [f.name for f in value.type.fields()] else value
    return value


def elements(vector):
    at, end = vector["_M_impl"]["_M_start"], vector["_M_impl"]["_M_finish"]
    while at != end:
        yield at.dereference()
        at += 1


def statics(mangled):
    """The address of a variable that only its own function or file can name."""
    if gdb.selected_inferior().pid == 0:
        raise gdb.GdbError("there is no process: run the program, attach to it, or open its core file")
    return int(gdb.parse_and_eval("(unsigned long)&'%s'" % mangled))


def arenas():
    listed = word(statics("_ZZN4weft6detail12_GLOBAL__N_16arenasEvE4list"))
    if listed == 0:  # no world has run yet
        return
    arena_list = gdb.Value(listed).cast(gdb.lookup_type("weft::detail::(anonymous namespace)::arena_list").pointer())
    for holder in elements(arena_list["arenas"]):
        pointer = word(int(holder.address))  # a unique_ptr is its pointer
        yield gdb.Value(pointer).cast(weft_type("stack_arena").pointer()).dereference()


def stacks():
    for arena in arenas():
        size, guard = int(arena["size_"]), int(arena["guard_"])
        pieces = list(elements(arena["pieces_"]))
        for i, piece in enumerate(pieces):
            used = int(arena["used_in_last_"]) if i == len(pieces) - 1 else int(piece["stacks"])
            for n in range(used):
                yield int(piece["from"]) + n * (guard + size) + guard, size, guard


class Fiber:
    def __init__(self, g):
        self.g = g
        self.id = int(g["id"])
        self.state = str(atomic(g["state"])).rpartition("::")[2]
        self.reason = str(atomic(g["reason"])).rpartition("::")[2]
        self.site = int(g["site"])
        self.thread = None  # that runs it

    def name(self):
        record = self.g["record"]
        if int(record) == 0 or not int(record["flags"]) & HAS_EXTRAS:
            return ""
        record_size = weft_type("spawn_record").sizeof
        extras = gdb.Value(int(record) + record_size).cast(weft_type("spawn_extras").pointer())
        text, size = extras["name"]["_M_dataplus"]["_M_p"], int(extras["name"]["_M_string_length"])
        return text.string(length=size)

    def describe(self):
        what = self.reason.replace("_", " ") if self.state == "parked" else self.state
        if self.thread:
            what += ", thread %d" % self.thread.num
        name = self.name()
        return "fiber %d%s [%s]" % (self.id, " " + name if name else "", what)

    def started_in(self):
        """The function with the go statement; gdb does not tell the line of what was inlined."""
        block = gdb.current_progspace().block_for_pc(self.site - 1)
        while block and block.superblock and not block.superblock.is_static:
            block = block.superblock
        if block and block.function:
            return "%s, %s:%d" % (block.function.print_name, block.function.symtab.filename, block.function.line)
        return "%#x" % self.site

    def registers(self):
        """What the switch has saved: in the G, or on the stack in one of Boost's two layouts."""
        saved = self.g["context"]["at"]
        if any(field.name == "ip" for field in saved.type.fields()):
            return {"rsp": int(saved["sp"]), "rip": int(saved["ip"]), "rbp": int(saved["bp"])}
        at = int(saved["sp"])
        space = gdb.current_progspace()
        for first in (0x8, 0x10):
            values = [word(at + first + 8 * i) for i in range(len(RESTORED))]
            if space.block_for_pc(values[-1]):
                saved = dict(zip(RESTORED, values))
                saved["rsp"] = at + first + 8 * len(RESTORED)
                return saved
        raise gdb.GdbError("fiber %d: its saved registers are not where they should be" % self.id)


def running_threads():
    """The thread of each fiber that runs, by the address of its G."""
    world = word(statics("_ZN4weft6detail12_GLOBAL__N_113running_worldE"))
    if world == 0:
        return {}
    by_tid = {t.ptid[1]: t for t in gdb.selected_inferior().threads()}
    world = gdb.Value(world).cast(weft_type("world").pointer())
    ms = elements(world["all_ms"])
    return {int(m["g"]): by_tid.get(int(m["tid"])) for m in ms if int(m["g"]) != 0}


def fibers():
    g_type = weft_type("G")
    g_space = (g_type.sizeof + LINE - 1) // LINE * LINE
    threads = running_threads()
    found = []
    for bottom, size, guard in stacks():
        address = bottom + size - g_space - bottom // (guard + size) % STAGGER_PLACES * LINE
        g = gdb.Value(address).cast(g_type.pointer()).dereference()
        try:
            if int(atomic(g["state"])) == 0 or int(g["flags"]) & FLAG_ABANDONED:
                continue
        except gdb.MemoryError:
            continue  # a core file leaves out what was never written
        fiber = Fiber(g)
        if fiber.state in ("running", "blocked"):
            fiber.thread = threads.get(address)
        found.append(fiber)
    return sorted(found, key=lambda f: f.id)


def fiber_of_id(number):
    for fiber in fibers():
        if fiber.id == number:
            return fiber
    raise gdb.GdbError("no fiber %d; see info fibers" % number)


class FrameId:
    def __init__(self, sp, pc):
        self.sp, self.pc = sp, pc


class ParkedFiberUnwinder(gdb.unwinder.Unwinder):
    def __init__(self):
        super().__init__("weft parked fiber")
        self.registers = None
        self.newest_sp = 0

    def __call__(self, pending):
        if self.registers is None or int(pending.read_register("rsp")) != self.newest_sp:
            return None
        info = pending.create_unwind_info(FrameId(pending.read_register("rsp"), pending.read_register("rip")))
        for name, value in self.registers.items():
            info.add_saved_register(name, gdb.Value(value).cast(pending.read_register(name).type))
        return info


unwinder = ParkedFiberUnwinder()
gdb.unwinder.register_unwinder(None, unwinder, replace=True)


class InFiber:
    """While it lasts, the selected frame is the innermost of the fiber."""

    def __init__(self, fiber):
        self.fiber = fiber

    def __enter__(self):
        self.thread = gdb.selected_thread()
        if self.fiber.thread:
            self.fiber.thread.switch()
            return gdb.newest_frame()
        if self.fiber.state not in ("parked", "runnable"):
            raise gdb.GdbError("fiber %d is %s; its thread is not to be found" % (self.fiber.id, self.fiber.state))
        registers = self.fiber.registers()
        unwinder.newest_sp = int(gdb.newest_frame().read_register("rsp"))
        unwinder.registers = registers
        try:
            return self.select(registers)
        except BaseException:
            self.__exit__()
            raise

    def select(self, registers):
        gdb.invalidate_cached_frames()
        frame = gdb.newest_frame().older()
        while frame and int(frame.pc()) != registers["rip"]:  # functions inlined into the thread's frame
            frame = frame.older()
        if frame is None:
            raise gdb.GdbError("fiber %d: no frames" % self.fiber.id)
        while frame.newer() and frame.newer().type() == gdb.INLINE_FRAME and int(frame.newer().pc()) == int(frame.pc()):
            frame = frame.newer()
        frame.select()
        return frame

    def __exit__(self, *_):
        unwinder.registers = None
        gdb.invalidate_cached_frames()
        self.thread.switch()


def backtrace(frame):
    number = 0
    while frame and frame.is_valid():
        name = frame.name() or "??"
        if "weft::detail::" in name and ("::fiber_entry" in name or "::run_body" in name):
            break  # below there is only what started the fiber
        place = frame.find_sal()
        at = " at %s:%d" % (place.symtab.filename, place.line) if place.symtab else ""
        gdb.write("#%-3d %s%s\n" % (number, name, at))
        number += 1
        frame = frame.older()


def run_in(fiber, command):
    with InFiber(fiber) as frame:
        if command in ("bt", "backtrace", "where"):
            backtrace(frame)
        else:
            gdb.execute(command)


class InfoFibers(gdb.Command):
    """Lists the fibers of a weft program."""

    def __init__(self):
        super().__init__("info fibers", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        listed = fibers()
        for fiber in listed:
            gdb.write("%s started in %s\n" % (fiber.describe(), fiber.started_in()))
        if not listed:
            gdb.write("There are no fibers.\n")


def linked(first, field):
    """The objects of a list; ends where it runs in a circle."""
    seen = set()
    while int(first) != 0 and int(first) not in seen:
        seen.add(int(first))
        yield first
        first = first[field]


def broken_invariants():
    """What does not hold of I1 and I2 of sched/idle.cc, a sentence each. A thread may be in the middle of a change."""
    address = word(statics("_ZN4weft6detail12_GLOBAL__N_113running_worldE"))
    if address == 0:
        return ["no world is running"]
    world = gdb.Value(address).cast(weft_type("world").pointer())
    ms = list(elements(world["all_ms"]))
    idle_ps = list(linked(world["idle_p_list"], "next_idle"))
    idle_ms = [m for m in ms if bool(m["is_idle"])]
    listed = list(linked(world["idle_m_list"], "next_idle"))
    said = []
    if int(atomic(world["idle_ps"])) != len(idle_ps):
        said.append("I2: idle_ps is %d, listed are %d" % (int(atomic(world["idle_ps"])), len(idle_ps)))
    said += ["I2: M %d holds the idle P %d" % (int(p["holder"]["_M_b"]["_M_p"]["id"]), int(p["id"])) for p in idle_ps
             if int(p["holder"]["_M_b"]["_M_p"]) != 0]
    if int(world["idle_ms"]) != len(idle_ms):
        said.append("I2: idle_ms is %d, marked are %d" % (int(world["idle_ms"]), len(idle_ms)))
    said += ["I2: the idle M %d owns a P" % int(m["id"]) for m in idle_ms if int(m["p"]) != 0]
    said += ["I2: M %d is in the idle list and not idle" % int(m["id"]) for m in listed if not bool(m["is_idle"])]
    spinning = sum(1 for m in ms if bool(m["spinning"]))
    if int(atomic(world["spinning"])) < spinning:
        said.append("I1: spinning is %d, marked are %d" % (int(atomic(world["spinning"])), spinning))
    return said


class FiberCommand(gdb.Command):
    """fiber N COMMAND, fiber apply all COMMAND: runs it in a fiber's innermost frame, or in each one's. fiber check."""

    def __init__(self):
        super().__init__("fiber", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        if argument.strip() == "check":
            gdb.write("\n".join(broken_invariants() or ["the scheduler's lists hold together"]) + "\n")
            return
        words = argument.split(None, 2)
        if len(words) == 3 and words[:2] == ["apply", "all"]:
            for fiber in fibers():
                gdb.write("\n%s:\n" % fiber.describe())
                try:
                    run_in(fiber, words[2])
                except (gdb.error, gdb.GdbError) as e:
                    gdb.write("%s\n" % e)
            return
        words = argument.split(None, 1)
        if len(words) != 2 or not words[0].isdigit():
            raise gdb.GdbError("usage: fiber N COMMAND, fiber apply all COMMAND, or fiber check")
        run_in(fiber_of_id(int(words[0])), words[1])


InfoFibers()
FiberCommand()
