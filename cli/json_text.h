/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON is UTF-8; names of files, and what objects contain, are any bytes. */
#ifndef SKEP_CLI_JSON_TEXT_H
#define SKEP_CLI_JSON_TEXT_H

#include <json-c/json.h>

/* text as a JSON string, in which U+FFFD stands for each byte that is not part of a character. */
struct json_object *json_text(const char *text);

#endif
