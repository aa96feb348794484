/* SPDX-License-Identifier: BSD-3-Clause */
#include "event/ring.h"
