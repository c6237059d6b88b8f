/* SPDX-License-Identifier: BSD-2-Clause */
/* Iterators over the hive's maps, programs and links, by id; and what programs see of these. */
#include "sys/iter.h"

#include <string.h>

static void stop(struct iter_session *session)
{
	session->current = object_unref(session->current);
}

/* The object with the smallest id at or above the cursor. */
static bool find(struct iter_session *session, enum object_kind kind)
{
	struct object_table *objects = session->hive->objects;
	u32 id = session->next_id ? session->next_id - 1 : 0;

	stop(session);
	while ((id = object_next_id(objects, kind, id))) {
		session->current = object_by_id(objects, kind, id);
		if (!session->current)
			continue;
		session->next_id = id;
		return true;
	}
	return false;
}

static bool find_next(struct iter_session *session, enum object_kind kind)
{
	session->next_id++;
	return find(session, kind);
}

static bool map_start(struct iter_session *session)
{
	return find(session, OBJECT_MAP);
}

static bool map_next(struct iter_session *session)
{
	return find_next(session, OBJECT_MAP);
}

static bool prog_start(struct iter_session *session)
{
	return find(session, OBJECT_PROG);
}

static bool prog_next(struct iter_session *session)
{
	return find_next(session, OBJECT_PROG);
}

static bool link_start(struct iter_session *session)
{
	return find(session, OBJECT_LINK);
}

static bool link_next(struct iter_session *session)
{
	return find_next(session, OBJECT_LINK);
}

void *iter_model_btf(struct sys_hive *hive, const struct sys_btf *btf)
{
	struct model *model = hive->model;
	void *image = btf ? model_object(model, "btf") : NULL;

	model_set(model, image, MODEL_BTF_ID, btf ? btf->object.id : 0);
	model_set(model, image, MODEL_BTF_KERNEL, btf && btf->kernel);
	return image;
}

void *iter_model_map(struct sys_hive *hive, const struct sys_map *map)
{
	struct model *model = hive->model;
	void *image = model_object(model, "bpf_map");
	const struct rt_map *rt = map->rt;

	model_set(model, image, MODEL_MAP_ID, map->object.id);
	model_set_bytes(model, image, MODEL_MAP_NAME, rt->name, sizeof(rt->name));
	model_set(model, image, MODEL_MAP_TYPE, rt->type);
	model_set(model, image, MODEL_MAP_KEY_SIZE, rt->key_size);
	model_set(model, image, MODEL_MAP_VALUE_SIZE, rt->value_size);
	model_set(model, image, MODEL_MAP_MAX_ENTRIES, sys_map_max_entries(map));
	model_set(model, image, MODEL_MAP_FLAGS, rt->flags);
	model_set(model, image, MODEL_MAP_EXTRA, rt->map_extra);
	model_set(model, image, MODEL_MAP_NUMA_NODE, (u64)-1);
	model_set(model, image, MODEL_MAP_KEY_TYPE, map->btf_key_type_id);
	model_set(model, image, MODEL_MAP_VALUE_TYPE, map->btf_value_type_id);
	model_set_pointer(model, image, MODEL_MAP_BTF, iter_model_btf(hive, map->btf));
	model_set(model, image, MODEL_MAP_REFS, map->object.references);
	model_set(model, image, MODEL_MAP_USERS, map->object.users);
	model_set(model, image, MODEL_MAP_FROZEN, map->frozen);
	return image;
}

static void *model_aux(struct sys_hive *hive, const struct sys_prog *prog, void *image)
{
	struct model *model = hive->model;
	void *aux = model_object(model, "bpf_prog_aux"), *user = model_object(model, "user_struct");
	const char *target = sys_prog_tracepoint(prog);

	if (!target && prog->attach_btf_id && hive->kernel_btf)
		target = btf_type_name(hive->kernel_btf->btf, prog->attach_btf_id);
	model_set(model, aux, MODEL_AUX_ID, prog->object.id);
	model_set_bytes(model, aux, MODEL_AUX_NAME, prog->name, sizeof(prog->name));
	model_set_pointer(model, aux, MODEL_AUX_PROG, image);
	model_set_pointer(model, aux, MODEL_AUX_BTF, iter_model_btf(hive, prog->btf));
	model_set(model, aux, MODEL_AUX_REFS, prog->object.references);
	model_set(model, aux, MODEL_AUX_LOAD_TIME, prog->load_time_ns);
	model_set(model, aux, MODEL_AUX_USED_MAPS, prog->nr_maps);
	model_set(model, aux, MODEL_AUX_FUNC_INFOS, prog->nr_func_info);
	model_set(model, aux, MODEL_AUX_FUNCS, prog->rt->nr_subprogs);
	model_set(model, aux, MODEL_AUX_VERIFIED, prog->verified_insns);
	model_set(model, aux, MODEL_AUX_CTX, prog->max_ctx_offset);
	model_set(model, aux, MODEL_AUX_ATTACH_BTF_ID, prog->attach_btf_id);
	if (target)
		model_set_pointer(model, aux, MODEL_AUX_ATTACH_NAME,
				  model_bytes(model, target, strlen(target) + 1));
	model_set(model, user, MODEL_USER_UID, prog->object.uid);
	model_set_pointer(model, aux, MODEL_AUX_USER, user);
	return aux;
}

void *iter_model_prog(struct sys_hive *hive, const struct sys_prog *prog)
{
	struct model *model = hive->model;
	void *image = model_object(model, "bpf_prog");

	model_set(model, image, MODEL_PROG_TYPE, prog->type);
	model_set(model, image, MODEL_PROG_ATTACH_TYPE, prog->expected_attach_type);
	model_set(model, image, MODEL_PROG_LEN, prog->rt->nr_insns);
	model_set_bytes(model, image, MODEL_PROG_TAG, prog->tag, sizeof(prog->tag));
	model_set(model, image, MODEL_PROG_GPL, prog->gpl_compatible);
	model_set(model, image, MODEL_PROG_SLEEPABLE, !!(prog->flags & BPF_F_SLEEPABLE));
	model_set_pointer(model, image, MODEL_PROG_AUX, model_aux(hive, prog, image));
	return image;
}

void *iter_model_link(struct sys_hive *hive, const struct sys_link *link)
{
	struct model *model = hive->model;
	void *image = model_object(model, "bpf_link");

	model_set(model, image, MODEL_LINK_ID, link->object.id);
	model_set(model, image, MODEL_LINK_TYPE, link->type);
	model_set(model, image, MODEL_LINK_REFS, link->object.references);
	if (link->prog) {
		model_set(model, image, MODEL_LINK_ATTACH_TYPE, link->prog->expected_attach_type);
		model_set_pointer(model, image, MODEL_LINK_PROG, iter_model_prog(hive, link->prog));
	}
	return image;
}

static void map_build(struct iter_session *session, u64 *ctx)
{
	if (session->current)
		ctx[0] = (u64)iter_model_map(session->hive, sys_map_of(session->current));
}

static void prog_build(struct iter_session *session, u64 *ctx)
{
	if (session->current)
		ctx[0] = (u64)iter_model_prog(session->hive, sys_prog_of(session->current));
}

static void link_build(struct iter_session *session, u64 *ctx)
{
	struct sys_link *link;

	if (!session->current)
		return;
	link = container_of(session->current, struct sys_link, object);
	ctx[0] = (u64)iter_model_link(session->hive, link);
}

const struct iter_ops iter_map_ops = {
	.start = map_start, .next = map_next, .stop = stop, .close = stop, .build = map_build
};
const struct iter_ops iter_prog_ops = {
	.start = prog_start, .next = prog_next, .stop = stop, .close = stop, .build = prog_build
};
const struct iter_ops iter_link_ops = {
	.start = link_start, .next = link_next, .stop = stop, .close = stop, .build = link_build
};
