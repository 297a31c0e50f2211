// Go's own runtime: the same workloads as weft_bench, with the same flags and the same line of JSON.
//
//	go build -o go_peer . && ./go_peer WORKLOAD [-p P] [-n N] [-fibers K] [-cap C] [-ms T] [-addr A]
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"sort"
	"syscall"
	"time"
)

// options are the command line's numbers; 0 means the workload's own default.
type options struct {
	procs, n, fibers, cap, ms int
	addr                      string
}

func (o options) count(otherwise int) int { return orDefault(o.n, otherwise) }
func (o options) crowd(otherwise int) int { return orDefault(o.fibers, otherwise) }

// outcome is what a workload measured: ops operations, each an op, took elapsed.
type outcome struct {
	op      string
	ops     int
	elapsed time.Duration
	extra   figures
}

type figures map[string]interface{}

type workload struct {
	name, what string
	run        func(options) outcome
}

var workloads []workload

func offer(some ...workload) { workloads = append(workloads, some...) }

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

// rssBytes is the resident set now.
func rssBytes() int {
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var size, resident int
	_, _ = fmt.Sscan(string(statm), &size, &resident)
	return resident * os.Getpagesize()
}

func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

func list(to io.Writer) {
	fmt.Fprintln(to, "usage: go_peer WORKLOAD [-p P] [-n N] [-fibers K] [-cap C] [-ms T] [-addr A]")
	sort.Slice(workloads, func(i, j int) bool { return workloads[i].name < workloads[j].name })
	for _, w := range workloads {
		fmt.Fprintf(to, "  %-16s %s\n", w.name, w.what)
	}
}

func main() {
	if len(os.Args) > 1 {
		for _, w := range workloads {
			if w.name == os.Args[1] {
				measure(w, os.Args[2:])
				return
			}
		}
		if os.Args[1] == "--help" {
			list(os.Stdout)
			return
		}
	}
	list(os.Stderr)
	os.Exit(2)
}

func measure(w workload, args []string) {
	var o options
	flags := flag.NewFlagSet(w.name, flag.ExitOnError)
	flags.IntVar(&o.procs, "p", 1, "GOMAXPROCS")
	flags.IntVar(&o.n, "n", 0, "operations")
	flags.IntVar(&o.fibers, "fibers", 0, "goroutines")
	flags.IntVar(&o.cap, "cap", 128, "channel capacity")
	flags.IntVar(&o.ms, "ms", 0, "milliseconds")
	flags.StringVar(&o.addr, "addr", "127.0.0.1:7001", "where servers listen")
	_ = flags.Parse(args) // ends the process itself
	runtime.GOMAXPROCS(o.procs)
	before, mallocsBefore := cpuSeconds(), mallocs()
	r := w.run(o)
	cpu, allocated := cpuSeconds()-before, mallocs()-mallocsBefore
	ns := float64(r.elapsed.Nanoseconds())
	line := figures{"name": w.name, "rival": "go", "p": o.procs, "op": r.op, "ops": r.ops, "ns_per_op": ns / float64(r.ops),
		"ms": ns / 1e6, "cpu_s": cpu, "mallocs": allocated}
	for key, value := range r.extra {
		line[key] = value
	}
	text, _ := json.Marshal(line)
	fmt.Println(string(text))
}
