/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/eventsdb.h"
