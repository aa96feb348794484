/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows of the audit trail in reports: the columns and their cells, and a row's number as an
 * argument. One thread. */
#pragma once
#include "tools/context.h"
#include "store/audit.h"

enum {
    SEK_AUDITVIEW_NUMBER,
    SEK_AUDITVIEW_TIME,
    SEK_AUDITVIEW_USER,
    SEK_AUDITVIEW_UID,
    SEK_AUDITVIEW_ORIGIN,
    SEK_AUDITVIEW_VERB,
    SEK_AUDITVIEW_OBJECT,
    SEK_AUDITVIEW_BEFORE,
    SEK_AUDITVIEW_AFTER,
    SEK_AUDITVIEW_REASON,
    SEK_AUDITVIEW_COMMAND,
    SEK_AUDITVIEW_UNDOES,
    SEK_AUDITVIEW_UNDONE,
    SEK_AUDITVIEW_N_CHANGES,
    SEK_AUDITVIEW_CAN_UNDO,
    SEK_AUDITVIEW_CHANGES,
    SEK_AUDITVIEW_PREVIOUS,
    SEK_AUDITVIEW_HASH,
    SEK_AUDITVIEW_COLS
};
/* record: all of a row for people; else only what tells rows apart. */
const struct sek_col *sek_auditview_cols(bool record);
/* The cells of a row; the caller ends it. */
void sek_auditview_put(struct sek_out *o, const struct sek_audit_row *row);
/* "12" as a row's number; wrong use otherwise. */
enum sek_err sek_auditview_number(struct sek_context *c, const char *text, int64_t *out);
