/* SPDX-License-Identifier: BSD-3-Clause */
/* Events as text. Whatever a name, reason or command line holds, an event is one line, and valid in
 * its format: JSON (RFC 8259), CEF's escapes, RFC 5424's. One thread. */
#pragma once
#include "mapping.h"

/* PRI of RFC 5424 is 8 × facility and a severity; 16 is local0. */
#define SEK_SIEM_FACILITY 16
/* SD-ID needs a number of IANA's (RFC 5424 §7.2.2); this one is for documentation (RFC 5612). */
#define SEK_SIEM_SD_ID "sekisho@32473"

/* Append an event as one line, with its end. */
void sek_siem_add(enum sek_siem_format format, const struct sek_siem_event *e, struct sek_buf *b);
/* The head of a syslog message (RFC 5424 §6.2) up to and with the blank before its text, without
 * structured data: for formats that have none. */
void sek_siem_add_head(const struct sek_siem_event *e, struct sek_buf *b);
/* A text within CEF: its head escapes | and \, its extension = and \. */
void sek_siem_add_cef(struct sek_buf *b, const char *text, bool head);
/* A value of structured data: ", \ and ] are escaped (RFC 5424 §6.3.3). */
void sek_siem_add_param(struct sek_buf *b, const char *text);
