/* SPDX-License-Identifier: BSD-3-Clause */
/* Text of unknown origin within HTML, and charts as inline SVG. Any thread. */
#pragma once
#include "bulletin/paper.h"

/* Append as text of an element or of a quoted attribute: what HTML reads as its own becomes a
 * reference (HTML Living Standard §13.1.4), what deceives a reader (control characters,
 * bidirectional and invisible marks, octets that are no UTF-8) an escape that can be seen. */
void sek_html_add(struct sek_buf *b, const char *text);

/* Heights of a bar chart: the number at its top, a round one that is at least `most` (least 1). */
uint64_t sek_chart_top(uint64_t most);
/* Append hits over time as a figure, its numbers not included: bars of blocked and other hits, a
 * line of the period before, labels in HTML so that they stay readable at any width. */
void sek_chart_steps(const struct sek_paper *p, struct sek_buf *out);
/* Append a bar of that share (0..1) of its cell's width; `blocked` of the width, its first part, is
 * in the colour of what was blocked. */
void sek_chart_bar(struct sek_buf *out, double share, double blocked);
