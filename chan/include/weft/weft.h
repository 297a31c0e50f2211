// All of weft.
#pragma once
#include <weft/async.h>
#include <weft/chan.h>
#include <weft/errors.h>
#include <weft/fiber_local.h>
#include <weft/go.h>
#include <weft/mutex.h>
#include <weft/once.h>
#include <weft/select.h>
#include <weft/time.h>
#include <weft/timeline.h>
#include <weft/timer.h>
#include <weft/wait_group.h>
