/* SPDX-License-Identifier: BSD-3-Clause */
/* Unbound's inplace callbacks: what a query that never reaches operate() shows of itself, and the
 * one place where an answer can be kept out of the cache. None can change or stop an answer. */
#pragma once
#include "state.h"

/* Returns false if Unbound refuses one; then none is registered. */
bool sek_hooks_register(struct module_env *env, int id, struct sek_module *m);
void sek_hooks_unregister(struct module_env *env, int id);
