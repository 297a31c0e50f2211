package main

import (
	"sync"
	"time"
)

func init() {
	offer(
		workload{"pingpong", "two goroutines, two unbuffered channels, n round trips", pingPong},
		workload{"spsc", "one producer, one consumer, channel of -cap (128), n items", func(o options) outcome { return pipe(o, 1) }},
		workload{"mpmc", "four producers, four consumers, channel of -cap (128), n items", func(o options) outcome { return pipe(o, 4) }},
		workload{"select2", "select on two unbuffered channels with a producer each, n items", selectOfTwo},
		workload{"selectdefault", "select with default on an empty channel, n times", selectDefault},
		workload{"ring", "-fibers goroutines (10000) in a ring pass one token n rounds (100)", ring},
		workload{"sieve", "concurrent prime sieve, first n primes (2000)", sieve},
		workload{"channels", "-fibers (1000) channels with a receiver each, n items sent to one after the other", manyChannels},
	)
}

func pingPong(o options) outcome {
	n := o.count(1_000_000)
	there, back := make(chan int), make(chan int)
	go func() {
		for v := range there {
			back <- v
		}
		close(back)
	}()
	began := time.Now()
	for i := 0; i < n; i++ {
		there <- i
		<-back
	}
	took := time.Since(began)
	close(there)
	<-back
	return outcome{"round trip", n, took, nil}
}

func pipe(o options, sides int) outcome {
	each := o.count(4_000_000) / sides
	items := make(chan int, o.cap)
	sums := make(chan int, sides)
	var producing sync.WaitGroup
	producing.Add(sides)
	began := time.Now()
	for i := 0; i < sides; i++ {
		go func() {
			for left := each; left > 0; left-- {
				items <- 1
			}
			producing.Done()
		}()
		go func() {
			sum := 0
			for v := range items {
				sum += v
			}
			sums <- sum
		}()
	}
	producing.Wait()
	close(items)
	total := 0
	for i := 0; i < sides; i++ {
		total += <-sums
	}
	return outcome{"item", each * sides, time.Since(began), figures{"value": total}}
}

func selectOfTwo(o options) outcome {
	each := o.count(1_000_000) / 2
	produce := func(to chan<- int) {
		for left := each; left > 0; left-- {
			to <- 1
		}
	}
	x, y := make(chan int), make(chan int)
	go produce(x)
	go produce(y)
	sum := 0
	began := time.Now()
	for left := 2 * each; left > 0; left-- {
		select {
		case v := <-x:
			sum += v
		case v := <-y:
			sum += v
		}
	}
	return outcome{"item", 2 * each, time.Since(began), figures{"value": sum}}
}

func selectDefault(o options) outcome {
	n := o.count(50_000_000)
	empty := make(chan int)
	misses := 0
	began := time.Now()
	for i := 0; i < n; i++ {
		select {
		case <-empty:
		default:
			misses++
		}
	}
	return outcome{"select", n, time.Since(began), figures{"value": misses}}
}

func ring(o options) outcome {
	k, rounds := o.crowd(10_000), o.count(100)
	if k < 2 {
		k = 2
	}
	first := make(chan int)
	last := first
	for i := 1; i < k; i++ {
		next := make(chan int)
		go func(from <-chan int, to chan<- int) {
			for v := range from {
				to <- v + 1
			}
			close(to)
		}(last, next)
		last = next
	}
	first <- 0
	token := <-last + 1 // a round that starts every goroutine
	began := time.Now()
	for i := 0; i < rounds; i++ {
		first <- token
		token = <-last + 1
	}
	took := time.Since(began)
	close(first)
	<-last
	return outcome{"hop", k * rounds, took, figures{"value": token}}
}

func sieve(o options) outcome {
	n := o.count(2000)
	began := time.Now()
	numbers := make(chan int)
	go func(to chan<- int) {
		for i := 2; ; i++ {
			to <- i
		}
	}(numbers)
	prime := <-numbers
	for found := 1; found < n; found++ {
		rest := make(chan int)
		go func(from <-chan int, to chan<- int, prime int) {
			for {
				if v := <-from; v%prime != 0 {
					to <- v
				}
			}
		}(numbers, rest, prime)
		numbers = rest
		prime = <-numbers
	}
	return outcome{"prime", n, time.Since(began), figures{"value": prime}}
}

func manyChannels(o options) outcome {
	k := o.crowd(1000)
	rounds := (o.count(1_000_000) + k - 1) / k
	var all sync.WaitGroup
	all.Add(k)
	channels := make([]chan int, k)
	for i := range channels {
		channels[i] = make(chan int)
		go func(from <-chan int) {
			for range from {
			}
			all.Done()
		}(channels[i])
	}
	for _, c := range channels {
		c <- 0 // starts every goroutine
	}
	began := time.Now()
	for i := 0; i < rounds; i++ {
		for _, c := range channels {
			c <- i
		}
	}
	took := time.Since(began)
	for _, c := range channels {
		close(c)
	}
	all.Wait()
	return outcome{"item", rounds * k, took, nil}
}
