/* SPDX-License-Identifier: BSD-3-Clause */
/* Why a name looks machine-made or not, in one line for people. Any thread. */
#pragma once
#include "base/buf.h"
#include "classify/explain.h"
#include "conf/conf.h"

/* Append "97 % machine-made: n-grams +3.1, suffix .top +0.4; like necurs 60 %, locky 20 %": the
 * probability at even odds; what adds to it or takes from it, by stages (natural logarithms of each
 * stage's own sum); families or kinds that it is nearest to. "no label to judge" when there is
 * none. why: of this name, by sek_classify_explain. */
void sek_why_text(const struct sek_name *name, const struct sek_why *why, struct sek_buf *out);
/* Append the last part of it, "necurs 60 %, locky 20 %"; nothing when there is none. */
void sek_why_add_kinds(const struct sek_why *why, struct sek_buf *out);

/* The model of the settings, for commands that explain beside their work: NULL if there is none
 * that can be read. Close with sek_classify_close. */
struct sek_classify *sek_why_model(const struct sek_conf *conf);
