// Streams without sockets: a connection in memory, and buffered reading and writing.
#include <weft/async.h>
#include <weft/bufio.h>
#include <weft/errors.h>
#include <weft/pipe.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <span>
#include <string>
#include <system_error>

#include "tests/examples/examples.h"

namespace {

// One end reads what the other writes: for tests of code that takes a connection.
void pipe_in_memory() {
  const weft::net::pipe_ends ends = weft::net::pipe();
  const weft::net::pipe_conn client = ends.first;
  auto answered = weft::async([server = ends.second] {
    std::array<char, 16> buf;
    const std::size_t n = server.read(std::as_writable_bytes(std::span(buf))).unwrap();
    server.write("hello, " + std::string(buf.data(), n)).unwrap();
  });
  client.write("world").unwrap();
  std::array<char, 16> buf;
  const std::size_t n = client.read(std::as_writable_bytes(std::span(buf))).unwrap();
  std::puts(std::string(buf.data(), n).c_str());
  answered.get();
}
// Prints:
// hello, world

// Lines of a stream. The last one may have no end.
void read_lines() {
  auto [from, to] = weft::net::pipe();
  auto writing = weft::async([to = to] {
    to.write("one\ntwo\r\nthr").unwrap();
    to.write("ee").unwrap();
    to.close();
  });
  weft::bufio::reader in(from);
  while (const auto line = in.read_line()) std::puts(line.value.c_str());
  writing.get();
}
// Prints:
// one
// two
// three

// A head of known size, and a look at what follows.
void read_exact_and_peek() {
  auto [from, to] = weft::net::pipe();
  auto writing = weft::async([to = to] { to.write("HEADbody").unwrap(); });
  weft::bufio::reader in(from);
  std::array<char, 4> head;
  in.read_exact(std::as_writable_bytes(std::span(head))).unwrap();
  const std::span<const std::byte> next = in.peek(1).unwrap();
  std::printf("%.4s, then %c\n", head.data(), static_cast<char>(next[0]));
  std::printf("%zu bytes are buffered\n", in.buffered());
  writing.get();
}
// Prints:
// HEAD, then b
// 4 bytes are buffered

// Small writes are collected; flush writes them to the stream.
void buffered_writer() {
  auto [to, from] = weft::net::pipe();
  weft::bufio::writer out(to);
  for (const char* word : {"few ", "large ", "writes"}) out.write(word);
  std::printf("%zu bytes are buffered\n", out.buffered());
  auto reading = weft::async([from = from] {
    std::array<char, 64> buf;
    return std::string(buf.data(), from.read(std::as_writable_bytes(std::span(buf))).unwrap());
  });
  if (!out.flush()) std::puts(reading.get().c_str());
}
// Prints:
// 16 bytes are buffered
// few large writes

// A bound for lines: what a peer sends is not kept without limit.
void line_limit() {
  const auto [from, to] = weft::net::pipe();
  auto writing = weft::async([to = to] { to.write("a line of 22 characters\n").unwrap(); });
  weft::bufio::reader in(from, weft::bufio::default_size, 6);
  const auto [begin, err] = in.read_line();
  if (err == std::errc::message_size) std::printf("\"%s\" and more\n", begin.c_str());
  writing.get();
}
// Prints:
// "a line" and more

const examples::group streams({
    {"pipe_in_memory", pipe_in_memory},
    {"read_lines", read_lines},
    {"read_exact_and_peek", read_exact_and_peek},
    {"buffered_writer", buffered_writer},
    {"line_limit", line_limit},
});

}  // namespace
