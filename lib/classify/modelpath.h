/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the installed model is: share/sekisho/dga.model beside the folder that the program or the
 * loaded module lies in (bin/sekisho, lib/sekisho/sekisho.so), or beside one above it. Any thread.
 */
#pragma once
#include "conf/conf.h"
#include <stddef.h>

/* The model of the settings, classify.model; the installed one if that is empty, or conf is NULL.
 * Always gives a path, though there may be no file. Returns out. */
const char *sek_model_path(const struct sek_conf *conf, char *out, size_t size);
/* Any installed file of that name below share/sekisho, found in the same way. Returns out. */
const char *sek_shared_path(const char *name, char *out, size_t size);
