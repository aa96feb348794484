/* SPDX-License-Identifier: BSD-3-Clause */
#include "state.h"
#include "answer.h"
#include "hooks.h"
#include "host.h"
#include "log.h"
#include "purge.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *conf_path(void)
{
    const char *path = getenv("SEKISHO_CONF");
    return path && path[0] ? path : SEK_CONF_PATH;
}

/* The module must be the left-most: an outer module stores our synthetic answers in its own cache
 * and serves them to everybody, also after the block has ended. */
static bool place_is_right(const struct module_env *env, int id)
{
    const char *modules = env->cfg->module_conf ? env->cfg->module_conf : "";
    if (id == 0)
        return true;
    char line[300];
    snprintf(
        line, sizeof line,
        "module-config \"%.150s\": dynlib must stand first; every query passes unfiltered until "
        "it does",
        modules);
    sek_log_say(NULL, true, line);
    return false;
}

/* The settings, or the defaults where there is no file. False: a damaged file, told; stay passive.
 */
static bool conf_read(struct sek_conf *conf)
{
    struct sek_diag diag = {0};
    enum sek_err err = sek_conf_load(conf_path(), conf, &diag);
    if (err == SEK_E_NOTFOUND && !getenv("SEKISHO_CONF"))
        err = sek_conf_init(conf, &diag);
    if (err == SEK_OK)
        return true;
    char line[700];
    snprintf(line, sizeof line,
             "%s; every query passes unfiltered until it is mended (`sekisho check`) and Unbound "
             "reloaded",
             diag.text);
    sek_log_say(NULL, true, line);
    return false;
}

struct sek_module *sek_module_start(struct module_env *env, int id)
{
    struct sek_module *m = calloc(1, sizeof *m);
    if (!m) {
        sek_log_say(NULL, true, "out of memory; every query passes unfiltered");
        return NULL;
    }
    m->env = env;
    struct sek_conf conf;
    if (!place_is_right(env, id) || !conf_read(&conf))
        return m;
    unsigned n_workers = env->cfg->num_threads > 0 ? (unsigned)env->cfg->num_threads : 1;
    /* several workers share their descriptors among themselves: there is nothing to gain */
    const struct sek_runtime_hooks hooks = {
        .arg = m, .purge = sek_purge, .say = sek_log_say, .own_descriptors = n_workers == 1};
    struct sek_diag diag = {0};
    if (sek_runtime_start(&conf, n_workers, sek_host_version(), &hooks, &m->runtime, &diag) !=
        SEK_OK) {
        char line[700];
        snprintf(line, sizeof line, "%s; every query passes unfiltered", diag.text);
        sek_log_say(NULL, true, line);
        return m;
    }
    sek_answer_prepare(m);
    m->apart = sek_apart_new(env->cfg->msg_cache_size);
    if (!sek_hooks_register(env, id, m)) {
        sek_log_say(NULL, true, "callbacks refused by Unbound; every query passes unfiltered");
        sek_runtime_stop(m->runtime);
        m->runtime = NULL;
    }
    return m;
}

void sek_module_stop(struct module_env *env, int id, struct sek_module *m)
{
    if (!m)
        return;
    if (m->runtime)
        sek_hooks_unregister(env, id);
    sek_runtime_stop(m->runtime);
    sek_apart_free(m->apart);
    free(m);
}
