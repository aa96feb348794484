/* SPDX-License-Identifier: BSD-3-Clause */
#include "conf/options.h"
