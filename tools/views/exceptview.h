/* SPDX-License-Identifier: BSD-3-Clause */
/* Exceptions as rows of reports. One thread. */
#pragma once
#include "store/exceptions.h"
#include "tools/context.h"

/* Begin a report of exceptions on c->out, with the settings loaded. */
void sek_except_view_begin(struct sek_context *c, const char *schema);
/* The same as a part of a page. */
void sek_except_view_part(struct sek_context *c, const char *key);
/* Set and end one row; false: stop. */
bool sek_except_view_row(struct sek_context *c, const struct sek_exception *e);
/* One as a record, with all that is known of it. */
void sek_except_view_record(struct sek_context *c, const struct sek_exception *e);
/* What nobody may overlook, on standard error: emergencies without a review. Says nothing where
 * there are none, or where policy.db cannot be read. */
void sek_except_shout(const struct sek_exceptions_sum *sum);
/* The same at the head of every report; nothing where this command is none, or policy.db cannot be
 * read by whoever runs it. */
void sek_except_shout_in_report(struct sek_context *c);
