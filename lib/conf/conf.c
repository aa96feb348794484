/* SPDX-License-Identifier: BSD-3-Clause */
#include "conf/conf.h"
#include "base/file.h"
#include "conf/conffile.h"
#include "conf/options.h"
#include "conf/value.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/banned.h"

enum sek_err sek_conf_init(struct sek_conf *conf, struct sek_diag *diag)
{
    memset(conf, 0, sizeof(*conf));
    for (const struct sek_option *o = sek_options; o->key; o++) {
        enum sek_err err;

        if (o->kind == SEK_OPT_NAMES) /* the default of a list is the empty one */
            continue;
        err = sek__value_set(o, o->fallback, strlen(o->fallback), conf, diag);
        if (err != SEK_OK) {
            sek_diag_wrap(diag, "default of %s", o->key);
            sek_conf_fini(conf);
            return err;
        }
    }
    return SEK_OK;
}

enum sek_err sek_conf_load(const char *path, struct sek_conf *conf, struct sek_diag *diag)
{
    struct sek_buf text;
    enum sek_err err;
    int fd;

    memset(conf, 0, sizeof(*conf));
    err = sek_file_open_trusted(path, &fd, diag);
    if (err != SEK_OK)
        return err;
    sek_buf_init(&text, SEK_CONF_FILE_MAX);
    err = sek_file_read(fd, &text, diag);
    close(fd);
    if (err == SEK_OK)
        err = sek_conf_parse(text.data ? text.data : "", text.len, path, conf, diag);
    else
        sek_diag_wrap(diag, "%s", path);
    sek_buf_fini(&text);
    return err;
}

enum sek_err sek_conf_parse(const char *text, size_t len, const char *label, struct sek_conf *conf,
                            struct sek_diag *diag)
{
    enum sek_err err = sek_conf_init(conf, diag);

    if (err == SEK_OK)
        err = sek__conffile_read(text, len, label, conf, diag);
    if (err != SEK_OK)
        sek_conf_fini(conf);
    return err;
}

void sek_conf_fini(struct sek_conf *conf)
{
    for (const struct sek_option *o = sek_options; o->key; o++)
        sek__value_clear(o, conf);
    memset(conf, 0, sizeof(*conf));
}

static void print_help(const struct sek_option *o, struct sek_buf *out)
{
    char allowed[SEK_OPTION_ALLOWED_MAX];

    sek_buf_add_fmt(out, "\n  # %s.\n  # Allowed: %s.\n", o->help,
                    sek_option_allowed(o, allowed, sizeof(allowed)));
}

void sek_conf_print(const struct sek_conf *conf, bool with_help, struct sek_buf *out)
{
    const char *group = "";
    size_t n_group = 0;

    if (with_help)
        sek_buf_add_text(out,
                         "# Settings of Sekisho. A setting that is left out has its default; an "
                         "unknown one is an error.\n"
                         "# \"sekisho check\" reads this file with the resolver's own code.\n");
    for (const struct sek_option *o = sek_options; o->key; o++) {
        const char *dot = strchr(o->key, '.');

        if ((size_t)(dot - o->key) != n_group || strncmp(group, o->key, n_group) != 0) {
            group = o->key;
            n_group = (size_t)(dot - o->key);
            sek_buf_add_fmt(out, "%s%.*s:\n", with_help ? "\n" : "", (int)n_group, group);
        }
        if (with_help)
            print_help(o, out);
        sek_buf_add_fmt(out, "  %s:", dot + 1);
        sek__value_print_yaml(o, conf, out);
    }
}

enum sek_err sek_conf_get(const struct sek_conf *conf, const char *key, struct sek_buf *out)
{
    const struct sek_option *o = sek_option_find(key);

    if (!o)
        return SEK_E_NOTFOUND;
    sek__value_print(o, conf, out);
    return SEK_OK;
}

static const char *beside_events(const struct sek_conf *conf, const char *name,
                                 char out[SEK_CONF_PATH_MAX])
{
    const char *db = conf->events.db, *slash = strrchr(db, '/');

    snprintf(out, SEK_CONF_PATH_MAX, "%.*s/%s", slash ? (int)(slash - db) : 0, db, name);
    return out;
}

const char *sek_conf_domains_file(const struct sek_conf *conf, char out[SEK_CONF_PATH_MAX])
{
    if (!*conf->domains.file)
        return beside_events(conf, "domains.seen", out);
    snprintf(out, SEK_CONF_PATH_MAX, "%s", conf->domains.file);
    return out;
}

const char *sek_conf_detectors_file(const struct sek_conf *conf, char out[SEK_CONF_PATH_MAX])
{
    return beside_events(conf, "detectors.state", out);
}
