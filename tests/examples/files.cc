// Files and directories.
#include <fcntl.h>
#include <weft/bufio.h>
#include <weft/errors.h>
#include <weft/fs.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include "tests/examples/examples.h"

namespace {

// A whole file, written and read. A failure is an error of the system.
void read_and_write_file() {
  const examples::temp_dir dir;
  const std::string path = dir / "greeting.txt";
  if (const std::error_code e = weft::fs::write_file(path, "hello\n")) std::puts(e.message().c_str());
  std::fputs(weft::fs::read_file(path).unwrap().c_str(), stdout);
  const auto [text, err] = weft::fs::read_file(dir / "missing.txt");
  if (err == std::errc::no_such_file_or_directory) std::puts("no such file");
}
// Prints:
// hello
// no such file

// An open file: reads and writes at its position, or at an offset.
void file_at_offset() {
  const examples::temp_dir dir;
  const weft::fs::file f = weft::fs::create(dir / "data").unwrap();
  f.write("0123456789").unwrap();
  const std::string_view patch = "xyz";
  f.write_at(std::as_bytes(std::span(patch)), 4).unwrap();
  std::array<char, 5> part;
  f.read_at(std::as_writable_bytes(std::span(part)), 3).unwrap();
  std::printf("%.5s of %d bytes\n", part.data(), static_cast<int>(f.stat().unwrap().size));
}
// Prints:
// 3xyz7 of 10 bytes

// A file line by line, without a copy of the whole in memory.
void file_lines() {
  const examples::temp_dir dir;
  weft::fs::write_file(dir / "list", "first\nsecond\n");
  weft::bufio::reader in(weft::fs::open(dir / "list").unwrap());
  for (int n = 1; const auto line = in.read_line(); ++n) std::printf("%d: %s\n", n, line.value.c_str());
}
// Prints:
// 1: first
// 2: second

// All files below a directory, in order of names. walk::skip leaves out a directory.
void walk_dir() {
  const examples::temp_dir dir;
  for (const char* folder : {"a", "hidden"}) weft::fs::mkdir(dir / folder);
  for (const char* file : {"b.txt", "a/c.txt", "hidden/d.txt"}) weft::fs::write_file(dir / file, "");
  const std::error_code e =
      weft::fs::walk_dir(dir.path(), [&](const std::string& path, const weft::fs::entry& what, std::error_code) {
        if (what.name == "hidden") return weft::fs::walk::skip;
        if (!what.is_dir()) std::puts(path.substr(dir.path().size()).c_str());
        return weft::fs::walk::on;
      });
  if (e) std::puts(e.message().c_str());
}
// Prints:
// /a/c.txt
// /b.txt

// A path from outside, for a program that serves files: it cannot lead out of the root.
void open_inside() {
  const examples::temp_dir dir;
  weft::fs::write_file(dir / "index.html", "<p>");
  if (weft::fs::open_inside(dir.path(), "pictures/../index.html")) std::puts("opened");
  if (weft::fs::open_inside(dir.path(), "../../etc/passwd").err == std::errc::permission_denied) std::puts("refused");
}
// Prints:
// opened
// refused

// Names of a directory, in order, and the states of files.
void read_dir() {
  const examples::temp_dir dir;
  for (const char* name : {"c", "a", "b"}) weft::fs::write_file(dir / name, name);
  weft::fs::rename(dir / "b", dir / "d");
  weft::fs::remove(dir / "c");
  for (const weft::fs::entry& e : weft::fs::read_dir(dir.path()).unwrap()) std::puts(e.name.c_str());
  const weft::fs::info i = weft::fs::lstat(dir / "d").unwrap();
  std::printf("%s: %d byte, %s\n", i.name.c_str(), static_cast<int>(i.size), i.is_regular() ? "a file" : "no file");
}
// Prints:
// a
// d
// d: 1 byte, a file

// A path as text: join_inside reads no file.
void join_inside() {
  std::puts(weft::fs::join_inside("/srv/www", "css/./site.css").unwrap().c_str());
  if (weft::fs::join_inside("/srv/www", "/etc/passwd").err == std::errc::permission_denied) std::puts("refused");
}
// Prints:
// /srv/www/css/site.css
// refused

const examples::group files({
    {"read_and_write_file", read_and_write_file},
    {"file_at_offset", file_at_offset},
    {"file_lines", file_lines},
    {"walk_dir", walk_dir},
    {"open_inside", open_inside},
    {"read_dir", read_dir},
    {"join_inside", join_inside},
});

}  // namespace
