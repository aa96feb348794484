/* SPDX-License-Identifier: BSD-3-Clause */
/* Terms of rules on their way into an image. For the compiler. One thread at a time. */
#pragma once
#include "base/buf.h"
#include "policy/terms_text.h"

struct sek_terms_writer;

enum sek_err sek_terms_writer_new(struct sek_terms_writer **out, struct sek_diag *diag);
void sek_terms_writer_free(struct sek_terms_writer *w);

/* The number of these terms, the same for the same; 0 for none. text: canonical
 * (sek_terms_to_text). INVALID, NOTFOUND (a time zone) as by sek_terms_from_text; LIMIT past
 * SEK_TERMS_MAX. */
enum sek_err sek_terms_writer_add(struct sek_terms_writer *w, const char *text, size_t len,
                                  uint32_t *out_number, struct sek_diag *diag);

/* Append what sek_termset_read reads; nothing when there are none. */
enum sek_err sek_terms_write(struct sek_terms_writer *w, struct sek_buf *out,
                             struct sek_diag *diag);
