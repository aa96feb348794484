/* SPDX-License-Identifier: BSD-3-Clause */
/* The module's life between init and deinit, and what it keeps for one query. */
#pragma once
#include "apart.h"
#include "runtime/chain.h"
#include "view.h"

/* One per process, made in init; hangs in dynlib's dyn_env, so that nothing of ours is static. */
struct sek_module {
    struct sek_runtime *runtime;              /* NULL: passive, every query passes */
    struct module_env *env;                   /* the daemon's, for its caches; valid until deinit */
    _Atomic(const struct daemon *) daemon;    /* known from the first query on */
    struct sek_apart *apart;                  /* NULL: no memory for it */
    uint8_t soa_rdata[2 * SEK_NAME_MAX + 20]; /* of negative answers */
    size_t soa_rdata_len;
};

/* An alias of a rule's own, and what the query for its target brought (localdata.h). In the memory
 * of the region of the query that waits. */
struct sek_following {
    struct sek_name target;
    struct ub_packed_rrset_key *cname;
    bool done;
    int rcode;
    struct reply_info *rep; /* NULL: nothing */
};

/* What blocks an alias on the way of a question, found in the response that brought it. In the
 * memory of the query's region. */
struct sek_on_way {
    uint64_t epoch; /* of the policy */
    bool final;     /* the rest of the answer has no say (sek_chain_is_final) */
    struct sek_verdict verdict;
    struct sek_matched matched;
};

/* Kept in qstate->minfo[id], memory of the query's region. */
struct sek_query {
    struct sek_name name;            /* the question, folded */
    struct sek_judged judged;        /* the verdict on the question alone */
    struct sek_verdict detected;     /* the same, with what the detectors said when it came */
    struct sek_verdict verdict;      /* the last one, on question or chain */
    int64_t time_ms;                 /* of the verdict */
    struct sek_addr client;          /* who asked first, if has_client */
    bool stream;                     /* that over TCP, TLS or HTTPS */
    struct sek_on_way *on_way;       /* NULL: nothing so far */
    struct sek_following *following; /* its answer is an alias of the rule's own; NULL: no */
    bool has_client;                 /* else it is a query of the resolver's own */
    bool awaited;                    /* that client was neither answered nor recorded yet */
    bool recorded;                   /* its clients' events have been pushed */
    bool kept_out;                   /* no_cache_store is ours, until the next question goes out */
    bool cut;                        /* YXDOMAIN is ours, to end it at a blocked alias */
    bool held;              /* its chain is blocked: nothing of it may be stored any more */
    bool contested;         /* others may not have what this client may */
    bool from_kept;         /* its answer was kept (apart.h) */
    struct sek_zones zones; /* and who serves them */
    uint32_t lived_s;       /* TTL of what on_response gave a lifetime of 0; UINT32_MAX: nothing */
    struct dns_msg *original; /* what a query that waits for this one gets; NULL: the same */
};

/* Never fails for bad policy, database or configuration: the resolver must start. Returns the
 * module, or NULL when there is no memory for it (then everything passes). */
struct sek_module *sek_module_start(struct module_env *env, int id);
void sek_module_stop(struct module_env *env, int id, struct sek_module *m);

static inline struct sek_module *sek_module_of(struct module_qstate *qstate, int id)
{
    return ((struct dynlibmod_env *)qstate->env->modinfo[id])->dyn_env;
}
