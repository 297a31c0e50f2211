# Sourced by tools/dev: the rules that a machine checks.
. tools/check_builds.sh

check_usage() {
  cat <<'TEXT'
usage: ./tools/dev check [PART...]
  tree          include arrows, which header declares a function, memory orderings, file lengths and places,
                Markdown's code, test tags, REFERENCE.md's names, words, comments, subjects of commits
  format        clang-format 16 changes nothing
  format --fix  formats
  tidy          clang-tidy 16 on the files that differ from the main branch
  tidy --all    on every file of the rooms, lessons and tools
  rows          lists the conformance rows that no test names
  compilers     hello and the chan suite with each g++ and clang++ that is installed, with LTO, with CET,
                and with Boost.Context's switch
  arm64         cross-builds weft, and runs hello and the suites runtime and sched under qemu-user
  consumers     the library in projects of users: pkg-config, CMake, Meson subproject, .deb packages
Without a PART: tree, format, tidy and rows. Exit status 1 if a rule is broken.
TEXT
}

# clang-format's output differs between versions, so there is one that counts.
clang_major=16

check_tree() {
  local part broken=0
  for part in includes namesakes orderings layout readme reference examples rows words comments commits; do
    python3 "tests/tree/$part.py" || broken=1
  done
  return $broken
}

sources() { git ls-files -- '*.h' '*.cc'; }

check_format() {
  local files found
  need "clang-format-$clang_major"
  mapfile -t files < <(sources)
  if [ "${1:-}" = --fix ]; then
    "clang-format-$clang_major" -i "${files[@]}"
    return
  fi
  found=$("clang-format-$clang_major" --dry-run --Werror --ferror-limit=1 "${files[@]}" 2>&1) && return
  grep 'error:' <<<"$found"
  say "./tools/dev check format --fix mends it"
  return 1
}

# Translation units that are compiled; with a header all of them may have changed. Tests are left out: most of what
# clang-tidy says there is about Catch's macros. The peers of the benchmark are in no build of meson's.
tidy_files() {
  local base changed
  if [ "${1:-}" != --all ]; then
    base=$(git merge-base HEAD main 2>/dev/null || git rev-parse HEAD)
    changed=$(git diff --name-only "$base" -- '*.h' '*.cc' | grep -vE '^(tests|tools/bench/peers)/' || true)
    grep -q '\.h$' <<<"$changed" || { grep '\.cc$' <<<"$changed" || true; return; }
  fi
  git ls-files -- 'runtime/*.cc' 'sched/*.cc' 'chan/*.cc' 'net/*.cc' 'lessons/*.cc' 'tools/*.cc' ':!tools/bench/peers'
}

check_tidy() {
  local files
  need "clang-tidy-$clang_major" "clang-$clang_major" "${build_packages[@]}"
  mapfile -t files < <(tidy_files "$@")
  [ ${#files[@]} -gt 0 ] || { say "tidy: no file differs from the main branch"; return 0; }
  configure clang
  say "tidy: ${#files[@]} files"
  printf '%s\0' "${files[@]}" |
    xargs -0 -P "$(nproc)" -n 1 "clang-tidy-$clang_major" -p build/clang --quiet 2>/dev/null
}

run_part() {
  local part=$1 began=$SECONDS
  shift
  if "check_$part" "$@"; then
    say "$part: right ($((SECONDS - began)) s)"
  else
    say "$part: broken ($((SECONDS - began)) s)"
    broken=1
  fi
}

do_check() {
  local broken=0
  [ $# -gt 0 ] || set -- tree format tidy rows
  while [ $# -gt 0 ]; do
    case "$1${2:+ $2}" in
      "format --fix"*) run_part format --fix; shift 2 ;;
      "tidy --all"*) run_part tidy --all; shift 2 ;;
      tree* | format* | tidy* | compilers* | arm64* | consumers*) run_part "$1"; shift ;;
      rows*) python3 tests/tree/rows.py --missing; shift ;;
      -h* | --help*) check_usage; return ;;
      *) misuse "check has no part '$1'" ;;
    esac
  done
  [ $broken = 0 ] || die "check found broken rules"
}
