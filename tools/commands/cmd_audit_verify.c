/* SPDX-License-Identifier: BSD-3-Clause */
/* Is the audit trail whole? audit verify, and audit seal, which makes what it is held against. */
#include "tools/change/change.h"
#include "tools/command.h"
#include "tools/print/talk.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>
#include "base/banned.h"

SEK_COMMAND(audit_verify);
SEK_COMMAND(audit_seal);

#define PROBLEMS_SHOWN 1000
#define SYSLOG_SOCKET "/dev/log" /* where syslog(3) sends to */

enum { OPT_ANCHOR, OPT_ACCEPT, OPT_REASON, N_OPTS };
const struct sek_arg sek_cmd_audit_verify_args[] = {
    [OPT_ANCHOR] = {"anchor", 'a', SEK_ARG_TEXTS, "NUMBER:HASH",
                    "a row as audit seal printed it once; may be repeated"},
    [OPT_ACCEPT] = {"accept", 0, SEK_ARG_FLAG, NULL,
                    "take what the tables hold as right from now on, by a row of the trail that "
                    "has the problems; needs --reason"},
    [OPT_REASON] = {"reason", 'r', SEK_ARG_TEXT, "TEXT", "why they are accepted"},
    [N_OPTS] = {0},
};
enum { OPT_SYSLOG, N_SEAL };
const struct sek_arg sek_cmd_audit_seal_args[] = {
    [OPT_SYSLOG] = {"syslog", 0, SEK_ARG_FLAG, NULL, "send it to syslog, too (authpriv.notice)"},
    [N_SEAL] = {0},
};

struct problem {
    enum sek_audit_fault fault;
    int64_t number;
    char text[400];
};

/* Kept for later: whoever prints may have to wait for a reader. */
static void keep(void *arg, enum sek_audit_fault fault, int64_t number, const char *text)
{
    struct sek_buf *problems = arg;
    struct problem one = {.fault = fault, .number = number};
    if (problems->len / sizeof one >= PROBLEMS_SHOWN)
        return;
    snprintf(one.text, sizeof one.text, "%s", text);
    sek_buf_add(problems, &one, sizeof one);
}

enum { V_WHOLE, V_ROWS, V_HEAD, V_ANCHORS, V_PROBLEMS, V_COLS };
static const struct sek_col verdict_cols[] = {
    [V_WHOLE] = {"unbroken", "Unbroken", SEK_COL_FLAG},
    [V_ROWS] = {"rows", "Rows", SEK_COL_UINT},
    [V_HEAD] = {"head", "Last row", SEK_COL_TEXT},
    [V_ANCHORS] = {"anchors", "Anchors given", SEK_COL_UINT},
    [V_PROBLEMS] = {"problems", "Problems", SEK_COL_UINT},
};
enum { P_NUMBER, P_TEXT, P_COLS };
static const struct sek_col problem_cols[] = {
    [P_NUMBER] = {"number", "Row", SEK_COL_INT, "-"},
    [P_TEXT] = {"problem", "Problem", SEK_COL_TEXT},
};

static void head_text(const struct sek_audit_anchor *head, char *out, size_t size)
{
    snprintf(out, size, "%" PRId64 ":%s", head->number, head->hash);
}

static void put_verdict(struct sek_context *c, const struct sek_audit_verdict *v,
                        const struct sek_buf *problems)
{
    struct sek_out *o = c->out;
    char head[96];
    head_text(&v->head, head, sizeof head);
    sek_out_begin(o, "sekisho.audit-verify/1", verdict_cols, V_COLS, SEK_OUT_RECORD);
    sek_out_flag(o, V_WHOLE, v->n_problems == 0);
    sek_out_tint(o, V_WHOLE, v->n_problems ? SEK_TINT_BAD : SEK_TINT_GOOD);
    sek_out_uint(o, V_ROWS, v->n_rows);
    sek_out_text(o, V_HEAD, head);
    sek_out_uint(o, V_ANCHORS, (uint64_t)c->opt[OPT_ANCHOR].number);
    sek_out_uint(o, V_PROBLEMS, v->n_problems);
    sek_out_row(o);
    if (v->n_problems == 0 && sek_out_format(o) == SEK_OUT_TABLE && !sek_out_wanted(o))
        return;
    sek_out_part(o, "found", problem_cols, P_COLS, SEK_OUT_ROWS);
    const struct problem *p = (const void *)problems->data;
    for (size_t n = problems->len / sizeof *p; n; n--, p++) {
        if (p->number)
            sek_out_int(o, P_NUMBER, p->number);
        sek_out_text(o, P_TEXT, p->text);
        if (!sek_out_row(o))
            break;
    }
}

static enum sek_err verify(struct sek_context *c, const struct sek_audit_anchor *anchors,
                           unsigned n_anchors, struct sek_audit_verdict *v,
                           struct sek_buf *problems)
{
    const struct sek_conf *conf;
    struct sek_policydb *db = NULL;
    enum sek_err err = sek_change_look(c, &conf, &db);
    if (!err)
        err = sek_audit_verify(db, anchors, n_anchors, keep, problems, v, &c->diag);
    sek_policydb_close(db);
    if (!err && problems->failed)
        err = sek_diag_set(&c->diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    return err;
}

/* A row that has what is wrong with the tables, and takes them as they are. */
static enum sek_err accept_row(struct sek_change *ch, const struct sek_buf *problems)
{
    struct sek_diag *diag = &ch->c->diag;
    struct sek_buf text;
    sek_buf_init(&text, 0);
    const struct problem *p = (const void *)problems->data;
    for (size_t n = problems->len / sizeof *p; n; n--, p++)
        if (p->fault == SEK_AUDIT_TABLES)
            sek_buf_add_fmt(&text, "%s%s", text.len ? "; " : "", p->text);
    ch->act = (struct sek_audit_act){
        .object = "policy.db", .before = text.data, .after = "taken as it is", .as_is = true};
    sek_change_done(ch, "what the tables hold is taken as right from now on");
    enum sek_err err = text.failed
                           ? sek_diag_set(diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM))
                           : sek_change_commit(ch);
    sek_buf_fini(&text);
    return err;
}

static void tell_nothing(const struct sek_audit_verdict *v)
{
    if (v->n_of[SEK_AUDIT_TRAIL])
        sek_talk("nothing to accept: what is wrong is the trail itself");
    else if (v->n_of[SEK_AUDIT_EXCEPTION])
        sek_talk("nothing to accept: an exception that was changed is to be revoked, and asked for "
                 "anew");
    else
        sek_talk("nothing to accept");
}

/* The verdict is the one afterwards: what no row takes back stays told. */
static enum sek_err accept_tables(struct sek_context *c, const struct sek_audit_anchor *anchors,
                                  unsigned n_anchors, struct sek_audit_verdict *v,
                                  struct sek_buf *problems)
{
    struct sek_change ch;
    bool accepts = false;
    enum sek_err err = sek_change_begin(&ch, c, false);
    if (!err)
        err = sek_audit_verify(ch.db, anchors, n_anchors, keep, problems, v, &c->diag);
    if (!err && problems->failed)
        err = sek_diag_set(&c->diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    if (!err && (accepts = v->n_of[SEK_AUDIT_TABLES] > 0))
        err = accept_row(&ch, problems);
    err = sek_change_fini(&ch, err);
    if (err)
        return err;
    if (!accepts) {
        tell_nothing(v);
        return SEK_OK;
    }
    sek_buf_reset(problems);
    return verify(c, anchors, n_anchors, v, problems);
}

enum sek_err sek_cmd_audit_verify(struct sek_context *c)
{
    const char *reason = c->opt[OPT_REASON].text;
    bool accepts = c->opt[OPT_ACCEPT].given;
    if (!accepts && reason)
        return sek_context_usage(c, "--reason goes with --accept");
    if (accepts && (!reason || !reason[strspn(reason, " \t")]))
        return sek_context_usage(c, "--accept: --reason is required: it goes into the audit trail");
    struct sek_audit_anchor anchors[SEK_ARG_REPEATS];
    struct sek_audit_verdict v;
    struct sek_buf problems;
    unsigned n = (unsigned)c->opt[OPT_ANCHOR].number;
    for (unsigned i = 0; i < n; i++)
        if (sek_audit_anchor_read(c->opt[OPT_ANCHOR].texts[i], &anchors[i], &c->diag)) {
            c->exit = SEK_EXIT_USAGE;
            return SEK_E_INVALID;
        }
    sek_buf_init(&problems, 0);
    enum sek_err err = accepts ? accept_tables(c, anchors, n, &v, &problems)
                               : verify(c, anchors, n, &v, &problems);
    if (!err) {
        put_verdict(c, &v, &problems);
        err = sek_out_end(c->out, &c->diag);
    }
    if (!err && v.n_problems > PROBLEMS_SHOWN)
        sek_talk("only the first %d problems", PROBLEMS_SHOWN);
    if (!err && v.n_problems)
        c->exit = SEK_EXIT_ERROR;
    sek_buf_fini(&problems);
    return err;
}

/* --- seal --------------------------------------------------------------------------------------
 */

enum { S_SEAL, S_NUMBER, S_HASH, S_TIME, S_COLS };
static const struct sek_col seal_cols[] = {
    [S_SEAL] = {"seal", "Seal", SEK_COL_TEXT},
    [S_NUMBER] = {"number", "Row", SEK_COL_INT, NULL, 0, SEK_COL_MACHINE},
    [S_HASH] = {"hash", "Hash", SEK_COL_TEXT, NULL, 0, SEK_COL_MACHINE},
    [S_TIME] = {"time", "Time (UTC)", SEK_COL_TIME},
};

static enum sek_err to_syslog(const char *seal, struct sek_diag *diag)
{
    if (access(SYSLOG_SOCKET, W_OK) != 0)
        return sek_diag_set(diag, SEK_E_NOTFOUND,
                            "no syslog here: " SYSLOG_SOCKET " is not there, or not for us; the "
                            "seal is %s",
                            seal);
    openlog("sekisho", LOG_PID, LOG_AUTHPRIV);
    syslog(LOG_NOTICE, "audit seal %s", seal);
    closelog();
    return SEK_OK;
}

enum sek_err sek_cmd_audit_seal(struct sek_context *c)
{
    struct sek_audit_verdict v;
    struct sek_buf problems;
    char seal[96];
    sek_buf_init(&problems, 0);
    enum sek_err err = verify(c, NULL, 0, &v, &problems);
    if (!err && v.n_problems) {
        const struct problem *first = (const void *)problems.data;
        err = sek_diag_set(&c->diag, SEK_E_REFUSED,
                           "nothing to put a seal on: %.300s; see: sekisho audit verify",
                           first->text);
    }
    sek_buf_fini(&problems);
    if (err)
        return err;
    head_text(&v.head, seal, sizeof seal);
    sek_out_begin(c->out, "sekisho.audit-seal/1", seal_cols, S_COLS, SEK_OUT_RECORD);
    sek_out_text(c->out, S_SEAL, seal);
    sek_out_int(c->out, S_NUMBER, v.head.number);
    sek_out_text(c->out, S_HASH, v.head.hash);
    sek_out_int(c->out, S_TIME, c->now_s);
    sek_out_row(c->out);
    err = sek_out_end(c->out, &c->diag);
    return !err && c->opt[OPT_SYSLOG].given ? to_syslog(seal, &c->diag) : err;
}
