/* SPDX-License-Identifier: BSD-2-Clause */
/* base/list.h: order, removal while walking, and removal of a node that is in no list. */
#include "base/list.h"

#include "harness/tap.h"

struct item {
	int number;
	struct list link;
};

static int digits(struct list *head)
{
	struct list *node, *next;
	int all = 0;

	list_for_each(node, next, head)
		all = all * 10 + list_entry(node, struct item, link)->number;
	return all;
}

int main(void)
{
	struct list head, *node, *next;
	struct item items[5] = { 0 };

	list_init(&head);
	tap_ok(list_empty(&head) && !list_pop(&head), "an empty list gives nothing");
	for (int i = 0; i < 5; i++) {
		items[i].number = i + 1;
		if (i < 4)
			list_append(&head, &items[i].link);
	}
	list_prepend(&head, &items[4].link);
	tap_is(digits(&head), 51234, "appended and prepended in order");
	list_for_each(node, next, &head) {
		if (list_entry(node, struct item, link)->number % 2 == 0)
			list_remove(node);
	}
	tap_is(digits(&head), 513, "removed while walking");
	list_remove(&items[1].link);
	tap_is(digits(&head), 513, "removing what is in no list changes nothing");
	tap_ok(list_pop(&head) == &items[4].link, "pop takes the first");
	tap_is(digits(&head), 13, "and leaves the rest");
	return tap_done();
}
