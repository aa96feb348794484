/* SPDX-License-Identifier: BSD-3-Clause */
/* The audit trail read: audit, audit show, audit export. */
#include "tools/views/auditview.h"
#include "tools/change/change.h"
#include "tools/command.h"
#include "store/pseudonym.h"
#include "tools/views/machines.h"
#include "tools/print/talk.h"
#include "tools/print/veil.h"
#include "tools/change/audited.h"
#include "tools/roles.h"
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

SEK_COMMAND(audit);
SEK_COMMAND(audit_show);
SEK_COMMAND(audit_export);

#define LIMIT_DEFAULT 100 /* rows */

enum { OPT_SINCE, OPT_UNTIL, OPT_USER, OPT_OBJECT, OPT_VERB, OPT_LIMIT, N_OPTS };
const struct sek_arg sek_cmd_audit_args[] = {
    [OPT_SINCE] = {"since", 's', SEK_ARG_TIME, "TIME", "from then on: 2h, today, 2026-11-23"},
    [OPT_UNTIL] = {"until", 'u', SEK_ARG_TIME, "TIME", "before then"},
    [OPT_USER] = {"user", 0, SEK_ARG_TEXT, "NAME", "of this user only"},
    [OPT_OBJECT] = {"object", 'o', SEK_ARG_TEXT, "TEXT",
                    "that changed what has this in its name: a domain, a list, an address"},
    [OPT_VERB] = {"verb", 0, SEK_ARG_TEXT, "WORDS", "by this command only: block, 'list import'"},
    [OPT_LIMIT] = {"limit", 0, SEK_ARG_NUMBER, "N", "at most so many rows; default 100, 0 = all",
                   NULL, 0, UINT32_MAX - 1},
    [N_OPTS] = {0},
};

enum { SHOW_LIMIT, N_SHOW };
const struct sek_arg sek_cmd_audit_show_args[] = {
    [SHOW_LIMIT] = {"limit", 0, SEK_ARG_NUMBER, "N",
                    "at most so many of its changes; default 100, 0 = all", NULL, 0,
                    UINT32_MAX - 1},
    [N_SHOW] = {0},
};

enum { EXPORT_FROM, EXPORT_ADDRESSES, EXPORT_REASON, N_EXPORT };
const struct sek_arg sek_cmd_audit_export_args[] = {
    [EXPORT_FROM] = {"from", 0, SEK_ARG_NUMBER, "NUMBER", "from this row on; default the first",
                     NULL, 1, INT64_MAX},
    [EXPORT_ADDRESSES] = {"addresses", 0, SEK_ARG_FLAG, NULL,
                          "the endpoints of privacy.groups, too, for who verifies the rows; needs "
                          "--reason, and leaves a row itself"},
    [EXPORT_REASON] = {"reason", 'r', SEK_ARG_TEXT, "TEXT",
                       "why addresses are exported, for the audit trail"},
    [N_EXPORT] = {0},
};

/* What runs through a report: counts, so that a cut one can be told. */
struct run {
    struct sek_out *out;
    uint64_t n, limit;
    bool cut;
};

static bool has_room(struct run *r)
{
    r->cut = r->limit && r->n >= r->limit;
    r->n++;
    return !r->cut;
}

static bool put_row(void *arg, const struct sek_audit_row *row)
{
    struct run *r = arg;
    if (!has_room(r))
        return false;
    sek_auditview_put(r->out, row);
    return sek_out_row(r->out);
}

static enum sek_err end(struct sek_context *c, enum sek_err err)
{
    struct sek_diag unused;
    enum sek_err end_err = sek_out_end(c->out, err ? &unused : &c->diag);
    return err ? err : end_err;
}

static void tell_cut(const struct run *r, bool given)
{
    if (r->cut && !given)
        sek_talk("only the first %d; --limit 0 shows all", LIMIT_DEFAULT);
}

/* --- list --------------------------------------------------------------------------------------
 */

/* The address behind a pseudonym, as the trail has it; of a forgotten endpoint it has the
 * pseudonym.
 */
static const char *endpoint_or(struct sek_context *c, const char *text, char out[SEK_ADDR_TEXT_MAX])
{
    struct sek_addr addr;
    bool known = text && sek_pseudonym_is(text) &&
                 sek_machines_address(c, "--object", text, &addr) == SEK_OK;
    c->diag = (struct sek_diag){0};
    c->exit = SEK_EXIT_OK;
    return known ? sek_addr_to_text(&addr, out) : text;
}

enum sek_err sek_cmd_audit(struct sek_context *c)
{
    const struct sek_arg_value *opt = c->opt;
    char address[SEK_ADDR_TEXT_MAX];
    struct sek_audit_filter filter = {.since_ms = opt[OPT_SINCE].number * 1000,
                                      .until_ms = opt[OPT_UNTIL].number * 1000,
                                      .user = opt[OPT_USER].text,
                                      .object = opt[OPT_OBJECT].text,
                                      .verb = opt[OPT_VERB].text};
    struct run r = {.out = c->out, .limit = LIMIT_DEFAULT};
    const struct sek_conf *conf;
    struct sek_policydb *db = NULL;
    if (c->n_args && strcmp(c->args[0], "list") != 0) {
        char words[128];
        snprintf(words, sizeof words, "audit %.60s", c->args[0]);
        c->exit = SEK_EXIT_USAGE;
        return sek_command_unknown(words, &c->diag);
    }
    if (opt[OPT_LIMIT].given)
        r.limit = (uint64_t)opt[OPT_LIMIT].number;
    enum sek_err err = sek_change_look(c, &conf, &db);
    if (err)
        return err;
    filter.object = endpoint_or(c, filter.object, address);
    sek_out_begin(c->out, "sekisho.audit/1", sek_auditview_cols(false), SEK_AUDITVIEW_COLS,
                  SEK_OUT_ROWS);
    err = end(c, sek_audit_rows(db, &filter, put_row, &r, &c->diag));
    sek_policydb_close(db);
    if (!err && r.n == 0)
        return sek_context_none(c, "no rows in the audit trail%s",
                                filter.since_ms || filter.until_ms || filter.user ||
                                        filter.object || filter.verb
                                    ? " are like that"
                                    : " yet");
    if (!err)
        tell_cut(&r, opt[OPT_LIMIT].given);
    return err;
}

/* --- show --------------------------------------------------------------------------------------
 */

enum { I_OBJECT, I_BEFORE, I_AFTER, I_COLS };
static const struct sek_col item_cols[] = {
    [I_OBJECT] = {"object", "Changed", SEK_COL_TEXT},
    [I_BEFORE] = {"before", "Before", SEK_COL_TEXT, "not there"},
    [I_AFTER] = {"after", "After", SEK_COL_TEXT, "not there"},
};

static bool put_item(void *arg, const struct sek_audit_item *item)
{
    struct run *r = arg;
    if (!has_room(r))
        return false;
    sek_out_text(r->out, I_OBJECT, item->object);
    sek_out_text(r->out, I_BEFORE, *item->before ? item->before : NULL);
    sek_out_text(r->out, I_AFTER, *item->after ? item->after : NULL);
    return sek_out_row(r->out);
}

static bool put_record(void *arg, const struct sek_audit_row *row)
{
    struct run *r = arg;
    r->n++;
    sek_auditview_put(r->out, row);
    return sek_out_row(r->out);
}

static enum sek_err show(struct sek_context *c, struct sek_policydb *db, int64_t number)
{
    struct run row = {.out = c->out}, items = {.out = c->out, .limit = LIMIT_DEFAULT};
    if (c->opt[SHOW_LIMIT].given)
        items.limit = (uint64_t)c->opt[SHOW_LIMIT].number;
    sek_out_begin(c->out, "sekisho.audit-row/1", sek_auditview_cols(true), SEK_AUDITVIEW_COLS,
                  SEK_OUT_RECORD);
    enum sek_err err = sek_audit_rows(db, &(struct sek_audit_filter){.number = number}, put_record,
                                      &row, &c->diag);
    if (!err && (row.n || sek_out_wanted(c->out))) {
        sek_out_part(c->out, "changed", item_cols, I_COLS, SEK_OUT_ROWS);
        err = sek_audit_items(db, number, put_item, &items, &c->diag);
        if (err == SEK_E_NOTFOUND)
            err = SEK_OK;
    }
    err = end(c, err);
    if (!err && !row.n)
        return sek_context_none(c, "the audit trail has no row %lld", (long long)number);
    if (!err)
        tell_cut(&items, c->opt[SHOW_LIMIT].given);
    return err;
}

enum sek_err sek_cmd_audit_show(struct sek_context *c)
{
    const struct sek_conf *conf;
    struct sek_policydb *db = NULL;
    int64_t number;
    enum sek_err err = sek_auditview_number(c, c->args[0], &number);
    if (!err)
        err = sek_change_look(c, &conf, &db);
    if (!err)
        err = show(c, db, number);
    sek_policydb_close(db);
    return err;
}

/* --- export ------------------------------------------------------------------------------------
 */

/* In the order in which they are hashed, numbers as numbers: who verifies it needs no more. */
enum {
    X_PREVIOUS,
    X_NUMBER,
    X_TIME,
    X_USER,
    X_UID,
    X_ORIGIN,
    X_COMMAND,
    X_VERB,
    X_OBJECT,
    X_BEFORE,
    X_AFTER,
    X_REASON,
    X_UNDOES,
    X_N_CHANGES,
    X_CHANGES,
    X_HASH,
    X_STATE,
    X_COLS
};
static const struct sek_col export_cols[] = {
    [X_PREVIOUS] = {"previous", "previous", SEK_COL_TEXT},
    [X_NUMBER] = {"number", "number", SEK_COL_INT},
    [X_TIME] = {"time_ms", "time_ms", SEK_COL_INT},
    [X_USER] = {"user", "user", SEK_COL_TEXT},
    [X_UID] = {"uid", "uid", SEK_COL_INT},
    [X_ORIGIN] = {"origin", "origin", SEK_COL_TEXT},
    [X_COMMAND] = {"command", "command", SEK_COL_TEXT},
    [X_VERB] = {"verb", "verb", SEK_COL_TEXT},
    [X_OBJECT] = {"object", "object", SEK_COL_TEXT},
    [X_BEFORE] = {"before", "before", SEK_COL_TEXT},
    [X_AFTER] = {"after", "after", SEK_COL_TEXT},
    [X_REASON] = {"reason", "reason", SEK_COL_TEXT},
    [X_UNDOES] = {"undoes", "undoes", SEK_COL_INT},
    [X_N_CHANGES] = {"n_changes", "n_changes", SEK_COL_INT},
    [X_CHANGES] = {"changes", "changes", SEK_COL_TEXT},
    [X_HASH] = {"hash", "hash", SEK_COL_TEXT},
    [X_STATE] = {"state", "state", SEK_COL_TEXT},
};

static bool put_export(void *arg, const struct sek_audit_row *row)
{
    struct run *r = arg;
    struct sek_out *o = r->out;
    sek_out_text(o, X_PREVIOUS, row->previous);
    sek_out_int(o, X_NUMBER, row->number);
    sek_out_int(o, X_TIME, row->time_ms);
    sek_out_text(o, X_USER, row->user);
    sek_out_int(o, X_UID, row->uid);
    sek_out_text(o, X_ORIGIN, row->origin);
    sek_out_text(o, X_COMMAND, row->command);
    sek_out_text(o, X_VERB, row->verb);
    sek_out_text(o, X_OBJECT, row->object);
    sek_out_text(o, X_BEFORE, row->before);
    sek_out_text(o, X_AFTER, row->after);
    sek_out_text(o, X_REASON, row->reason);
    sek_out_int(o, X_UNDOES, row->undoes);
    sek_out_int(o, X_N_CHANGES, row->n_changes);
    sek_out_text(o, X_CHANGES, row->changes);
    sek_out_text(o, X_HASH, row->hash);
    sek_out_text(o, X_STATE, row->state);
    r->n++;
    return sek_out_row(o);
}

/* What is hidden is not what was hashed: who verifies the rows outside has to have the addresses,
 * and the trail says who took them. */
static enum sek_err unveil(struct sek_context *c, const struct sek_conf *conf)
{
    const char *reason = c->opt[EXPORT_REASON].text;
    if (!reason || !reason[strspn(reason, " \t")])
        return sek_context_usage(c,
                                 "--addresses: --reason is required: it goes into the audit trail");
    enum sek_err err = sek_roles_admit_writer(c);
    if (!err)
        err = sek_audited_record(c, conf,
                                 &(struct sek_audit_act){.object = "audit trail",
                                                         .before = "",
                                                         .after = "exported with addresses"});
    if (!err)
        sek_veil_set(NULL, NULL);
    return err;
}

/* A table would cut and fold what is to be verified: JSON lines then. */
static enum sek_err out_as_lines(struct sek_context *c)
{
    const struct sek_out_style style = {.format = SEK_OUT_JSONL, .part = sek_out_wanted(c->out)};
    struct sek_out *lines = NULL;
    enum sek_err err = sek_out_new(stdout, &style, &lines);
    if (err)
        return sek_diag_set(&c->diag, err, "%s", sek_err_text(err));
    sek_out_free(c->out);
    c->out = lines;
    return SEK_OK;
}

enum sek_err sek_cmd_audit_export(struct sek_context *c)
{
    const struct sek_conf *conf;
    struct sek_policydb *db = NULL;
    struct run r = {0};
    if (c->opt[EXPORT_REASON].given && !c->opt[EXPORT_ADDRESSES].given)
        return sek_context_usage(c, "--reason goes with --addresses");
    enum sek_err err = sek_change_look(c, &conf, &db);
    bool veiled = !err && *conf->privacy.groups && !c->opt[EXPORT_ADDRESSES].given;
    if (!err && *conf->privacy.groups && !veiled)
        err = unveil(c, conf);
    if (!err && sek_out_format(c->out) == SEK_OUT_TABLE)
        err = out_as_lines(c);
    r.out = c->out;
    if (!err) {
        const struct sek_audit_filter filter = {.from = c->opt[EXPORT_FROM].number,
                                                .oldest_first = true};
        sek_out_begin(r.out, "sekisho.audit-export/1", export_cols, X_COLS, SEK_OUT_ROWS);
        err = end(c, sek_audit_rows(db, &filter, put_export, &r, &c->diag));
    }
    sek_policydb_close(db);
    if (!err && r.n == 0)
        return sek_context_none(c, "no rows to export");
    if (!err && veiled)
        sek_talk("endpoints of privacy.groups are hidden: rows that name them can be verified with "
                 "--addresses only");
    return err;
}
