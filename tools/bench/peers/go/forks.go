package main

import (
	"math/bits"
	"sync"
	"time"
)

func init() {
	offer(
		workload{"forkfib", "fib(n) without cutoff, a goroutine for one branch (32)", forkJoin},
		workload{"forkskynet", "10-ary tree to n leaves (1000000), a goroutine per node", forkSkynet},
		workload{"nqueens", "all ways to place n queens (12), a goroutine per place", forkQueens},
		workload{"quicksort", "n numbers (1000000), a goroutine for one part", forkQuicksort},
		workload{"mergesort", "n numbers (1000000), a goroutine for one half", forkMergesort},
		workload{"matmul", "product of two n x n matrices (400), a goroutine per row", forkMatmul},
	)
}

// both runs f in a goroutine of its own beside g.
func both(f, g func()) {
	var forked sync.WaitGroup
	forked.Add(1)
	go func() {
		f()
		forked.Done()
	}()
	g()
	forked.Wait()
}

// each runs f(0), ..., f(n-1), every one but the last in a goroutine of its own.
func each(n int, f func(int)) {
	var forked sync.WaitGroup
	forked.Add(n - 1)
	for i := 0; i < n-1; i++ {
		go func(i int) {
			f(i)
			forked.Done()
		}(i)
	}
	f(n - 1)
	forked.Wait()
}

func timed(op string, ops int, work func() int) outcome {
	began := time.Now()
	value := work()
	return outcome{op, ops, time.Since(began), figures{"value": value}}
}

func total(of []int) int {
	sum := 0
	for _, it := range of {
		sum += it
	}
	return sum
}

func treeOf(first, leaves int) int {
	if leaves == 1 {
		return first
	}
	var sums [10]int
	part := leaves / 10
	each(10, func(i int) { sums[i] = treeOf(first+i*part, part) })
	return total(sums[:])
}

func forkSkynet(o options) outcome {
	n := o.count(1_000_000)
	return timed("leaf", n, func() int { return treeOf(0, n) })
}

func queens(all, columns, left, right uint32) int {
	if columns == all {
		return 1
	}
	open := all &^ (columns | left | right)
	n := bits.OnesCount32(open)
	if n == 0 {
		return 0
	}
	var places [32]uint32
	for i := 0; i < n; i++ {
		places[i] = open & -open
		open &= open - 1
	}
	var counts [32]int
	each(n, func(i int) {
		place := places[i]
		counts[i] = queens(all, columns|place, (left|place)<<1, (right|place)>>1)
	})
	return total(counts[:n])
}

func forkQueens(o options) outcome {
	all := uint32(1)<<o.count(12) - 1
	return timed("board", 1, func() int { return queens(all, 0, 0, 0) })
}

const shortPart = 16

func insertionSort(part []int32) {
	for i := 1; i < len(part); i++ {
		moved, to := part[i], i
		for ; to > 0 && part[to-1] > moved; to-- {
			part[to] = part[to-1]
		}
		part[to] = moved
	}
}

func partition(part []int32) int {
	pivot := part[len(part)/2]
	for low, high := 0, len(part)-1; ; low, high = low+1, high-1 {
		for part[low] < pivot {
			low++
		}
		for part[high] > pivot {
			high--
		}
		if low >= high {
			return high + 1
		}
		part[low], part[high] = part[high], part[low]
	}
}

func quicksort(part []int32) {
	if len(part) <= shortPart {
		insertionSort(part)
		return
	}
	at := partition(part)
	both(func() { quicksort(part[:at]) }, func() { quicksort(part[at:]) })
}

func mergesort(part, scratch []int32) {
	if len(part) <= shortPart {
		insertionSort(part)
		return
	}
	half := len(part) / 2
	both(func() { mergesort(part[:half], scratch[:half]) }, func() { mergesort(part[half:], scratch[half:]) })
	copy(scratch, part)
	a, b := 0, half
	for i := range part {
		if b == len(part) || (a < half && scratch[a] <= scratch[b]) {
			part[i] = scratch[a]
			a++
		} else {
			part[i] = scratch[b]
			b++
		}
	}
}

// numbersOf returns n numbers that look random, the same in each peer.
func numbersOf(n int) []int32 {
	out, state := make([]int32, n), uint32(1)
	for i := range out {
		state = state*1664525 + 1013904223
		out[i] = int32(state >> 1)
	}
	return out
}

// sorted times a sort, and tells by the value whether it was one.
func sorted(o options, sort func([]int32)) outcome {
	all := numbersOf(o.count(1_000_000))
	out := timed("number", len(all), func() int { sort(all); return 0 })
	sum := 0
	for _, it := range all {
		sum = (sum*31 + int(it)) % 1000003
	}
	out.extra["value"] = sum
	return out
}

func forkQuicksort(o options) outcome { return sorted(o, quicksort) }

func forkMergesort(o options) outcome {
	scratch := make([]int32, o.count(1_000_000))
	return sorted(o, func(all []int32) { mergesort(all, scratch) })
}

func forkMatmul(o options) outcome {
	size := o.count(400)
	a, b, product := make([]float64, size*size), make([]float64, size*size), make([]float64, size*size)
	for i := range a {
		a[i], b[i] = float64(i%7), float64(i%5)
	}
	return timed("row", size, func() int {
		each(size, func(row int) {
			out := product[row*size:][:size]
			for k := 0; k < size; k++ {
				factor, in := a[row*size+k], b[k*size:][:size]
				for column := range out {
					out[column] += factor * in[column]
				}
			}
		})
		return int(product[size*size-1])
	})
}
