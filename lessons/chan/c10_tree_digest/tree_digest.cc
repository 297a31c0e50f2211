// C10: a digest for each file of a tree: one after the other, all at the same time, twenty at a
// time.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "lessons/chan/small_tree.h"
#include "lessons/support/page.h"

namespace {

namespace fs = std::filesystem;
using namespace weft;
using lesson::println;

using digests = std::map<std::string, std::uint64_t>;
std::atomic<int> digesting, most_at_once;

// A hash of a few lines in MD5's place. Reading a file blocks a thread, so it says so.
std::uint64_t digest(const fs::path& file) {
  const int now = ++digesting;
  for (int seen = most_at_once; now > seen && !most_at_once.compare_exchange_weak(seen, now);) {
  }
  yield();
  std::uint64_t hash = 14695981039346656037u;
  blocking([&] {
    std::ifstream in(file, std::ios::binary);
    for (std::istreambuf_iterator<char> at(in), end; at != end; ++at)
      hash = (hash ^ static_cast<unsigned char>(*at)) * 1099511628211u;
  });
  --digesting;
  return hash;
}

// Sends every file below root until ctx ends. Returns the error.
std::error_code walk(const fs::path& root, const context& ctx, const chan<fs::path>& paths) {
  std::error_code err;
  fs::recursive_directory_iterator at(root, err);
  for (; !err && at != fs::recursive_directory_iterator(); at.increment(err))
    if (at->is_regular_file())
      if (const std::error_code stopped = paths.send(ctx, at->path())) return stopped;
  return err;
}

result<digests> serial(const fs::path& root) {
  digests all;
  std::error_code err;
  for (fs::recursive_directory_iterator at(root, err), end; !err && at != end; at.increment(err))
    if (at->is_regular_file()) all[at->path().filename()] = digest(at->path());
  return {all, err};
}

// `digesters` fibers, or one for each file where it is 0.
result<digests> concurrent(const fs::path& root, int digesters) {
  struct one {
    fs::path path;
    std::uint64_t hash;
  };
  auto [group, ctx] = errgroup::with_context(background());
  auto paths = make_chan<fs::path>();
  auto found = make_chan<one>();
  group.go([&, ctx = ctx] {
    const std::error_code err = walk(root, ctx, paths);
    paths.close();
    return err;
  });
  auto workers = std::make_shared<wait_group>();
  for (int i = 0; i < digesters; ++i)
    workers->go([=, ctx = ctx] {
      for (const fs::path& p : paths)
        if (found.send(ctx, one{p, digest(p)})) return;
    });
  if (digesters == 0)
    workers->go([=, ctx = ctx] {
      for (const fs::path& p : paths) workers->go([=] { (void)found.send(ctx, one{p, digest(p)}); });
    });
  go([=] {
    workers->wait();
    found.close();
  });
  digests all;
  for (const one& f : found) all[f.path.filename()] = f.hash;
  return {all, group.wait()};
}

void tree() {
  const small_tree t;
  const auto one_by_one = serial(t.root());
  const auto all_at_once = concurrent(t.root(), 0);
  most_at_once = 0;
  const auto bounded = concurrent(t.root(), 20);
  println("{} files; unbounded: {}; bounded: {}", one_by_one.value.size(),
          all_at_once.value == one_by_one.value ? "the same" : "different",
          bounded.value == one_by_one.value ? "the same" : "different");
  println("at most {} digests at the same time", most_at_once.load());
}

void missing() {
  println("serial: {}", serial("/nonexistent").err.message());
  println("bounded: {}", concurrent("/nonexistent", 20).err.message());
}

const lesson::page page{
    "C10", "tree_digest", {{"tree", "three ways to the same map", tree}, {"missing", "no such directory", missing}}};

}  // namespace
