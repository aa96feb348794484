/* SPDX-License-Identifier: BSD-3-Clause */
/* What paper.c and sheets.c share; nobody else includes this. */
#pragma once
#include "bulletin/paper.h"

/* Begin a sheet; its title, intro and text for none come from the catalogue. */
struct sek_sheet *sek__paper_sheet(struct sek_paper *p, const char *key);
void sek__paper_col(struct sek_paper *p, struct sek_sheet *s, const char *key,
                    enum sek_sheet_kind kind, enum sek_sheet_place place);
/* The next cell, row by row. */
void sek__paper_text(struct sek_paper *p, struct sek_sheet *s, const char *text);
void sek__paper_count(struct sek_sheet *s, uint64_t n);
void sek__paper_count_if(struct sek_sheet *s, bool known, uint64_t n); /* else not set */
void sek__paper_share(struct sek_sheet *s, uint64_t n, uint64_t of);   /* of 0: not set */
void sek__paper_real(struct sek_sheet *s, double share);
void sek__paper_time(struct sek_sheet *s, int64_t time_s); /* 0: not set */
void sek__paper_flag(struct sek_sheet *s, bool yes);

/* Is the column for people, and is there anything in it? */
bool sek__sheet_shows(const struct sek_sheet *s, unsigned col);

/* sheets.c: all sheets of the audience */
void sek__paper_sheets(struct sek_paper *p);
