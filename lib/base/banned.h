/* SPDX-License-Identifier: BSD-3-Clause */
/* Functions that this project does not call: unbounded, locale-bound or not thread-safe.
 * Included last in every .c file of lib/ and tools/ (checked by tests/lint/banned.sh). */
#pragma once
#pragma GCC poison strcpy strcat sprintf vsprintf gets strtok strncpy strncat
#pragma GCC poison localtime gmtime ctime asctime atoi atol atof tmpnam mktemp
