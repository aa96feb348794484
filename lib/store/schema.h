/* SPDX-License-Identifier: BSD-3-Clause */
/* The tables of events.db, as the writer and the reports share them. Any thread. */
#pragma once
#include "name/text.h"
#include "store/sql.h"

extern const struct sek_sql_schema sek_events_schema;

/* A name's text with its labels in reverse order ("example.www" for www.example): the names below
 * one are those whose path starts with its path and a dot, which an index finds. wire must be a
 * valid name. out holds SEK_NAME_TEXT_MAX. Returns the length. */
size_t sek_name_to_path(const uint8_t *wire, char *out);
