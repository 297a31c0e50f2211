// The CPU quota that control groups put on this process.
//
// A container gets CPU time, not CPUs: a program that starts a thread for each of the host's 64
// CPUs on a quota of 2 is throttled. The quota may be set on any ancestor of the process's group,
// and the smallest one counts.
//
// Refused: reading the limit of the process's own group only (a service in a group below its
// container's group has no limit of its own); reading once per second while the program runs (a
// limit seldom changes, and the program can call maxprocs then).
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace weft::detail {

// Returns the quota in CPUs: the smallest over every visible ancestor, of version 1 and version 2.
// Returns nothing if there is none or it cannot be read; never fails. `root` is put before every
// path that is read: "" is this system.
std::optional<double> cgroup_cpu_share(const std::string& root = {});
// The same in whole CPUs, rounded up.
std::optional<int> cgroup_cpu_quota(const std::string& root = {});

// A quota as the files state it, in whole CPUs, rounded up; nothing where none is stated.
// cpu.max of version 2: "QUOTA PERIOD", "QUOTA" or "max PERIOD".
std::optional<int> parse_cpu_max(std::string_view text);
// cpu.cfs_quota_us and cpu.cfs_period_us of version 1; a quota of -1 is none.
std::optional<int> parse_cfs(std::string_view quota_us, std::string_view period_us);

}  // namespace weft::detail
