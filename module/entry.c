/* SPDX-License-Identifier: BSD-3-Clause */
/* The six functions that Unbound's dynlib looks up. In a program that the module was not built for
 * they touch nothing of Unbound's and pass every query on (host.h). */
#include "host.h"
#include "localdata.h"
#include "log.h"
#include "operate.h"
#include "state.h"
#include <stdio.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT int init(struct module_env *env, int id);
EXPORT void deinit(struct module_env *env, int id);
EXPORT void operate(struct module_qstate *qstate, enum module_ev event, int id,
                    struct outbound_entry *outbound);
EXPORT void inform_super(struct module_qstate *qstate, int id, struct module_qstate *super);
EXPORT void clear(struct module_qstate *qstate, int id);
EXPORT size_t get_mem(struct module_env *env, int id);

static bool foreign; /* set by init, before any worker runs */

static void foreign_tell(void)
{
    char id[160], line[400];
    snprintf(
        line, sizeof line,
        "built for another Unbound (%s) than the running one (build-id %s): passive, every query "
        "passes unfiltered; rebuild the module for this Unbound (`sekisho check` shows both)",
        sek_host_version(), sek_host_build_id(id, sizeof id)[0] ? id : "none");
    sek_log_say(NULL, true, line);
    if (!sek_host_find_passer())
        sek_log_say(NULL, true,
                    "and it has no way to pass queries on: remove dynlib from "
                    "module-config");
}

int init(struct module_env *env, int id)
{
    foreign = !sek_host_is_ours();
    if (foreign)
        foreign_tell();
    else
        ((struct dynlibmod_env *)env->modinfo[id])->dyn_env = sek_module_start(env, id);
    return 1; /* 0 would end the resolver, on reload too */
}

void deinit(struct module_env *env, int id)
{
    if (foreign)
        return;
    struct dynlibmod_env *dynlib = env->modinfo[id];
    sek_module_stop(env, id, dynlib->dyn_env);
    dynlib->dyn_env = NULL;
}

void operate(struct module_qstate *qstate, enum module_ev event, int id,
             struct outbound_entry *outbound)
{
    if (foreign)
        sek_host_pass(qstate, (int)event, id, outbound);
    else
        sek_operate(qstate, event, id);
}

void inform_super(struct module_qstate *qstate, int id, struct module_qstate *super)
{
    if (foreign)
        sek_host_inform(qstate, id, super);
    else
        sek_localdata_inform(qstate, super, id);
}

void clear(struct module_qstate *qstate, int id)
{
    if (foreign)
        sek_host_clear(qstate, id);
    else
        sek_operate_clear(qstate, id);
}

size_t get_mem(struct module_env *env, int id)
{
    (void)env;
    (void)id;
    return 0; /* Unbound adds its own bookkeeping; ours is on the status page */
}
