/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/runtime.h"
