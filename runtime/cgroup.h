// The CPU quota that control groups put on this process.
//
// A container is given CPU time, not CPUs: a program that starts a thread for each of the host's 64
// CPUs on a quota of 2 spends its time being throttled. The quota may stand on any ancestor of the
// process's group, and the tightest one counts.
//
// Refused: reading the limit of the process's own group only (a service that sits in a group below
// its container's has no limit of its own); reading once per second while the program runs (a limit
// that changes is rare, and one who changes it can call maxprocs).
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace weft::detail {

// The quota in whole CPUs, rounded up: the tightest over every ancestor that can be seen, version 1
// and version 2 alike. Nothing if there is none or it cannot be told; never fails. `root` is put in
// front of every path that is read: "" is this system.
std::optional<int> cgroup_cpu_quota(const std::string& root = {});

// A quota as the files state it, in whole CPUs, rounded up; nothing where none is stated.
// cpu.max of version 2: "QUOTA PERIOD", "QUOTA" or "max PERIOD".
std::optional<int> parse_cpu_max(std::string_view text);
// cpu.cfs_quota_us and cpu.cfs_period_us of version 1; a quota of -1 is none.
std::optional<int> parse_cfs(std::string_view quota_us, std::string_view period_us);

}  // namespace weft::detail
