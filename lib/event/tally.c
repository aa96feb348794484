/* SPDX-License-Identifier: BSD-3-Clause */
#include "event/tally.h"
