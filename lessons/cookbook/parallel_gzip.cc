// Compresses a file by all CPUs, in bounded memory:  parallel_gzip FILE RESULT
//
// Three stages: one fiber reads blocks, one fiber for each block compresses it, one fiber writes
// the results in the order of the blocks. The channel between the first and the last holds tasks,
// not results, and its size bounds the blocks in memory: when the writer is slow, the reader waits.
#include <fcntl.h>
#include <weft/weft.h>
#include <zlib.h>

#include <cstdio>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>

namespace {

constexpr std::size_t block_size = 256 << 10;

// Returns a member of a gzip file. Members one after the other are a gzip file too.
std::string compress(const std::string& block) {
  z_stream z{};
  if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::runtime_error("zlib: no memory");
  std::string to(deflateBound(&z, block.size()), '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(block.data()));
  z.avail_in = static_cast<uInt>(block.size());
  z.next_out = reinterpret_cast<Bytef*>(to.data());
  z.avail_out = static_cast<uInt>(to.size());
  const int done = deflate(&z, Z_FINISH);
  to.resize(z.total_out);
  deflateEnd(&z);
  if (done != Z_STREAM_END) throw std::runtime_error("zlib: the block does not fit");
  return to;
}

using blocks = weft::chan<weft::task<std::string>>;

std::error_code read_blocks(const weft::context& ctx, const weft::fs::file& from, const blocks& to) {
  weft::bufio::reader in(from, block_size);
  for (bool more = true; more;) {
    std::string block(block_size, '\0');
    const auto [n, err] = in.read_exact(std::as_writable_bytes(std::span(block)));
    if (err && err != weft::errc::eof) return err;
    more = !err;
    block.resize(n);
    if (const auto stopped = to.send(ctx, weft::async(compress, std::move(block)))) return stopped;
  }
  to.close();
  return {};
}

std::error_code write_blocks(const weft::context& ctx, const blocks& from, const weft::fs::file& to) {
  for (;;) {
    auto [block, stopped] = from.recv(ctx);
    if (stopped || !block) return stopped;
    if (const auto err = to.write(block->get()).err) return err;
  }
}

int gzip(const char* from, const char* to) {
  try {
    const weft::fs::file in = weft::fs::open(from).unwrap();
    const weft::fs::file out = weft::fs::open(to, O_WRONLY | O_CREAT | O_TRUNC).unwrap();
    const auto under_way = weft::make_chan<weft::task<std::string>>(2 * static_cast<std::size_t>(weft::maxprocs()));
    auto [group, ctx] = weft::errgroup::with_context(weft::background());  // one stage's failure ends the other
    group.go([&, &ctx = ctx] { return read_blocks(ctx, in, under_way); });
    group.go([&, &ctx = ctx] { return write_blocks(ctx, under_way, out); });
    if (const auto err = group.wait()) throw std::system_error(err);
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "parallel_gzip: %s\n", e.what());
    return 1;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: parallel_gzip FILE RESULT\n");
    return 2;
  }
  return weft::run([&] { return gzip(argv[1], argv[2]); });
}
