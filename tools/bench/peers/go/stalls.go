package main

import (
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"runtime"
)

func init() {
	offer(
		workload{"blocking", "4 goroutines in a 100 ms system call beside -fibers (1000) yielding ones: longest stall", blockingCalls},
		workload{"hog", "a busy loop of -ms (200) beside a goroutine that sleeps 1 ms at a time: longest lateness", hog},
		workload{"lateness", "-fibers (50) that compute -ms (5) each beside a goroutine that sleeps 1 ms at a time: longest lateness", lateness},
	)
}

func inMs(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }

// raise makes *most at least v.
func raise(most *int64, v int64) {
	for {
		now := atomic.LoadInt64(most)
		if v <= now || atomic.CompareAndSwapInt64(most, now, v) {
			return
		}
	}
}

func blockingCalls(o options) outcome {
	k := o.crowd(1000)
	var stop int32
	var worst, ticks int64
	last := time.Now().UnixNano()
	var all sync.WaitGroup
	all.Add(k + 4)
	for i := 0; i < k; i++ {
		go func() {
			for ; atomic.LoadInt32(&stop) == 0; runtime.Gosched() {
				now := time.Now().UnixNano()
				raise(&worst, now-atomic.SwapInt64(&last, now))
				atomic.AddInt64(&ticks, 1)
			}
			all.Done()
		}()
	}
	began := time.Now()
	for i := 0; i < 4; i++ {
		go func() {
			tenth := syscall.NsecToTimespec((100 * time.Millisecond).Nanoseconds())
			_ = syscall.Nanosleep(&tenth, nil)
			all.Done()
		}()
	}
	time.Sleep(500 * time.Millisecond)
	atomic.StoreInt32(&stop, 1)
	all.Wait()
	return outcome{"tick", int(ticks), time.Since(began), figures{"stall_ms": inMs(time.Duration(worst))}}
}

var hogged uint64

func hog(o options) outcome {
	length := time.Duration(orDefault(o.ms, 200)) * time.Millisecond
	var stop int32
	worst := make(chan time.Duration)
	go func() {
		var most time.Duration
		for atomic.LoadInt32(&stop) == 0 {
			asleep := time.Now()
			time.Sleep(time.Millisecond)
			if late := time.Since(asleep) - time.Millisecond; late > most {
				most = late
			}
		}
		worst <- most
	}()
	time.Sleep(20 * time.Millisecond)
	began := time.Now()
	end := make(chan struct{})
	go func() {
		x := uint64(1)
		for i := 0; i&0xfffff != 0 || time.Since(began) < length; i++ {
			x = x*6364136223846793005 + 1442695040888963407
		}
		hogged = x
		close(end)
	}()
	<-end
	took := time.Since(began)
	atomic.StoreInt32(&stop, 1)
	return outcome{"hog", 1, took, figures{"late_ms": inMs(<-worst)}}
}

func lateness(o options) outcome {
	k := o.crowd(50)
	length := time.Duration(orDefault(o.ms, 5)) * time.Millisecond
	var stop int32
	worst := make(chan time.Duration)
	go func() {
		var most time.Duration
		for atomic.LoadInt32(&stop) == 0 {
			asleep := time.Now()
			time.Sleep(time.Millisecond)
			if late := time.Since(asleep) - time.Millisecond; late > most {
				most = late
			}
		}
		worst <- most
	}()
	runtime.Gosched()
	var busy sync.WaitGroup
	busy.Add(k)
	began := time.Now()
	for i := 0; i < k; i++ {
		go func() {
			for own := time.Now(); time.Since(own) < length; {
			}
			busy.Done()
		}()
	}
	busy.Wait()
	took := time.Since(began)
	atomic.StoreInt32(&stop, 1)
	return outcome{"fiber", k, took, figures{"late_ms": inMs(<-worst)}}
}
