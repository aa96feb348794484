/* SPDX-License-Identifier: BSD-3-Clause */
/* The tests of `sekisho check`: is what the module needs there, whole, and open to the resolver's
 * user? One table of tests in diagnose.c; each test adds findings, one line each. One thread. */
#pragma once
#include "tools/context.h"
#include "rights.h"
#include "unboundconf.h"

/* What is examined. Paths NULL: not known, then their tests say so. */
struct sek_diagnose {
    struct sek_context *c;
    const struct sek_conf *conf;
    const char *module;       /* sekisho.so */
    const char *unbound;      /* the program that is to load it */
    const char *unbound_conf; /* its configuration */
    const char *apparmor;     /* folder of profiles */
    bool apparmor_asked;      /* named by the user: judge it also where AppArmor is not active */
    const char *user;         /* the resolver's */
    struct sek_unboundconf uc;
    bool have_uc, have_rights;
    struct sek_rights rights;
    unsigned n_fail, n_warn;
};

enum sek_level { SEK_LEVEL_OK, SEK_LEVEL_WARN, SEK_LEVEL_FAIL };

/* Begin the report; sek_out_end is the caller's. */
void sek_diagnose_begin(struct sek_context *c);
/* One finding. what: the thing examined; advice: what to do, "" for none; then the finding itself.
 */
void sek_diagnose_say(struct sek_diagnose *d, enum sek_level level, const char *what,
                      const char *advice, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
/* Module, program, its configuration, folders, AppArmor. conf must be set. */
void sek_diagnose_installation(struct sek_diagnose *d);
