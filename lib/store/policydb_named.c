/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/policydb_named.h"
#include "store/policydb_parts.h"
#include <string.h>
#include "base/banned.h"

/* Octets, or words with a blank between two. */
static const char statement[] =
    "SELECT subject FROM endpoint_span WHERE length(subject) = 16"
    " UNION ALL SELECT net FROM member WHERE bits = 128"
    " UNION ALL SELECT endpoint FROM dismissal UNION ALL SELECT endpoint FROM triage"
    " UNION ALL SELECT value FROM incident_subject WHERE kind = 1"
    " UNION ALL SELECT endpoints FROM exception WHERE endpoints <> ''";

static bool words(const char *text, sek_named_fn *fn, void *arg)
{
    char word[SEK_NET_TEXT_MAX];
    struct sek_net net;
    for (size_t n; *(text += strspn(text, " ")); text += n) {
        n = strcspn(text, " ");
        if (n >= sizeof word)
            continue;
        memcpy(word, text, n);
        word[n] = '\0';
        if (sek_net_from_text(word, &net, NULL) == SEK_OK && net.bits == 128 && !fn(arg, &net.addr))
            return false;
    }
    return true;
}

static bool take(sqlite3_stmt *stmt, sek_named_fn *fn, void *arg)
{
    struct sek_addr addr;
    const char *text;
    if (sqlite3_column_type(stmt, 0) != SQLITE_BLOB) {
        text = (const char *)sqlite3_column_text(stmt, 0);
        return !text || words(text, fn, arg);
    }
    if (sqlite3_column_bytes(stmt, 0) != sizeof addr.octets)
        return true;
    memcpy(addr.octets, sqlite3_column_blob(stmt, 0), sizeof addr.octets);
    return fn(arg, &addr);
}

enum sek_err sek_policydb_named(struct sek_policydb *db, sek_named_fn *fn, void *arg,
                                struct sek_diag *diag)
{
    sqlite3_stmt *stmt = NULL;
    enum sek_err err = sek_sql_prepare(db->db, statement, &stmt, diag);
    int rc = SQLITE_DONE;
    while (!err && (rc = sqlite3_step(stmt)) == SQLITE_ROW && take(stmt, fn, arg))
        ;
    if (!err && rc != SQLITE_ROW && rc != SQLITE_DONE)
        err = sek__policydb_fail(db, rc, diag);
    sqlite3_finalize(stmt);
    return err;
}
