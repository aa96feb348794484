/* SPDX-License-Identifier: BSD-3-Clause */
#include "classify/modelpath.h"
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/banned.h"

#define BELOW "share/sekisho"
#define FOLDERS_UP 4

/* The file that this code was loaded from: the module, else the running program. */
static void own_file(char out[PATH_MAX])
{
    static const char here; /* any address of ours */
    Dl_info info;

    if (dladdr(&here, &info) && info.dli_fname && info.dli_fname[0] == '/' &&
        realpath(info.dli_fname, out))
        return;
    ssize_t n = readlink("/proc/self/exe", out, PATH_MAX - 1);
    out[n > 0 ? n : 0] = '\0';
}

const char *sek_shared_path(const char *name, char *out, size_t size)
{
    char folder[PATH_MAX];

    own_file(folder);
    for (int up = 0; up < FOLDERS_UP; up++) {
        char *slash = strrchr(folder, '/');

        if (!slash)
            break;
        *slash = '\0';
        int n = snprintf(out, size, "%s/" BELOW "/%s", folder, name);
        if (n > 0 && (size_t)n < size && access(out, R_OK) == 0)
            return out;
    }
    snprintf(out, size, "/usr/local/" BELOW "/%s", name);
    return out;
}

const char *sek_model_path(const struct sek_conf *conf, char *out, size_t size)
{
    if (!conf || !*conf->classify.model)
        return sek_shared_path("dga.model", out, size);
    snprintf(out, size, "%s", conf->classify.model);
    return out;
}
