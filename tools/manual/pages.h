/* SPDX-License-Identifier: BSD-3-Clause */
/* The manual pages that are printed from tables, each as man(7) on standard output. */
#pragma once

void sek_page_commands(void); /* sekisho(8): commands */
void sek_page_settings(void); /* sekisho.yaml(5): settings */
void sek_page_events(void);   /* sekisho-events(5): fields of what `sekisho events` prints */
