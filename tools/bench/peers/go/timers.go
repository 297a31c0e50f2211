package main

import (
	"runtime"
	"sort"
	"sync"
	"sync/atomic"
	"time"
)

func init() {
	offer(
		workload{"timer", "create and stop a one-hour timer, n times, beside -fibers (0) pending ones", armAndStop},
		workload{"sleepers", "-fibers goroutines (100000) each sleep a random 1-100 ms, n times (5, at least 2)", sleepers},
		workload{"parked", "-fibers goroutines (100000) blocked on a channel: memory, create and wake time", parked},
		workload{"idle", "nothing to do for -ms (1000): CPU used", func(o options) outcome { return atRest(o, idle) }},
		workload{"wakeups", "a goroutine that wakes every millisecond for -ms (1000): CPU used", func(o options) outcome { return atRest(o, wakeUps) }},
		workload{"tickers", "a goroutine per P with a 10 ms ticker, for -ms (1000): CPU used", func(o options) outcome { return atRest(o, tickers) }},
	)
}

// random is splitmix64, so that 100,000 of them cost little memory.
type random uint64

func (r *random) next() uint64 {
	*r += 0x9e3779b97f4a7c15
	z := uint64(*r)
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb
	return z ^ (z >> 31)
}

func armAndStop(o options) outcome {
	n := o.count(5_000_000)
	nothing := func() {}
	pending := make([]*time.Timer, o.fibers)
	r := random(1)
	for i := range pending {
		pending[i] = time.AfterFunc(time.Hour+time.Duration(r.next()%uint64(time.Hour)), nothing)
	}
	began := time.Now()
	for i := 0; i < n; i++ {
		time.AfterFunc(time.Hour, nothing).Stop()
	}
	took := time.Since(began)
	for _, t := range pending {
		t.Stop()
	}
	return outcome{"create+stop", n, took, nil}
}

func sleepers(o options) outcome {
	k, rounds := o.crowd(100_000), o.count(5)
	if rounds < 2 {
		rounds = 2
	}
	// Lateness in microseconds, without each goroutine's first sleep, in which the crowd is still being made.
	late := make([]int32, k*(rounds-1))
	var all sync.WaitGroup
	all.Add(k)
	before, began := cpuSeconds(), time.Now()
	for i := 0; i < k; i++ {
		go func(mine []int32, r random) {
			for round := 0; round < rounds; round++ {
				d := time.Duration(1000+r.next()%99_001) * time.Microsecond
				asleep := time.Now()
				time.Sleep(d)
				if round > 0 {
					mine[round-1] = int32((time.Since(asleep) - d).Microseconds())
				}
			}
			all.Done()
		}(late[i*(rounds-1):(i+1)*(rounds-1)], random(i))
	}
	all.Wait()
	took, cpu := time.Since(began), cpuSeconds()-before
	sort.Slice(late, func(i, j int) bool { return late[i] < late[j] })
	return outcome{"sleep", k * rounds, took, figures{"cpu_ns_per_op": cpu * 1e9 / float64(k*rounds),
		"over_p50_us": late[len(late)/2], "over_p99_us": late[len(late)*99/100], "over_max_us": late[len(late)-1]}}
}

func parked(o options) outcome {
	k := o.crowd(100_000)
	runtime.GC()
	before := rssBytes()
	never := make(chan int)
	var up int64
	var all sync.WaitGroup
	all.Add(k)
	began := time.Now()
	for i := 0; i < k; i++ {
		go func() {
			atomic.AddInt64(&up, 1)
			<-never
			all.Done()
		}()
	}
	for atomic.LoadInt64(&up) < int64(k) {
		runtime.Gosched()
	}
	created := time.Since(began)
	after := rssBytes()
	began = time.Now()
	close(never)
	all.Wait()
	woken := time.Since(began)
	each := func(n int64) float64 { return float64(n) / float64(k) }
	return outcome{"create", k, created, figures{"rss_per_fiber": each(int64(after - before)),
		"create_ns": each(created.Nanoseconds()), "wake_ns": each(woken.Nanoseconds())}}
}

// atRest is the CPU that the process uses while f runs, which returns how often something happened. A first run of
// 50 ms makes the threads.
func atRest(o options, f func(o options, d time.Duration) int) outcome {
	f(o, 50*time.Millisecond)
	d := time.Duration(orDefault(o.ms, 1000)) * time.Millisecond
	before, began := cpuSeconds(), time.Now()
	times := f(o, d)
	took, cpu := time.Since(began), cpuSeconds()-before
	return outcome{"event", times, took, figures{"cpu_us_per_s": cpu * 1e6 / took.Seconds()}}
}

func idle(_ options, d time.Duration) int {
	time.Sleep(d)
	return 1
}

func wakeUps(_ options, d time.Duration) int {
	times := int(d / time.Millisecond)
	next := time.Now()
	for left := times; left > 0; left-- {
		next = next.Add(time.Millisecond)
		time.Sleep(time.Until(next))
	}
	return times
}

func tickers(o options, d time.Duration) int {
	ticks := int(d / (10 * time.Millisecond))
	var all sync.WaitGroup
	all.Add(o.procs)
	for i := 0; i < o.procs; i++ {
		go func() {
			t := time.NewTicker(10 * time.Millisecond)
			for left := ticks; left > 0; left-- {
				<-t.C
			}
			t.Stop()
			all.Done()
		}()
	}
	all.Wait()
	return ticks * o.procs
}
