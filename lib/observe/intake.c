/* SPDX-License-Identifier: BSD-3-Clause */
#include "observe/intake.h"
#include "base/file.h"
#include "observe/logtime.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "base/banned.h"

#define SLICE_LINES 5000 /* about 10 ms */
#define RETRY_S 60

const char *sek_intake_path(const char *store, char out[SEK_INTAKE_PATH_MAX])
{
    snprintf(out, SEK_INTAKE_PATH_MAX, "%s.import", store);
    return out;
}

void sek_intake_init(struct sek_intake *in, const char *store)
{
    *in = (struct sek_intake){.file = NULL};
    if (store)
        sek_intake_path(store, in->path);
}

void sek_intake_fini(struct sek_intake *in)
{
    if (in->file)
        fclose(in->file);
    in->file = NULL;
}

/* 0: there is none. */
static int open_file(struct sek_intake *in, int64_t now_s, struct sek_diag *diag)
{
    int fd;

    bool back = in->next_s > now_s + RETRY_S; /* somebody set the clock */
    if (!in->path[0] || (now_s < in->next_s && !back))
        return 0;
    in->next_s = now_s + 1;
    if (access(in->path, F_OK) != 0)
        return 0;
    enum sek_err err = sek_file_open_regular(in->path, &fd, diag);
    if (err)
        return err == SEK_E_NOTFOUND ? 0 : (int)err;
    in->file = fdopen(fd, "r");
    if (!in->file) {
        close(fd);
        return (int)sek_diag_set(diag, SEK_E_NOMEM, "%s: out of memory", in->path);
    }
    in->n = in->n_bad = in->n_overflow = 0;
    in->since_s = 0;
    return 1;
}

static void take_line(struct sek_intake *in, struct sek_domains *d, const char *line)
{
    struct sek_sighting s;
    const char *since = line + strlen(SEK_SIGHTING_SINCE);

    if (strncmp(line, SEK_SIGHTING_SINCE, strlen(SEK_SIGHTING_SINCE)) == 0) {
        if (!sek_logtime_take(&since, 0, &in->since_s))
            in->n_bad++;
        return;
    }
    if (*line == '#' || !*line)
        return;
    if (sek_sighting_from_text(line, &s, NULL) != SEK_OK)
        in->n_bad++;
    else if (sek_sighting_note(d, &s))
        in->n++;
    else
        in->n_overflow++;
}

/* False at the end of the file, or where reading fails. */
static bool take_slice(struct sek_intake *in, struct sek_domains *d)
{
    char line[SEK_SIGHTING_LINE_MAX];

    for (int i = 0; i < SLICE_LINES; i++) {
        if (!fgets(line, sizeof line, in->file))
            return false;
        line[strcspn(line, "\n")] = '\0';
        take_line(in, d, line);
    }
    return true;
}

/* All lines are noted: written first, then removed. */
static int finish(struct sek_intake *in, struct sek_domains *d, int64_t now_s,
                  struct sek_diag *diag)
{
    if (in->since_s)
        sek_domains_set_since(d, in->since_s);
    enum sek_err err = sek_domains_sync(d, now_s, diag);
    if (!err && unlink(in->path) != 0 && errno != ENOENT)
        err = sek_diag_set(diag, sek_err_from_errno(errno), "%s: cannot remove: %s", in->path,
                           strerrordesc_np(errno));
    sek_intake_fini(in);
    if (!err)
        return 1;
    in->next_s = now_s + RETRY_S;
    return (int)err;
}

int sek_intake_step(struct sek_intake *in, struct sek_domains *d, int64_t now_s,
                    struct sek_diag *diag)
{
    if (!in->file) {
        int opened = open_file(in, now_s, diag);
        if (opened < 0)
            in->next_s = now_s + RETRY_S;
        if (opened <= 0)
            return opened;
    }
    return take_slice(in, d) ? 0 : finish(in, d, now_s, diag);
}
