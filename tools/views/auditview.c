/* SPDX-License-Identifier: BSD-3-Clause */
#include "auditview.h"
#include <stdlib.h>
#include "base/banned.h"

#define COLUMNS(place)                                                                             \
    {                                                                                              \
        [SEK_AUDITVIEW_NUMBER] = {"number", "Row", SEK_COL_INT},                                   \
        [SEK_AUDITVIEW_TIME] = {"time", "Time (UTC)", SEK_COL_TIME_MS},                            \
        [SEK_AUDITVIEW_USER] = {"user", "User", SEK_COL_TEXT}, [SEK_AUDITVIEW_UID] = {"uid",       \
                                                                                      "  uid",     \
                                                                                      SEK_COL_INT, \
                                                                                      NULL,        \
                                                                                      0,           \
                                                                                      place},      \
        [SEK_AUDITVIEW_ORIGIN] = {"origin", "From", SEK_COL_TEXT},                                 \
        [SEK_AUDITVIEW_VERB] = {"verb", "Did", SEK_COL_TEXT},                                      \
        [SEK_AUDITVIEW_OBJECT] = {"object", "To", SEK_COL_TEXT},                                   \
        [SEK_AUDITVIEW_BEFORE] = {"before", "Before", SEK_COL_TEXT, "not there", 0, place},        \
        [SEK_AUDITVIEW_AFTER] = {"after", "After", SEK_COL_TEXT, "not there", 0, place},           \
        [SEK_AUDITVIEW_REASON] = {"reason", "Reason", SEK_COL_TEXT},                               \
        [SEK_AUDITVIEW_COMMAND] = {"command", "Command", SEK_COL_TEXT, NULL, 0, place},            \
        [SEK_AUDITVIEW_UNDOES] = {"undoes", "Takes back", SEK_COL_INT, NULL, 0, SEK_COL_FILLED},   \
        [SEK_AUDITVIEW_UNDONE] = {"undone_by", "Undone by", SEK_COL_INT, NULL, 0, SEK_COL_FILLED}, \
        [SEK_AUDITVIEW_N_CHANGES] = {"changes", "Changes", SEK_COL_INT, NULL, 0, place},           \
        [SEK_AUDITVIEW_CAN_UNDO] = {"data_kept", "  kept for undo", SEK_COL_FLAG, NULL, 0, place}, \
        [SEK_AUDITVIEW_CHANGES] =                                                                  \
            {"changes_sha256", "  their SHA-256", SEK_COL_TEXT, NULL, 0, place},                   \
        [SEK_AUDITVIEW_PREVIOUS] = {"previous", "Hash before", SEK_COL_TEXT, NULL, 0, place},      \
        [SEK_AUDITVIEW_HASH] = {"hash", "Hash", SEK_COL_TEXT, NULL, 0, place},                     \
    }

static const struct sek_col rows[] = COLUMNS(SEK_COL_MACHINE);
static const struct sek_col record[] = COLUMNS(SEK_COL_BOTH);

const struct sek_col *sek_auditview_cols(bool as_record)
{
    return as_record ? record : rows;
}

void sek_auditview_put(struct sek_out *o, const struct sek_audit_row *row)
{
    sek_out_int(o, SEK_AUDITVIEW_NUMBER, row->number);
    sek_out_int(o, SEK_AUDITVIEW_TIME, row->time_ms);
    sek_out_text(o, SEK_AUDITVIEW_USER, row->user);
    sek_out_int(o, SEK_AUDITVIEW_UID, row->uid);
    sek_out_text(o, SEK_AUDITVIEW_ORIGIN, row->origin);
    sek_out_text(o, SEK_AUDITVIEW_VERB, row->verb);
    sek_out_text(o, SEK_AUDITVIEW_OBJECT, row->object);
    sek_out_text(o, SEK_AUDITVIEW_BEFORE, row->before);
    sek_out_text(o, SEK_AUDITVIEW_AFTER, row->after);
    sek_out_text(o, SEK_AUDITVIEW_REASON, row->reason);
    sek_out_text(o, SEK_AUDITVIEW_COMMAND, row->command);
    if (row->undoes)
        sek_out_int(o, SEK_AUDITVIEW_UNDOES, row->undoes);
    if (row->undone_by)
        sek_out_int(o, SEK_AUDITVIEW_UNDONE, row->undone_by);
    sek_out_int(o, SEK_AUDITVIEW_N_CHANGES, row->n_changes);
    sek_out_flag(o, SEK_AUDITVIEW_CAN_UNDO, row->kept);
    sek_out_text(o, SEK_AUDITVIEW_CHANGES, row->changes);
    sek_out_text(o, SEK_AUDITVIEW_PREVIOUS, row->previous);
    sek_out_text(o, SEK_AUDITVIEW_HASH, row->hash);
}

enum sek_err sek_auditview_number(struct sek_context *c, const char *text, int64_t *out)
{
    char *end;
    *out = strtoll(text, &end, 10);
    if (*end || end == text || *out <= 0)
        return sek_context_usage(c, "\"%.100s\" is no row's number, see: sekisho audit", text);
    return SEK_OK;
}
