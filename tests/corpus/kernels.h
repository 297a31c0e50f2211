// What the files of kernels use.
#pragma once
#include <weft/chan.h>
#include <weft/cond.h>
#include <weft/context.h>
#include <weft/go.h>
#include <weft/mutex.h>
#include <weft/once.h>
#include <weft/rw_mutex.h>
#include <weft/select.h>
#include <weft/sim.h>
#include <weft/time.h>
#include <weft/timer.h>
#include <weft/wait_group.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <vector>

#include "corpus/corpus.h"

namespace corpus {

using namespace std::chrono_literals;
using weft::go;
using weft::make_chan;
using weft::otherwise;
using weft::recv;
using weft::select;
using weft::send;
using weft::wait_group;

using guard = std::lock_guard<weft::mutex>;
using lock = std::unique_lock<weft::mutex>;
using writer = std::unique_lock<weft::rw_mutex>;
using reader = std::shared_lock<weft::rw_mutex>;

}  // namespace corpus
