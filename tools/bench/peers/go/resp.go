package main

import (
	"bytes"
	"net"
	"strconv"
	"sync"
)

func init() {
	offer(workload{"resp", "SET, GET and PING of Redis's protocol on -addr for -ms, or until it is killed", respServer})
}

const mostInARequest, mostWords = 16 << 10, 4

type respStore struct {
	sync.Mutex
	all map[string][]byte
}

// takeNumber takes a line "type number CR LF" from the front of text; ok: 1 whole, 0 a part, -1 wrong.
func takeNumber(text []byte, kind byte) (n int, rest []byte, ok int) {
	if len(text) == 0 {
		return 0, text, 0
	}
	if text[0] != kind {
		return 0, text, -1
	}
	end := bytes.Index(text, []byte("\r\n"))
	if end < 0 {
		return 0, text, 0
	}
	n = 0
	for _, digit := range text[1:end] {
		if digit < '0' || digit > '9' {
			return 0, text, -1
		}
		n = n*10 + int(digit-'0')
	}
	return n, text[end+2:], 1
}

func takeCommand(text []byte, words *[mostWords][]byte) (count int, rest []byte, ok int) {
	count, rest, ok = takeNumber(text, '*')
	if ok != 1 {
		return 0, text, ok
	}
	if count == 0 || count > mostWords {
		return 0, text, -1
	}
	for i := 0; i < count; i++ {
		var size int
		size, rest, ok = takeNumber(rest, '$')
		if ok != 1 {
			return 0, text, ok
		}
		if size > mostInARequest {
			return 0, text, -1
		}
		if len(rest) < size+2 {
			return 0, text, 0
		}
		words[i], rest = rest[:size], rest[size+2:]
	}
	return count, rest, 1
}

func (s *respStore) answer(words [][]byte, out []byte) []byte {
	switch name := string(words[0]); {
	case name == "SET" && len(words) == 3:
		s.Lock()
		old := s.all[string(words[1])]
		s.all[string(words[1])] = append(old[:0], words[2]...)
		s.Unlock()
		return append(out, "+OK\r\n"...)
	case name == "GET" && len(words) == 2:
		s.Lock()
		defer s.Unlock()
		value, there := s.all[string(words[1])]
		if !there {
			return append(out, "$-1\r\n"...)
		}
		out = strconv.AppendInt(append(out, '$'), int64(len(value)), 10)
		out = append(append(out, "\r\n"...), value...)
		return append(out, "\r\n"...)
	case name == "PING" && len(words) == 1:
		return append(out, "+PONG\r\n"...)
	}
	return append(out, "-ERR unknown command\r\n"...)
}

func (s *respStore) serve(c net.Conn) {
	defer c.Close()
	var words [mostWords][]byte
	buffer := make([]byte, mostInARequest)
	out := make([]byte, 0, 256)
	held := 0
	for {
		n, err := c.Read(buffer[held:])
		if err != nil {
			return
		}
		text := buffer[:held+n]
		count, ok := 0, 1
		for {
			count, text, ok = takeCommand(text, &words)
			if ok != 1 {
				break
			}
			out = s.answer(words[:count], out)
		}
		if len(out) > 0 {
			if _, err = c.Write(out); err != nil {
				return
			}
		}
		if ok < 0 || len(text) == len(buffer) {
			return
		}
		out = out[:0]
		held = copy(buffer, text)
	}
}

func respServer(o options) outcome {
	l := must(net.Listen("tcp4", o.addr))
	s := &respStore{all: map[string][]byte{}}
	go func() {
		for {
			go s.serve(must(l.Accept()))
		}
	}()
	return serveFor(o)
}
