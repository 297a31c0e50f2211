// The CPU quota of control groups, read from trees that look like those of real machines.
#include "runtime/cgroup.h"

#include "tests/support/catch.h"
#include "tests/support/temp_tree.h"

using namespace weft::detail;
using weft::testing::temp_tree;

namespace {

const char* const v2_mount = "30 24 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
const char* const v1_mount =
    "33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct\n";

struct machine : temp_tree {
  machine(std::string_view groups, std::string_view mounts) {
    file("/proc/self/cgroup", groups);
    file("/proc/self/mountinfo", mounts);
  }
  // The quota of the version 2 group whose directory is `at`.
  machine& v2(const std::string& at, std::string_view cpu_max) {
    file(at + "/cpu.max", cpu_max);
    return *this;
  }
  machine& v1(const std::string& at, std::string_view quota_us, std::string_view period_us = "100000\n") {
    file(at + "/cpu.cfs_quota_us", quota_us);
    file(at + "/cpu.cfs_period_us", period_us);
    return *this;
  }
  std::optional<int> quota() const { return cgroup_cpu_quota(root()); }
};

}  // namespace

TEST_CASE("a quota is rounded up to whole CPUs", "[runtime][cgroup][GO-50]") {
  CHECK(parse_cpu_max("200001 100000\n") == 3);
  CHECK(parse_cpu_max("250000 100000\n") == 3);
  CHECK(parse_cpu_max("299999 100000\n") == 3);
  CHECK(parse_cpu_max("300000 100000\n") == 3);
  CHECK(parse_cpu_max("50000 100000\n") == 1);
  CHECK(parse_cpu_max("1 1000000\n") == 1);
  CHECK(parse_cpu_max("25000 10000\n") == 3);
  CHECK(parse_cpu_max("250000\n") == 3);  // the period is left at 100 ms
  CHECK(parse_cfs("250000\n", "100000\n") == 3);
  CHECK(parse_cfs("1000\n", "1000\n") == 1);
}

TEST_CASE("a quota of less than a CPU is known exactly", "[runtime][cgroup]") {
  machine one("4:cpu,cpuacct:/app\n", v1_mount), two("0::/app\n", v2_mount), none("0::/app\n", v2_mount);
  one.v1("/sys/fs/cgroup/cpu,cpuacct/app", "50000\n");
  two.v2("/sys/fs/cgroup/app", "125000 100000\n").v2("/sys/fs/cgroup", "max 100000\n");
  CHECK(cgroup_cpu_share(one.root()) == 0.5);
  CHECK(cgroup_cpu_share(two.root()) == 1.25);
  CHECK(two.quota() == 2);
  CHECK(cgroup_cpu_share(none.root()) == std::nullopt);
}

TEST_CASE("no quota is no limit", "[runtime][cgroup][GO-51]") {
  CHECK(parse_cpu_max("max 100000\n") == std::nullopt);
  CHECK(parse_cpu_max("max\n") == std::nullopt);
  CHECK(parse_cfs("-1\n", "100000\n") == std::nullopt);
}

TEST_CASE("a quota that makes no sense is no limit", "[runtime][cgroup][GO-56]") {
  for (const char* text : {"", "\n", " ", "abc", "abc 100000", "200000 abc", "200000 0", "200000 -5", "0 100000",
                           "-7 100000", "200000 100000 5", "200000x 100000", "0x10 100000", "2.5 1",
                           "99999999999999999999 100000", "100000 99999999999999999999"}) {
    CAPTURE(text);
    CHECK(parse_cpu_max(text) == std::nullopt);
  }
  CHECK(parse_cfs("", "") == std::nullopt);
  CHECK(parse_cfs("200000", "") == std::nullopt);
  CHECK(parse_cfs("", "100000") == std::nullopt);
  CHECK(parse_cfs("200000", "0") == std::nullopt);
  CHECK(parse_cfs("0", "100000") == std::nullopt);
  CHECK(parse_cpu_max("9223372036854775807 1\n") == 2147483647);  // large, but a quota
}

TEST_CASE("the quota of a version 2 group is found", "[runtime][cgroup][GO-50]") {
  machine m("0::/app\n", v2_mount);
  m.v2("/sys/fs/cgroup/app", "300000 100000\n");
  CHECK(m.quota() == 3);
}

TEST_CASE("the quota of a version 1 group is found", "[runtime][cgroup][GO-50]") {
  machine m("5:memory:/other\n4:cpu,cpuacct:/app\n1:name=systemd:/x\n", v1_mount);
  m.v1("/sys/fs/cgroup/cpu,cpuacct/app", "400000\n");
  CHECK(m.quota() == 4);
}

TEST_CASE("a hybrid machine has its CPU quota in version 1", "[runtime][cgroup][GO-50]") {
  machine m("4:cpu,cpuacct:/app\n1:name=systemd:/app\n0::/app\n",
            std::string(v1_mount) + "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  m.v1("/sys/fs/cgroup/cpu,cpuacct/app", "400000\n").file("/sys/fs/cgroup/unified/app/cgroup.procs", "1\n");
  CHECK(m.quota() == 4);
}

TEST_CASE("the tightest limit among the ancestors counts", "[runtime][cgroup][GO-50]") {
  machine m("0::/a/b/c\n", v2_mount);
  m.v2("/sys/fs/cgroup/a/b/c", "800000 100000\n");
  SECTION("the parent's") { m.v2("/sys/fs/cgroup/a/b", "300000 100000\n"); }
  SECTION("the grandparent's") { m.v2("/sys/fs/cgroup/a", "300000 100000\n").v2("/sys/fs/cgroup/a/b", "max 100000\n"); }
  SECTION("the mount point's") { m.v2("/sys/fs/cgroup", "300000 100000\n"); }
  SECTION("with another period") {
    m.v2("/sys/fs/cgroup/a", "15000 5000\n").v2("/sys/fs/cgroup/a/b", "4000000 1000000\n");
  }
  CHECK(m.quota() == 3);
}

TEST_CASE("the process's own limit counts where it is the tightest", "[runtime][cgroup][GO-50]") {
  machine m("7:cpu:/a/b\n", "33 31 0:30 / /cg rw - cgroup cgroup rw,cpu\n");
  m.v1("/cg/a/b", "200000\n").v1("/cg/a", "600000\n").v1("/cg", "-1\n");
  CHECK(m.quota() == 2);
}

TEST_CASE("no other group's limit counts", "[runtime][cgroup][GO-51]") {
  machine m("0::/app\n", v2_mount);
  m.v2("/sys/fs/cgroup/app", "max 100000\n");
  m.v2("/sys/fs/cgroup/app2", "100000 100000\n").v2("/sys/fs/cgroup/app/child", "100000 100000\n");
  CHECK(m.quota() == std::nullopt);
}

TEST_CASE("a controller whose name only begins like cpu is another", "[runtime][cgroup][GO-51]") {
  machine m("3:cpuset:/app\n2:cpuacct:/app\n",
            "35 31 0:32 / /cpuset rw - cgroup cgroup rw,cpuset\n"
            "36 31 0:33 / /cpuacct rw - cgroup cgroup rw,cpuacct\n");
  m.v1("/cpuset/app", "100000\n").v1("/cpuacct/app", "100000\n");
  CHECK(m.quota() == std::nullopt);
}

TEST_CASE("a container sees its own part of the hierarchy", "[runtime][cgroup][GO-50]") {
  machine m("4:cpu:/docker/abc/worker\n", "50 49 0:30 /docker/abc /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n");
  m.v1("/sys/fs/cgroup/cpu/worker", "-1\n").v1("/sys/fs/cgroup/cpu", "250000\n");
  CHECK(m.quota() == 3);
}

TEST_CASE("a container that is its mount's root finds its limit there", "[runtime][cgroup][GO-50]") {
  const bool namespaced = GENERATE(true, false);
  machine m(namespaced ? "0::/\n" : "0::/kubepods/pod7/abc\n",
            namespaced ? v2_mount : "50 49 0:30 /kubepods/pod7/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n");
  m.v2("/sys/fs/cgroup", "150000 100000\n");
  CHECK(m.quota() == 2);
}

TEST_CASE("a mount that does not hold the process's group says nothing", "[runtime][cgroup][GO-51]") {
  const char* group = GENERATE("0::/docker/abcdef\n", "0::/../elsewhere\n", "0::/docker\n");
  machine m(group, "50 49 0:30 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n");
  m.v2("/sys/fs/cgroup", "100000 100000\n").v2("/sys/fs/elsewhere", "100000 100000\n");
  CHECK(m.quota() == std::nullopt);
}

TEST_CASE("of several mounts each that holds the group is asked", "[runtime][cgroup][GO-50]") {
  machine m("0::/a/b\n",
            "50 49 0:30 /x /mnt/x rw - cgroup2 cgroup rw\n"
            "51 49 0:30 /a /mnt/a rw - cgroup2 cgroup rw\n"
            "52 49 0:30 / /mnt/all rw - cgroup2 cgroup rw\n");
  m.v2("/mnt/x", "100000 100000\n").v2("/mnt/a/b", "700000 100000\n").v2("/mnt/all/a", "500000 100000\n");
  CHECK(m.quota() == 5);
}

TEST_CASE("a mount point may have a space in its name", "[runtime][cgroup][GO-50]") {
  machine m("0::/app\n", "30 24 0:26 / /my\\040groups\\134x rw - cgroup2 cgroup2 rw\n");
  m.v2("/my groups\\x/app", "300000 100000\n");
  CHECK(m.quota() == 3);
}

TEST_CASE("a machine without control groups has no limit", "[runtime][cgroup][GO-56]") {
  temp_tree empty;
  CHECK(cgroup_cpu_quota(empty.root()) == std::nullopt);
  CHECK(machine("0::/app\n", "").quota() == std::nullopt);
  CHECK(machine("", v2_mount).quota() == std::nullopt);
  CHECK(machine("0::/app\n", v2_mount).quota() == std::nullopt);  // no cpu.max anywhere
}

TEST_CASE("what cannot be understood is passed over and the rest counts", "[runtime][cgroup][GO-56]") {
  machine m("nonsense\n:\n::\n9:cpu\n0::/a/b\n\n",
            std::string("- - -\nshort - cgroup2\n1 2 3 - cgroup2 x y\n\n") + v2_mount);
  m.v2("/sys/fs/cgroup/a/b", "lots of it\n").v2("/sys/fs/cgroup/a", "300000 100000\n");
  CHECK(m.quota() == 3);
}

TEST_CASE("a directory where a file should be is no limit", "[runtime][cgroup][GO-56]") {
  machine m("0::/app\n", v2_mount);
  m.file("/sys/fs/cgroup/app/cpu.max/x", "");
  CHECK(m.quota() == std::nullopt);
}

TEST_CASE("this machine's groups can be read", "[runtime][cgroup][GO-56]") {
  const auto quota = cgroup_cpu_quota();
  if (quota) CHECK(*quota >= 1);
}
