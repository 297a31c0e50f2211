// A map for concurrent use. Go's sync.Map.
//
//   weft::sync_map<std::string, int> ports;
//   ports.store("http", 80);
//   if (auto p = ports.load("http")) use(*p);
//   auto [port, was_there] = ports.load_or_store("https", 443);
//   for (auto n = hits.load(k); n && !hits.compare_and_swap(k, *n, *n + 1); n = hits.load(k)) {}
//   ports.range([](const std::string& name, int port) { return port != 80; });   // false ends it
//
// The keys are spread over 32 parts, each a hash map under a reader-writer lock. Readers do not
// wait for readers; writers contend only in the same part. Equality and copying of keys and values
// are the user's code and run under a part's lock: they may block, but must not use the map.
// Returned values are copies.
//
// Every function may be called from fibers and plain threads, not from signal handlers. Each blocks
// while another fiber holds the lock of the same part.
//
// Refused: replacing a whole part at each write (a write would cost as much as copying the part),
// and one read-only map beside a dirty one (a steady stream of new keys copies everything
// repeatedly).
//
// Looking a key up stores nothing. Keys and values are in nodes, so a store does not move others.
//
// A map with a mutex beside it is often the better choice: it is smaller, it changes several keys
// in one step, and it holds further fields under the same lock. sync_map is for a map that very
// many fibers use at the same time, each usually with another key. An empty one has 32 locks.
//
// A loop over all keys while other fibers change the map is range().
//
// There is no size(): it would be wrong when it is returned. There is no reference to a value
// either: another fiber may replace or erase it at any time. A value that is expensive to copy is
// stored as a std::shared_ptr.
//
// What a fiber wrote before it stored a value is visible to a fiber that loads this value.
#pragma once
#include <weft/rw_mutex.h>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace weft {

// A map from K to V, both copyable. Hash and Equal as in std::unordered_map. Neither copyable nor
// movable: it is shared by reference. Its constructor allocates all parts. Throws std::bad_alloc.
template <class K, class V, class Hash = std::hash<K>, class Equal = std::equal_to<K>>
class sync_map {
 public:
  sync_map() = default;
  sync_map(const sync_map&) = delete;
  sync_map& operator=(const sync_map&) = delete;

  // Returns a copy of the value under k, or nullopt. Go's Load.
  std::optional<V> load(const K& k) const {
    const part& p = part_of(k);
    const std::shared_lock hold(p.lock);
    const auto at = p.map.find(k);
    if (at == p.map.end()) return std::nullopt;
    return at->second;
  }
  // Stores v under k, in place of the value before. An old value is destroyed after the lock is
  // released. Go's Store.
  void store(K k, V v) {
    part& p = part_of(k);
    std::optional<V> before;  // destroyed after the lock is released, as every replaced value here
    const std::lock_guard hold(p.lock);
    put_locked(p, std::move(k), std::move(v), before);
  }
  // The result of load_or_store(): the value under the key, and true if it was there before.
  struct loaded_or_stored {
    V value;
    bool loaded;
  };
  // Returns the value under k if there is one; else stores v and returns it. Of several fibers that
  // call it with one new key, exactly one stores; the others get its value. Go's LoadOrStore.
  loaded_or_stored load_or_store(K k, V v) {
    part& p = part_of(k);
    {
      const std::shared_lock hold(p.lock);
      if (const auto at = p.map.find(k); at != p.map.end()) return {at->second, true};
    }
    const std::lock_guard hold(p.lock);
    const auto [at, stored] = p.map.try_emplace(std::move(k), std::move(v));
    return {at->second, !stored};
  }
  // Removes the value under k and returns it, or returns nullopt. Of several fibers that call it
  // with one key, one gets the value. Go's LoadAndDelete.
  std::optional<V> load_and_delete(const K& k) {
    part& p = part_of(k);
    node taken;
    {
      const std::lock_guard hold(p.lock);
      taken = p.map.extract(k);
    }
    if (!taken) return std::nullopt;
    return std::move(taken.mapped());
  }
  // Removes the value under k. Returns true if there was one. The value is destroyed after the lock
  // is released. Go's Delete.
  bool erase(const K& k) {
    part& p = part_of(k);
    node taken;
    const std::lock_guard hold(p.lock);
    taken = p.map.extract(k);
    return !taken.empty();
  }
  // Stores v under k and returns the value before, or nullopt. No other store comes between the
  // two. Go's Swap.
  std::optional<V> swap(K k, V v) {
    part& p = part_of(k);
    std::optional<V> before;
    {
      const std::lock_guard hold(p.lock);
      put_locked(p, std::move(k), std::move(v), before);
    }
    return before;
  }
  // Stores v if the value under k is equal to `expected`. Returns true if it did; false also if
  // there is no value. V's == runs under the lock. Go's CompareAndSwap.
  bool compare_and_swap(const K& k, const V& expected, V v)
    requires std::equality_comparable<V>
  {
    part& p = part_of(k);
    const std::lock_guard hold(p.lock);
    const auto at = p.map.find(k);
    if (at == p.map.end() || !(at->second == expected)) return false;
    std::swap(at->second, v);
    return true;
  }
  // Removes the value under k if it is equal to `expected`. Returns true if it did; false also if
  // there is no value. V's == runs under the lock. Go's CompareAndDelete.
  bool compare_and_delete(const K& k, const V& expected)
    requires std::equality_comparable<V>
  {
    part& p = part_of(k);
    node taken;
    const std::lock_guard hold(p.lock);
    const auto at = p.map.find(k);
    if (at == p.map.end() || !(at->second == expected)) return false;
    taken = p.map.extract(at);
    return true;
  }
  // Calls f(key, value) with copies, once for each key, until f returns false; f may return void.
  // No lock is held during f, so f may use the map. A concurrent change is seen either as before or
  // as after it: the copies of the whole map are not of one moment, only those of a part are. The
  // order is none. Costs a copy of the keys and values of one part at a time. Throws what f throws.
  // Go's Range.
  template <class F>
  void range(F&& f) const {
    std::vector<std::pair<K, V>> some;
    for (const part& p : *parts_) {
      some.clear();
      {
        const std::shared_lock hold(p.lock);
        some.reserve(p.map.size());
        for (const auto& [k, v] : p.map) some.emplace_back(k, v);
      }
      for (const auto& [k, v] : some) {
        if constexpr (std::is_void_v<std::invoke_result_t<F&, const K&, const V&>>) f(k, v);
        else if (!f(k, v)) return;
      }
    }
  }
  // Removes all keys. Keys that are stored concurrently may remain. The values are destroyed after
  // the locks of their parts are released. Go's Clear.
  void clear() {
    for (part& p : *parts_) {
      map_type gone;
      const std::lock_guard hold(p.lock);
      gone.swap(p.map);
    }
  }

 private:
  using map_type = std::unordered_map<K, V, Hash, Equal>;
  using node = typename map_type::node_type;
  struct alignas(64) part {
    mutable rw_mutex lock;
    map_type map;  // under lock
  };
  static constexpr std::size_t n_parts = 32;

  // A hash is often the key itself, and the part's map uses its low bits. So all bits are mixed to
  // choose the part.
  part& part_of(const K& k) const {
    const std::uint64_t mixed = static_cast<std::uint64_t>(Hash{}(k)) * 0x9e3779b97f4a7c15;
    return (*parts_)[mixed >> 59];
  }
  static void put_locked(part& p, K&& k, V&& v, std::optional<V>& before) {
    const auto [at, stored] = p.map.try_emplace(std::move(k), std::move(v));
    if (stored) return;
    before.emplace(std::move(at->second));
    at->second = std::move(v);
  }

  std::unique_ptr<std::array<part, n_parts>> parts_ = std::make_unique<std::array<part, n_parts>>();
};

}  // namespace weft
