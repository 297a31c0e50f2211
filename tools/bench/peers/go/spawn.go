package main

import (
	"runtime"
	"sync"
	"time"
)

func init() {
	offer(
		workload{"yield", "-fibers goroutines (2) each yield, n times in all", yieldAll},
		workload{"spawnbatch", "spawn n empty goroutines, joined -fibers (1000) at a time", spawnBatches},
		workload{"spawnone", "spawn one empty goroutine and join it, n times", spawnSingly},
		workload{"fib", "fork-join fib(n) without cutoff, one goroutine per fork (32)", forkJoin},
		workload{"skynet", "10-ary tree to n leaves (1000000) summed over channels", skynet},
	)
}

func yieldAll(o options) outcome {
	k := o.crowd(2)
	each := o.count(4_000_000) / k
	var all sync.WaitGroup
	all.Add(k)
	start := make(chan struct{})
	for i := 0; i < k; i++ {
		go func() {
			defer all.Done()
			<-start
			for left := each; left > 0; left-- {
				runtime.Gosched()
			}
		}()
	}
	began := time.Now()
	close(start)
	all.Wait()
	return outcome{"switch", each * k, time.Since(began), nil}
}

func spawnBatches(o options) outcome {
	n, batch := o.count(1_000_000), o.crowd(1000)
	var group sync.WaitGroup
	rounds := func(times int) {
		for ; times > 0; times-- {
			group.Add(batch)
			for i := 0; i < batch; i++ {
				go group.Done()
			}
			group.Wait()
		}
	}
	rounds(20) // warms the free lists
	times := (n + batch - 1) / batch
	began := time.Now()
	rounds(times)
	return outcome{"spawn", times * batch, time.Since(began), nil}
}

func spawnSingly(o options) outcome {
	n := o.count(500_000)
	var one sync.WaitGroup
	spawn := func(times int) {
		for ; times > 0; times-- {
			one.Add(1)
			go one.Done()
			one.Wait()
		}
	}
	spawn(n / 20)
	began := time.Now()
	spawn(n)
	return outcome{"spawn+join", n, time.Since(began), nil}
}

func fib(n int) int {
	if n < 2 {
		return n
	}
	var left int
	var forked sync.WaitGroup
	forked.Add(1)
	go func() {
		left = fib(n - 1)
		forked.Done()
	}()
	right := fib(n - 2)
	forked.Wait()
	return left + right
}

// forksOf counts the forks of fib(n): one of its own and those of both halves.
func forksOf(n int) int {
	last, now := 0, 0
	for i := 2; i <= n; i++ {
		last, now = now, last+now+1
	}
	return now
}

func forkJoin(o options) outcome {
	n := o.count(32)
	began := time.Now()
	v := fib(n)
	return outcome{"fork", forksOf(n), time.Since(began), figures{"value": v, "rss_mb": rssBytes() >> 20}}
}

func sumLeaves(to chan<- int, first, leaves int) {
	if leaves == 1 {
		to <- first
		return
	}
	parts, part := make(chan int), leaves/10
	for i := 0; i < 10; i++ {
		go sumLeaves(parts, first+i*part, part)
	}
	sum := 0
	for i := 0; i < 10; i++ {
		sum += <-parts
	}
	to <- sum
}

func skynet(o options) outcome {
	n := o.count(1_000_000)
	sum := make(chan int)
	began := time.Now()
	go sumLeaves(sum, 0, n)
	v := <-sum
	return outcome{"leaf", n, time.Since(began), figures{"value": v, "rss_mb": rssBytes() >> 20}}
}
