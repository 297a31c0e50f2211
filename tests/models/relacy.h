// Relacy without the macros that replace keywords and functions. For memory.cc and engine.cc: its
// headers also define the global operators new and delete (engine.cc).
#pragma once
#include <relacy/base.hpp>
// context.hpp uses what the others define.
#include <relacy/atomic.hpp>
#include <relacy/atomic_fence.hpp>
#include <relacy/context.hpp>
#include <relacy/context_base_impl.hpp>
#include <relacy/stdlib/condition_variable.hpp>
#include <relacy/stdlib/event.hpp>
#include <relacy/stdlib/mutex.hpp>
#include <relacy/stdlib/semaphore.hpp>
#include <relacy/var.hpp>
#undef $
