/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A doubly linked ring: the head and every member embed a struct list. A node that is in no list
 * points to itself (or is zeroed), so list_remove() may be called on any node any number of times.
 */
#ifndef SKEP_BASE_LIST_H
#define SKEP_BASE_LIST_H

#include "base/types.h"

struct list {
	struct list *next, *prev;
};

static inline void list_init(struct list *node)
{
	node->next = node->prev = node;
}

static inline bool list_empty(const struct list *head)
{
	return !head->next || head->next == head;
}

/* node, which is in no list, becomes the last one. head must be initialised. */
static inline void list_append(struct list *head, struct list *node)
{
	node->prev = head->prev;
	node->next = head;
	head->prev->next = node;
	head->prev = node;
}

/* node, which is in no list, becomes the first one. */
static inline void list_prepend(struct list *head, struct list *node)
{
	list_append(head->next, node);
}

static inline void list_remove(struct list *node)
{
	if (node->next) {
		node->next->prev = node->prev;
		node->prev->next = node->next;
	}
	list_init(node);
}

/* The structure around a node. */
#define list_entry(node, type, member) container_of(node, type, member)

/* Removes and returns the first node, or NULL. */
static inline struct list *list_pop(struct list *head)
{
	struct list *first = head->next;

	if (list_empty(head))
		return NULL;
	list_remove(first);
	return first;
}

/* node may be removed in the body; next_ is a spare struct list pointer. */
#define list_for_each(node, next_, head)                                      \
	for ((node) = (head)->next, (next_) = (node)->next; (node) != (head); \
	     (node) = (next_), (next_) = (node)->next)

#endif
