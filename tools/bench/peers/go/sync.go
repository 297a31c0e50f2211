package main

import (
	"sync"
	"sync/atomic"
	"time"
)

func init() {
	offer(
		workload{"atomicload", "P goroutines load one atomic.Value, n times in all", atomicLoad},
		workload{"cond32", "-fibers (32) waiters and one more meet n times (50000), the last one broadcasts", condRounds},
		workload{"mapload", "P goroutines load from one sync.Map of 1023 keys, n times in all", mapLoad},
		workload{"mutex", "uncontended lock+unlock, n times", mutexAlone},
		workload{"mutexcontend", "-fibers goroutines (8) lock, add one, unlock, n times in all", mutexContended},
		workload{"mutexwork", "P goroutines lock and unlock one mutex and work a little after that, n times in all", mutexWork},
		workload{"once", "P goroutines call a once that is done, n times in all", onceDone},
		workload{"pool", "P goroutines put one object into a pool and get one, n times in all", poolPutGet},
		workload{"rwmutex", "read lock twice, then write lock, P goroutines with a lock each, n times in all", rwAlone},
		workload{"rwmutexread", "P goroutines read-lock and unlock one lock, n times in all", rwRead},
		workload{"rwmutexwrite100", "as rwmutexread, every 100th time a write lock", rwWrite100},
		workload{"waitgroup", "Add, Done and Wait, P goroutines with a group each, n times in all", waitGroupAlone},
	)
}

// inParallel calls body(n/P) in P goroutines at once.
func inParallel(o options, n int, body func(times int)) time.Duration {
	var all sync.WaitGroup
	start := make(chan struct{})
	all.Add(o.procs)
	for i := 0; i < o.procs; i++ {
		go func() {
			<-start
			body(n / o.procs)
			all.Done()
		}()
	}
	began := time.Now()
	close(start)
	all.Wait()
	return time.Since(began)
}

func mutexAlone(o options) outcome {
	n := o.count(50_000_000)
	var m sync.Mutex
	v := 0
	began := time.Now()
	for i := 0; i < n; i++ {
		m.Lock()
		v++
		m.Unlock()
	}
	return outcome{"lock+unlock", n, time.Since(began), nil}
}

func mutexContended(o options) outcome {
	k := o.crowd(8)
	each := o.count(8_000_000) / k
	var m sync.Mutex
	var all sync.WaitGroup
	all.Add(k)
	v := 0
	began := time.Now()
	for i := 0; i < k; i++ {
		go func() {
			for left := each; left > 0; left-- {
				m.Lock()
				v++
				m.Unlock()
			}
			all.Done()
		}()
	}
	all.Wait()
	return outcome{"lock+unlock", each * k, time.Since(began), figures{"value": v}}
}

func rwAlone(o options) outcome {
	n := o.count(20_000_000)
	d := inParallel(o, n, func(times int) {
		var apart struct {
			m sync.RWMutex
			_ [128]byte
		}
		m := &apart.m
		for i := 0; i < times; i++ {
			m.RLock()
			m.RLock()
			m.RUnlock()
			m.RUnlock()
			m.Lock()
			m.Unlock()
		}
	})
	return outcome{"2 read locks+1 write lock", n, d, nil}
}

func rwRead(o options) outcome {
	n := o.count(50_000_000)
	var m sync.RWMutex
	d := inParallel(o, n, func(times int) {
		for i := 0; i < times; i++ {
			m.RLock()
			m.RUnlock()
		}
	})
	return outcome{"read lock+unlock", n, d, nil}
}

func rwWrite100(o options) outcome {
	n := o.count(20_000_000)
	var m sync.RWMutex
	d := inParallel(o, n, func(times int) {
		for i := 0; i < times; i++ {
			if i%100 == 0 {
				m.Lock()
				m.Unlock()
			} else {
				m.RLock()
				m.RUnlock()
			}
		}
	})
	return outcome{"lock+unlock", n, d, nil}
}

func waitGroupAlone(o options) outcome {
	n := o.count(20_000_000)
	d := inParallel(o, n, func(times int) {
		var apart struct {
			g sync.WaitGroup
			_ [128]byte
		}
		g := &apart.g
		for i := 0; i < times; i++ {
			g.Add(1)
			g.Done()
			g.Wait()
		}
	})
	return outcome{"add+done+wait", n, d, nil}
}

func onceDone(o options) outcome {
	n := o.count(200_000_000)
	var once sync.Once
	f := func() {}
	d := inParallel(o, n, func(times int) {
		for i := 0; i < times; i++ {
			once.Do(f)
		}
	})
	return outcome{"call", n, d, nil}
}

func poolPutGet(o options) outcome {
	n := o.count(20_000_000)
	var pool sync.Pool
	d := inParallel(o, n, func(times int) {
		one := new(int)
		for i := 0; i < times; i++ {
			pool.Put(one)
			got := pool.Get()
			if got == nil {
				one = new(int)
			} else {
				one = got.(*int)
			}
		}
	})
	return outcome{"put+get", n, d, nil}
}

func condRounds(o options) outcome {
	n, waiters := o.count(50_000), o.crowd(32)
	var m sync.Mutex
	c := sync.NewCond(&m)
	arrived, rounds := 0, 0
	var all sync.WaitGroup
	all.Add(waiters + 1)
	began := time.Now()
	for i := 0; i <= waiters; i++ {
		go func() {
			defer all.Done()
			for {
				m.Lock()
				if rounds == n {
					m.Unlock()
					return
				}
				arrived++
				if arrived == waiters+1 {
					arrived = 0
					rounds++
					c.Broadcast()
				} else {
					c.Wait()
				}
				m.Unlock()
			}
		}()
	}
	all.Wait()
	return outcome{"round", n, time.Since(began), nil}
}

var sink int64

func someWork(v int64) int64 {
	for i := 0; i < 100; i++ {
		v = v*2 + 1
	}
	return v
}

func mutexWork(o options) outcome {
	n := o.count(10_000_000)
	var m sync.Mutex
	d := inParallel(o, n, func(times int) {
		v := int64(0)
		for i := 0; i < times; i++ {
			m.Lock()
			m.Unlock()
			v = someWork(v)
		}
		atomic.AddInt64(&sink, v)
	})
	return outcome{"lock+unlock+work", n, d, nil}
}

func atomicLoad(o options) outcome {
	n := o.count(100_000_000)
	var value atomic.Value
	value.Store([]int64{1, 2, 3})
	d := inParallel(o, n, func(times int) {
		sum := int64(0)
		for i := 0; i < times; i++ {
			s := value.Load().([]int64)
			sum += s[len(s)-1]
		}
		atomic.AddInt64(&sink, sum)
	})
	return outcome{"load", n, d, nil}
}

func mapLoad(o options) outcome {
	n := o.count(20_000_000)
	var m sync.Map
	for i := 0; i < 1023; i++ {
		m.Store(i, i)
	}
	d := inParallel(o, n, func(times int) {
		sum := int64(0)
		for i := 0; i < times; i++ {
			if v, ok := m.Load(i % 1024); ok {
				sum += int64(v.(int))
			}
		}
		atomic.AddInt64(&sink, sum)
	})
	return outcome{"load", n, d, nil}
}
