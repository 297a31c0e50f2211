package main

import (
	"io"
	"net"
	"sync"
	"time"
)

func init() {
	offer(workload{"connections", "-fibers (1000) TCP connections, n round trips of 64 bytes, one connection after the other", connections})
}

func echoBack(c net.Conn) {
	defer c.Close()
	buf := make([]byte, 4096)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		if _, err := c.Write(buf[:n]); err != nil {
			return
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func connections(o options) outcome {
	k := o.crowd(1000)
	rounds := (o.count(100_000) + k - 1) / k
	l := must(net.Listen("tcp4", "127.0.0.1:0"))
	before := rssBytes()
	var servers sync.WaitGroup
	all := make([]*net.TCPConn, k)
	for i := range all {
		all[i] = must(net.Dial("tcp4", l.Addr().String())).(*net.TCPConn)
		_ = all[i].SetLinger(0) // no port waits for its late packets
		c := must(l.Accept())
		servers.Add(1)
		go func() {
			defer servers.Done()
			echoBack(c)
		}()
	}
	roundTrip := func(c *net.TCPConn) {
		var text [64]byte
		must(c.Write(text[:]))
		must(io.ReadFull(c, text[:]))
	}
	for _, c := range all {
		roundTrip(c) // every goroutine has begun
	}
	resident := rssBytes() - before
	began := time.Now()
	for r := 0; r < rounds; r++ {
		for _, c := range all {
			roundTrip(c)
		}
	}
	took := time.Since(began)
	for _, c := range all {
		_ = c.Close()
	}
	servers.Wait()
	return outcome{"round trip", rounds * k, took, figures{"rss_per_conn": float64(resident) / float64(k)}}
}
