# Sourced by tools/dev: the network's tests in chaos mode beside a load.

stress_usage() {
  cat <<'TEXT'
usage: ./tools/dev stress [--short] [--rounds N] [KIND] [-- TAG...]
  Runs the tests of tests/net in chaos mode, on both pollers, with 1, 2, 4 and 16 Ps, beside 8 busy loops: N rounds (1).
  --short: one run for each poller. Tests whose facts depend on an order that chaos mode changes ([order]) are left out.
TEXT
}

# The busy loops end with the shell that started them.
start_load() {
  local i
  loads=()
  for i in 1 2 3 4 5 6 7 8; do
    (while kill -0 "$$" 2>/dev/null; do for _ in {1..20000}; do :; done; done) &
    loads+=($!)
  done
}

stop_load() {
  kill "${loads[@]}" 2>/dev/null || true
  wait "${loads[@]}" 2>/dev/null || true
}

stress_program() {
  local program=$1 poller=$2 procs=$3 log
  shift 3
  log=$(mktemp)
  if WEFT_DEBUG=chaos WEFT_POLLER=$poller WEFT_MAXPROCS=$procs timeout 1800 "$program" "$@" >"$log" 2>&1 </dev/null; then
    say "stress: ${program##*/} on $poller with $procs Ps: right"
  else
    tail -40 "$log"
    say "stress: ${program##*/} on $poller with $procs Ps: broken"
    broken=1
  fi
  rm -f "$log"
}

do_stress() {
  local kind=release rounds=1 widths="1 2 4 16" tags=() broken=0 program poller procs round
  while [ $# -gt 0 ]; do
    case "$1" in
      --short) widths=2; shift ;;
      --rounds) rounds=${2:?}; shift 2 ;;
      --) shift; tags=("$@"); break ;;
      -h | --help) stress_usage; return ;;
      release | debug | asan | tsan | clang) kind=$1; shift ;;
      *) misuse "stress does not know '$1'" ;;
    esac
  done
  [ ${#tags[@]} -gt 0 ] || tags=('~[order]~[faults]')
  build "$kind"
  start_load
  trap stop_load EXIT
  for round in $(seq "$rounds"); do
    for poller in io_uring epoll; do
      for procs in $widths; do
        for program in net_tests http_tests tls_tests https_tests; do
          [ -x "build/$kind/tests/net/$program" ] || continue
          stress_program "build/$kind/tests/net/$program" "$poller" "$procs" "${tags[@]}"
        done
      done
    done
  done
  stop_load
  trap - EXIT
  [ $broken = 0 ] || die "stress found what does not hold"
}
