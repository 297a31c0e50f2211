# Sourced by tools/check.sh: checks that build weft another way than `./tools/dev test` does.

# hello_and_chan NAME FLAGS...: configures build/check/NAME with the compiler in CXX, builds hello and the chan suite, runs them.
hello_and_chan() {
  local name=$1 where=build/check/$1 targets=(tests/readme/hello) began=$SECONDS
  shift
  mkdir -p build/check
  if [ ! -f "$where/build.ninja" ] &&
    ! meson setup "$where" -Dlessons=disabled -Dbench=disabled "$@" >"build/check/$name.log" 2>&1 </dev/null; then
    grep ERROR "build/check/$name.log" >&2 || true
    say "compilers: $name: cannot be configured, see build/check/$name.log"
    return 1
  fi
  mapfile -t -O 1 targets < <(python3 tools/suite_targets.py "$where" chan)
  if ninja -C "$where" "${targets[@]}" >"build/check/$name.log" 2>&1 </dev/null &&
    [ "$("$where/tests/readme/hello")" = 338350 ] &&
    meson test -C "$where" --no-rebuild --suite chan >>"build/check/$name.log" 2>&1 </dev/null; then
    say "compilers: $name: hello and the chan suite pass ($((SECONDS - began)) s)"
    return
  fi
  tail -5 "build/check/$name.log" >&2
  say "compilers: $name: broken, see build/check/$name.log"
  return 1
}

# Each g++ from 12 on and each clang++ from 16 on that is installed, and g++ with link-time optimisation, with CET, and
# with Boost.Context's switch.
check_compilers() {
  local version failed=0 found=0
  for version in 12 13 14 15 16; do
    command -v "g++-$version" >/dev/null || continue
    found=1
    CXX="g++-$version" hello_and_chan "g++-$version" || failed=1
  done
  for version in 16 17 18 19 20 21; do
    command -v "clang++-$version" >/dev/null || continue
    found=1
    CXX="clang++-$version" hello_and_chan "clang++-$version" -Db_pch=false || failed=1
  done
  [ $found = 1 ] || { say "compilers: no g++ from 12 on and no clang++ from 16 on is installed under its versioned name"; return 1; }
  hello_and_chan lto -Db_lto=true || failed=1
  hello_and_chan boost-switch -Dboost_switch=true || failed=1
  if [ "$(uname -m)" = x86_64 ]; then
    hello_and_chan cet -Dcpp_args=-fcf-protection=full || failed=1
  fi
  return $failed
}

# ---- arm64 ------------------------------------------------------------------------------------

# Debian's arm64 libraries, unpacked below build/arm64/root; the machine's own packages stay as they are.
arm64_packages=(liburing2 liburing-dev libboost1.74-dev libboost-context1.74-dev libboost-context1.74.0 libfmt9 libfmt-dev catch2
                libssl3 libssl-dev zlib1g zlib1g-dev)

arm64_root() {
  local root=$PWD/build/arm64/root apt=$PWD/build/arm64/apt options
  [ ! -f "$root/.complete" ] || return 0
  command -v apt-get >/dev/null || { say "arm64: needs apt to fetch Debian's arm64 libraries: ${arm64_packages[*]}"; return 1; }
  rm -rf "$root"
  mkdir -p "$root" "$apt/lists/partial" "$apt/archives/partial"
  : >"$apt/status"
  options=(-o APT::Architecture=arm64 -o APT::Architectures=arm64 -o "Dir::State::lists=$apt/lists" -o "Dir::State::status=$apt/status"
           -o "Dir::Cache::archives=$apt/archives" -o "Dir::Cache::pkgcache=" -o "Dir::Cache::srcpkgcache=" -o APT::Sandbox::User=root)
  say "arm64: fetching ${arm64_packages[*]}"
  if ! { apt-get "${options[@]}" update -qq && cd "$apt" && apt-get "${options[@]}" download -qq "${arm64_packages[@]}"; } \
    >"$apt/log" 2>&1 </dev/null; then
    tail -3 "$apt/log" >&2
    return 1
  fi
  for package in "$apt"/*.deb; do dpkg-deb -x "$package" "$root"; done
  touch "$root/.complete"
}

arm64_cross_file() {
  local root=$PWD/build/arm64/root
  cat <<TEXT
[binaries]
c = 'aarch64-linux-gnu-gcc'
cpp = 'aarch64-linux-gnu-g++'
ar = 'aarch64-linux-gnu-ar'
nm = 'aarch64-linux-gnu-nm'
strip = 'aarch64-linux-gnu-strip'
pkgconfig = 'pkg-config'
exe_wrapper = ['qemu-aarch64', '-L', '/usr/aarch64-linux-gnu', '-E', 'LD_LIBRARY_PATH=$root/usr/lib/aarch64-linux-gnu']
[properties]
pkg_config_libdir = '$root/usr/lib/aarch64-linux-gnu/pkgconfig:$root/usr/share/pkgconfig'
sys_root = '$root'
boost_includedir = '$root/usr/include'
boost_librarydir = '$root/usr/lib/aarch64-linux-gnu'
[built-in options]
cpp_args = ['-isystem', '$root/usr/include']
cpp_link_args = ['-L$root/usr/lib/aarch64-linux-gnu', '-Wl,-rpath-link,$root/usr/lib/aarch64-linux-gnu']
[host_machine]
system = 'linux'
cpu_family = 'aarch64'
cpu = 'aarch64'
endian = 'little'
TEXT
}

# What qemu-user does not do: a check of these test cases says nothing about arm64, so they do not run, and each is printed.
arm64_left_out=(
  '~[GO-36]|a fault on a guard page does not end the process as on a kernel'
  '~[stack]|mincore, MADV_GUARD_INSTALL and limits on mappings are those of the emulator'
)

check_arm64() {
  local suite left=() entry failed=0 where=build/arm64/build
  need g++-aarch64-linux-gnu qemu-user
  (arm64_root) || return 1
  arm64_cross_file >build/arm64/cross.ini
  if [ ! -f "$where/build.ninja" ] && ! meson setup "$where" --cross-file build/arm64/cross.ini -Db_pch=false -Dlessons=disabled \
    -Dbench=disabled >build/arm64/log 2>&1 </dev/null; then
    grep ERROR build/arm64/log >&2 || tail -5 build/arm64/log >&2
    return 1
  fi
  ninja -C "$where" tests/readme/hello tests/runtime/runtime_tests tests/runtime/runtime_scenarios tests/sched/sched_tests \
    tests/sched/sched_scenarios tests/sched/invariant_scenarios tests/sched/limit_scenarios >build/arm64/log 2>&1 </dev/null ||
    { grep -vE '^\[[0-9/]+\]' build/arm64/log | head -20 >&2; return 1; }
  say "arm64: qemu-user cannot do what these test cases need, so they do not run:"
  for entry in "${arm64_left_out[@]}"; do
    say "arm64:   ${entry%%|*}: ${entry#*|}"
    left+=("${entry%%|*}")
  done
  qemu=(qemu-aarch64 -L /usr/aarch64-linux-gnu -E "LD_LIBRARY_PATH=$PWD/build/arm64/root/usr/lib/aarch64-linux-gnu")
  [ "$("${qemu[@]}" "$where/tests/readme/hello")" = 338350 ] || { say "arm64: hello does not print 338350"; failed=1; }
  for suite in runtime sched; do
    "${qemu[@]}" "$where/tests/$suite/${suite}_tests" "${left[@]}" </dev/null || { say "arm64: the suite $suite fails"; failed=1; }
  done
  return $failed
}

# ---- consumers -----------------------------------------------------------------------------------

# A checkout inside other projects, and the packages: the library is built four times.
check_consumers() {
  local failed=0
  need cmake pkg-config dpkg-dev
  . tools/packaging/package.sh
  do_package || return 1
  python3 tests/consumers/installed_test.py build/package || failed=1
  python3 tests/consumers/package_test.py build/debs || failed=1
  python3 tests/consumers/checkout_test.py || failed=1
  return $failed
}
