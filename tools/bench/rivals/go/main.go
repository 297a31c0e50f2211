// The rival: the same workloads as weft_bench on Go's own runtime, with the same flags and the same
// line of JSON.
//
//	go build -o gobench . && ./gobench WORKLOAD [-p P] [-n N] [-fibers K]
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"
)

// options are the command line's numbers; 0 means the workload's own default.
type options struct {
	procs, n, fibers int
}

// outcome is what a workload measured: ops operations, each an op, took elapsed.
type outcome struct {
	op      string
	ops     int
	elapsed time.Duration
}

type workload struct {
	name, what string
	run        func(options) outcome
}

func orDefault(n, otherwise int) int {
	if n > 0 {
		return n
	}
	return otherwise
}

func cpuSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

func main() {
	if len(os.Args) > 1 {
		for _, w := range workloads {
			if w.name == os.Args[1] {
				measure(w, os.Args[2:])
				return
			}
		}
	}
	fmt.Fprintln(os.Stderr, "usage: gobench WORKLOAD [-p P] [-n N] [-fibers K]")
	for _, w := range workloads {
		fmt.Fprintf(os.Stderr, "  %-16s %s\n", w.name, w.what)
	}
	os.Exit(2)
}

func measure(w workload, args []string) {
	var o options
	flags := flag.NewFlagSet(w.name, flag.ExitOnError)
	flags.IntVar(&o.procs, "p", 1, "GOMAXPROCS")
	flags.IntVar(&o.n, "n", 0, "operations")
	flags.IntVar(&o.fibers, "fibers", 0, "goroutines")
	_ = flags.Parse(args) // ends the process itself
	runtime.GOMAXPROCS(o.procs)
	before := cpuSeconds()
	r := w.run(o)
	cpu := cpuSeconds() - before
	ns := float64(r.elapsed.Nanoseconds())
	fmt.Printf(`{"name":%q,"rival":"go","p":%d,"op":%q,"ops":%d,"ns_per_op":%.3f,"ms":%.3f,"cpu_s":%.4f}`+"\n",
		w.name, o.procs, r.op, r.ops, ns/float64(r.ops), ns/1e6, cpu)
}
