# Sourced by tools/dev: the library's tests in chaos mode beside a load.

stress_usage() {
  cat <<'TEXT'
usage: ./tools/dev stress [--short] [--rounds N] [KIND] [-- TAG...]
  Runs the tests of runtime, sched, chan, net and diag in chaos mode, on both pollers, with 1, 2, 4 and 16 Ps, beside 8 busy
  loops: N rounds (1). --short: once the tests of net, which choose pollers and Ps themselves, beside 2 busy loops.
  Tests whose facts depend on an order that chaos mode changes ([order]) are left out.
TEXT
}

# The busy loops end with the shell that started them.
start_load() {
  local i
  loads=()
  for ((i = 0; i < $1; ++i)); do
    (while kill -0 "$$" 2>/dev/null; do for _ in {1..20000}; do :; done; done) &
    loads+=($!)
  done
}

stop_load() {
  kill "${loads[@]}" 2>/dev/null || true
  wait "${loads[@]}" 2>/dev/null || true
}

# stress_program WHERE PROGRAM TAG...
stress_program() {
  local where=$1 program=$2 log began=$SECONDS
  shift 2
  log=$(mktemp)
  if WEFT_DEBUG=chaos timeout 1800 "$program" "$@" >"$log" 2>&1 </dev/null; then
    say "stress: ${program##*/}$where: right ($((SECONDS - began)) s)"
  else
    tail -40 "$log"
    say "stress: ${program##*/}$where: broken"
    broken=1
  fi
  rm -f "$log"
}

# stress_all WHERE KIND FOLDER... -- TAG...
stress_all() {
  local where=$1 kind=$2 program folders=()
  shift 2
  while [ "$1" != -- ]; do folders+=("$1"); shift; done
  shift
  for program in $(test_programs "$kind" "${folders[@]}"); do stress_program "$where" "$program" "$@"; done
}

do_stress() {
  local kind=release rounds=1 short=0 tags=() broken=0 poller procs round
  while [ $# -gt 0 ]; do
    case "$1" in
      --short) short=1; shift ;;
      --rounds)
        is_count "${2:-}" || misuse "--rounds takes a number, at least 1, not '${2:-}'"
        rounds=$2
        shift 2
        ;;
      --) shift; tags=("$@"); break ;;
      -h | --help) stress_usage; return ;;
      release | debug | asan | tsan | clang) kind=$1; shift ;;
      *) misuse "stress does not know '$1'" ;;
    esac
  done
  [ ${#tags[@]} -gt 0 ] || tags=('~[order]~[faults]')
  build "$kind"
  trap 'stop_load; print_steps' EXIT
  start_load $((short ? 2 : 8))
  if [ $short = 1 ]; then
    stress_all "" "$kind" net -- "${tags[@]}"
  else
    for round in $(seq "$rounds"); do
      for poller in io_uring epoll; do
        for procs in 1 2 4 16; do
          WEFT_POLLER=$poller WEFT_MAXPROCS=$procs stress_all " on $poller with $procs Ps, round $round" "$kind" runtime sched \
            chan net diag -- "${tags[@]}"
        done
      done
    done
  fi
  stop_load
  trap print_steps EXIT
  [ $broken = 0 ] || die "stress found what does not hold"
}
