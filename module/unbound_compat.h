/* SPDX-License-Identifier: BSD-3-Clause */
/* Unbound's headers, and the differences between its versions 1.17.1 to 1.26, in one place. The
 * tree that UNBOUND_SRC names must be configured as the Unbound that will load the module was:
 * layouts depend on its config.h. */
#pragma once
#include "config.h"

/* Unbound's headers are not written for our warnings. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wstrict-prototypes"
#include "daemon/daemon.h"
#include "daemon/worker.h"
#include "dynlibmod/dynlibmod.h"
#include "services/cache/dns.h"
#include "services/cache/rrset.h"
#include "services/mesh.h"
#include "sldns/rrdef.h"
#include "util/config_file.h"
#include "util/data/dname.h"
#include "util/data/msgparse.h"
#include "util/data/msgreply.h"
#include "util/data/packed_rrset.h"
#include "util/log.h"
#include "util/module.h"
#include "util/net_help.h"
#include "util/netevent.h"
#include "util/regional.h"
#include "util/storage/lruhash.h"
#include "util/storage/slabhash.h"
#pragma GCC diagnostic pop

#ifdef THREADS_DISABLED
#error "this Unbound was built without threads: a module with threads of its own cannot run in it"
#endif
/* Take one of Unbound's locks that spin, unless somebody has it. */
static inline bool sek_compat_lock_try(lock_quick_type *lock)
{
#if defined(ENABLE_LOCK_CHECKS)
    lock_quick_lock(lock);
    return true;
#elif defined(HAVE_PTHREAD_SPINLOCK_T)
    return pthread_spin_trylock(lock) == 0;
#else
    return pthread_mutex_trylock(lock) == 0;
#endif
}
/* Store the records of a response in the cache, but no message. */
static inline void sek_compat_store_records(struct module_qstate *qstate,
                                            const struct dns_msg *response)
{
    struct query_info qinfo = response->qinfo;
    dns_cache_store(qstate->env, &qinfo, response->rep, 1 /* as a referral */, 0, 0, NULL,
                    qstate->query_flags, qstate->qstarttime);
}
#ifdef malloc /* Unbound built with --enable-alloc-checks renames these */
#undef malloc
#undef calloc
#undef realloc
#undef free
#undef strdup
#endif
