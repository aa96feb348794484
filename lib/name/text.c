/* SPDX-License-Identifier: BSD-3-Clause */
#include "name/text.h"
