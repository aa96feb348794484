/* SPDX-License-Identifier: BSD-3-Clause */
#include "modelfile.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/banned.h"

#define BELOW "share/sekisho/dga.model"

const char *sek_modelfile_path(char *out, size_t size)
{
    char exe[400];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

    exe[n > 0 ? n : 0] = '\0';
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(exe, '/');

        if (slash)
            *slash = '\0';
        else
            snprintf(exe, sizeof(exe), "/usr");
    }
    snprintf(out, size, "%s/%s", exe, BELOW);
    return out;
}
