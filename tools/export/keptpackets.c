/* SPDX-License-Identifier: BSD-3-Clause */
#include "keptpackets.h"
#include "replay/excerpt.h"
#include "tools/caller.h"
#include "tools/print/talk.h"
#include "tools/views/machines.h"
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/banned.h"

/* --- files -------------------------------------------------------------------------------------
 */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* An empty one is a capture that its writer has not begun. */
static enum sek_err add_file(struct sek_kept_packets *k, const char *path, int64_t since_s)
{
    struct stat st;
    bool is_there = stat(path, &st) == 0; /* else the command will say why */
    if (is_there && (!S_ISREG(st.st_mode) || st.st_size == 0))
        return SEK_OK;
    if (is_there && st.st_mtime < since_s) {
        k->n_older++;
        return SEK_OK;
    }
    k->files[k->n_files] = strdup(path);
    return k->files[k->n_files++] ? SEK_OK : SEK_E_NOMEM;
}

/* More than one pattern may name the same file. */
static enum sek_err add_files(struct sek_kept_packets *k, const glob_t *found, int64_t since_s)
{
    enum sek_err e = SEK_OK;
    char **paths = calloc(found->gl_pathc + 1, sizeof *paths);
    k->files = calloc(found->gl_pathc + 1, sizeof *k->files);
    if (!paths || !k->files)
        e = SEK_E_NOMEM;
    for (size_t i = 0; !e && i < found->gl_pathc; i++)
        paths[i] = found->gl_pathv[i];
    if (!e)
        qsort(paths, found->gl_pathc, sizeof *paths, by_name);
    for (size_t i = 0; !e && i < found->gl_pathc; i++)
        if (i == 0 || strcmp(paths[i], paths[i - 1]) != 0)
            e = add_file(k, paths[i], since_s);
    free(paths);
    return e;
}

/* Packets cannot be shown by pseudonyms: whoever wants them all the same says so. */
static bool would_reveal(struct sek_context *c)
{
    if (!*c->conf.privacy.groups)
        return false;
    sek_talk(
        "packets are left out: they show addresses that privacy.groups hides; --packets %.200s "
        "takes them in",
        c->conf.incident.packets);
    return true;
}

static enum sek_err find_all(struct sek_kept_packets *k, const char *const *patterns, unsigned n,
                             bool must_be, int64_t since_s)
{
    glob_t found = {0};
    enum sek_err e = SEK_OK;
    for (unsigned i = 0; !e && i < n; i++) {
        int res = glob(patterns[i], GLOB_BRACE | (i ? GLOB_APPEND : 0), NULL, &found);
        if (res == GLOB_NOSPACE)
            e = SEK_E_NOMEM;
        else if (res && must_be)
            e = sek_context_usage(k->c, "--packets: there is no file %.300s", patterns[i]);
        sek_buf_add_fmt(&k->named, "%s%s", i ? " " : "", patterns[i]);
    }
    if (!e)
        e = add_files(k, &found, since_s);
    globfree(&found);
    return e == SEK_E_NOMEM ? sek_diag_set(&k->c->diag, e, "out of memory") : e;
}

enum sek_err sek_kept_packets_find(struct sek_kept_packets *k, struct sek_context *c,
                                   const struct sek_arg_value *named, int64_t since_s)
{
    const char *pattern = c->conf.incident.packets;
    *k = (struct sek_kept_packets){.c = c};
    sek_buf_init(&k->named, 0);
    sek_buf_init(&k->endpoints, 0);
    sek_buf_init(&k->domains, 0);
    if (named->given) {
        sek_caller_begin();
        enum sek_err e = find_all(k, named->texts, (unsigned)named->number, true, since_s);
        sek_caller_end();
        return e;
    }
    if (!*pattern || would_reveal(c))
        return SEK_OK;
    return find_all(k, &pattern, 1, false, since_s);
}

bool sek_kept_packets_are_sites(const struct sek_conf *conf, const char *path)
{
    glob_t found = {0};
    bool is = false;
    if (!*conf->incident.packets || *conf->privacy.groups)
        return false;
    if (glob(conf->incident.packets, GLOB_BRACE, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++)
            is |= strcmp(found.gl_pathv[i], path) == 0;
    globfree(&found);
    return is;
}

void sek_kept_packets_fini(struct sek_kept_packets *k)
{
    for (unsigned i = 0; i < k->n_files; i++)
        free(k->files[i]);
    free(k->files);
    sek_buf_fini(&k->named);
    sek_buf_fini(&k->endpoints);
    sek_buf_fini(&k->domains);
}

/* --- subjects ----------------------------------------------------------------------------------
 */

static bool any_span(void *arg, const struct sek_span *span)
{
    (void)arg, (void)span;
    return false;
}

/* Whether the command will know it: the inventory may have lost a machine since. */
static bool is_known(struct sek_context *c, const char *endpoint)
{
    struct sek_addr addr;
    enum sek_exit before = c->exit;
    bool known = sek_addr_from_text(endpoint, &addr, NULL) == SEK_OK ||
                 sek_machines_spans(c, "--packets", endpoint, any_span, NULL) == SEK_OK;
    if (!known)
        sek_talk("%s; its packets are left out", c->diag.text);
    c->exit = before;
    c->diag = (struct sek_diag){0};
    return known;
}

void sek_kept_packets_about(struct sek_kept_packets *k, const struct sek_incident_subject *s)
{
    if (k->n_files == 0)
        return;
    if (s->kind == SEK_INCIDENT_DOMAIN)
        sek_buf_add(&k->domains, s, sizeof *s);
    else if (is_known(k->c, s->value))
        sek_buf_add(&k->endpoints, s, sizeof *s);
}

/* --- evidence ----------------------------------------------------------------------------------
 */

/* A command's words. */
struct line {
    const char *words[SEK_EVIDENCE_WORDS + 1];
    unsigned n;
};

static void add(struct line *l, const char *word)
{
    if (l->n < SEK_EVIDENCE_WORDS)
        l->words[l->n++] = word;
}

/* As many as an option may be given, from the first-th on. */
static void add_subjects(struct line *l, const char *option, const struct sek_buf *subjects,
                         size_t first)
{
    const struct sek_incident_subject *all = (const void *)subjects->data;
    size_t n = subjects->len / sizeof *all;
    for (size_t i = first; i < n && i < first + SEK_ARG_REPEATS; i++) {
        add(l, option);
        add(l, all[i].value);
    }
}

static enum sek_err collect_from(struct sek_kept_packets *k, struct sek_evidence *e,
                                 const char *path, struct line *l)
{
    char file[64], about[512];
    bool kept, is_sites = sek_kept_packets_are_sites(&k->c->conf, path);
    if (!is_sites)
        sek_caller_begin();
    const char *suffix = sek_excerpt_suffix(path);
    if (!is_sites)
        sek_caller_end();
    snprintf(file, sizeof file, "packets-%u%s", k->n_kept + 1, suffix ? suffix : ".pcap");
    snprintf(about, sizeof about,
             "DNS packets of the incident's endpoints and about its domains, out of %.400s.", path);
    add(l, "--");
    add(l, path);
    enum sek_err err = sek_evidence_run_for_any(e, file, about, l->words, &kept, &k->c->diag);
    k->n_kept += !err && kept;
    return err;
}

/* A file, as often as it takes for all subjects. */
static enum sek_err collect_file(struct sek_kept_packets *k, struct sek_evidence *e,
                                 const char *path, const char *since, const char *until)
{
    size_t n = (k->endpoints.len > k->domains.len ? k->endpoints.len : k->domains.len) /
               sizeof(struct sek_incident_subject);
    enum sek_err err = SEK_OK;
    for (size_t first = 0; !err && first < n; first += SEK_ARG_REPEATS) {
        struct line l = {.n = 0};
        add(&l, "packets");
        add(&l, "--either");
        add(&l, "--since");
        add(&l, since);
        add(&l, "--until");
        add(&l, until);
        add_subjects(&l, "--endpoint", &k->endpoints, first);
        add_subjects(&l, "--domain", &k->domains, first);
        err = collect_from(k, e, path, &l);
    }
    return err;
}

enum sek_err sek_kept_packets_collect(struct sek_kept_packets *k, struct sek_evidence *e,
                                      const char *since, const char *until)
{
    enum sek_err err = SEK_OK;
    struct sek_buf text;
    if (k->endpoints.failed || k->domains.failed || k->named.failed)
        return sek_diag_set(&k->c->diag, SEK_E_NOMEM, "out of memory");
    for (unsigned i = 0; !err && i < k->n_files; i++)
        err = collect_file(k, e, k->files[i], since, until);
    if (err || k->named.len == 0)
        return err;
    sek_buf_init(&text, 0);
    sek_buf_add_fmt(&text,
                    "Out of captures and dnstap files that the site keeps (%s): of %u that were "
                    "looked through, %u files were taken; %u were last written before the period. "
                    "Read them with tcpdump -nr or Wireshark, dnstap with dnstap-read.",
                    k->named.data, k->n_files, k->n_kept, k->n_older);
    sek_evidence_note(e, "packets-*", text.failed ? "" : text.data);
    sek_buf_fini(&text);
    return SEK_OK;
}
