package main

import (
	"io"
	"net"
	"net/http"
	"time"
)

func init() {
	offer(
		workload{"echo", "TCP echo server on -addr for -ms, or until it is killed", echoServer},
		workload{"http", "net/http on -addr that says hello, for -ms or until it is killed", helloServer})
}

// serveFor returns after -ms milliseconds, or never.
func serveFor(o options) outcome {
	if o.ms == 0 {
		select {}
	}
	time.Sleep(time.Duration(o.ms) * time.Millisecond)
	return outcome{"ms", o.ms, time.Duration(o.ms) * time.Millisecond, nil}
}

func echoServer(o options) outcome {
	l := must(net.Listen("tcp4", o.addr))
	go func() {
		for {
			go echoBack(must(l.Accept()))
		}
	}()
	return serveFor(o)
}

func helloServer(o options) outcome {
	l := must(net.Listen("tcp4", o.addr))
	hello := func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello, world\n") }
	go func() { _ = http.Serve(l, http.HandlerFunc(hello)) }()
	return serveFor(o)
}
