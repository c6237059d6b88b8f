/* SPDX-License-Identifier: BSD-2-Clause */
/* See prepare.h. Nothing here fails: what cannot be helped is libbpf's to refuse. */
#include "prepare.h"

#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include "old_maps.h"

#define STACK_DEPTH 127 /* frames: the kernel's most, unless the administrator says more */
#define PIN_BY_NAME 1	/* the last value of "pinning" that libbpf knows */

/* Is it a function of a section that holds programs? Old compilers did not say that it is one. */
static bool is_program(Elf *elf, const GElf_Sym *symbol)
{
	unsigned type = GELF_ST_TYPE(symbol->st_info);
	GElf_Shdr section;

	return (type == STT_FUNC ||
		(type == STT_NOTYPE && GELF_ST_BIND(symbol->st_info) == STB_GLOBAL)) &&
	       object_file_section(elf, symbol->st_shndx, &section) &&
	       section.sh_type == SHT_PROGBITS && section.sh_flags & SHF_EXECINSTR &&
	       strcmp(object_file_section_name(elf, &section), ".text") != 0;
}

/* From its beginning to the next program of its section, or the section's end. */
static GElf_Xword room_of(Elf *elf, Elf_Data *symbols, const GElf_Sym *program)
{
	GElf_Shdr section = { 0 };
	GElf_Xword end;
	GElf_Sym symbol;

	object_file_section(elf, program->st_shndx, &section);
	end = section.sh_size;
	for (int i = 0; gelf_getsym(symbols, i, &symbol); i++)
		if (symbol.st_shndx == program->st_shndx && symbol.st_value > program->st_value &&
		    symbol.st_value < end && is_program(elf, &symbol))
			end = symbol.st_value;
	return end > program->st_value ? end - program->st_value : 0;
}

static void make_programs_global(Elf *elf, Elf_Data *symbols)
{
	GElf_Sym symbol;

	for (int i = 0; symbols && gelf_getsym(symbols, i, &symbol); i++) {
		if (!is_program(elf, &symbol) || (GELF_ST_BIND(symbol.st_info) != STB_LOCAL &&
						  GELF_ST_TYPE(symbol.st_info) == STT_FUNC))
			continue;
		if (!symbol.st_size)
			symbol.st_size = room_of(elf, symbols, &symbol);
		symbol.st_info = GELF_ST_INFO(STB_GLOBAL, STT_FUNC);
		gelf_update_sym(symbols, i, &symbol);
	}
}

/* The number that a map definition's member stands for; -1: it is none. */
static long member_value(const struct btf *btf, const struct btf_member *member)
{
	const struct btf_type *type = btf__type_by_id(btf, member->type);

	if (!type || !btf_is_ptr(type))
		return -1;
	type = btf__type_by_id(btf, type->type);
	return type && btf_is_array(type) ? (long)btf_array(type)->nelems : -1;
}

/* A definition that says how to pin in a way that libbpf does not know says its type twice. */
static void plain_pinning(struct btf *btf, struct btf_type *definition)
{
	struct btf_member *members = btf_members(definition), *pinning = NULL, *type = NULL;

	for (unsigned i = 0; i < btf_vlen(definition); i++) {
		const char *name = btf__name_by_offset(btf, members[i].name_off);

		if (name && !strcmp(name, "pinning"))
			pinning = &members[i];
		else if (name && !strcmp(name, "type"))
			type = &members[i];
	}
	if (!pinning || !type || member_value(btf, pinning) <= PIN_BY_NAME)
		return;
	pinning->name_off = type->name_off;
	pinning->type = type->type;
}

/* The structures of the variables of section .maps. */
static void plain_definitions(struct btf *btf)
{
	int id = btf__find_by_name_kind(btf, ".maps", BTF_KIND_DATASEC);
	const struct btf_type *section = id > 0 ? btf__type_by_id(btf, (unsigned)id) : NULL;

	for (unsigned i = 0; section && i < btf_vlen(section); i++) {
		const struct btf_type *type =
			btf__type_by_id(btf, btf_var_secinfos(section)[i].type);

		if (type && btf_is_var(type))
			type = btf__type_by_id(btf, type->type);
		while (type && (btf_is_mod(type) || btf_is_typedef(type)))
			type = btf__type_by_id(btf, type->type);
		if (type && btf_is_struct(type))
			plain_pinning(btf, (struct btf_type *)type);
	}
}

static void rewrite_btf(const Elf_Data *data)
{
	struct btf *btf = data ? btf__new(data->d_buf, (unsigned)data->d_size) : NULL;
	const void *raw;
	unsigned size;

	if (!btf)
		return;
	plain_definitions(btf);
	raw = btf__raw_data(btf, &size);
	if (raw && size == data->d_size)
		memcpy(data->d_buf, raw, size);
	btf__free(btf);
}

static void prepare_section(Elf *elf, Elf_Scn *section, GElf_Shdr *header)
{
	const char *name = object_file_section_name(elf, header);

	if (header->sh_type == SHT_SYMTAB) {
		make_programs_global(elf, elf_getdata(section, NULL));
	} else if (header->sh_type == SHT_PROGBITS && !strcmp(name, ".BTF")) {
		rewrite_btf(elf_rawdata(section, NULL));
	} else if (header->sh_type == SHT_REL && !strcmp(name, ".rel.maps")) {
		/* Whom a map refers to from the start is loaded at another time: each program is
		 * judged alone. */
		header->sh_type = SHT_NULL;
		gelf_update_shdr(section, header);
	}
}

void prepare_file(struct object_file *file)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	Elf *elf;

	old_maps_renew(file);
	elf = object_file_elf(file);
	while ((section = elf_nextscn(elf, section)) && gelf_getshdr(section, &header))
		prepare_section(elf, section, &header);
	elf_end(elf);
}

/* What a map without a size gets; 0: maps of this type have none. */
static unsigned least_entries(enum bpf_map_type type)
{
	const char *name = libbpf_bpf_map_type_str(type);

	if (type == BPF_MAP_TYPE_RINGBUF || type == BPF_MAP_TYPE_USER_RINGBUF)
		return (unsigned)getpagesize();
	return type != BPF_MAP_TYPE_STRUCT_OPS && !(name && strstr(name, "storage"));
}

/* libbpf cannot change an inner map's definition (it falls over it), but takes another map. */
static void prepare_inner(struct bpf_map *map, const struct bpf_map *definition,
			  struct inner_maps *inner)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = bpf_map__map_flags(definition));
	enum bpf_map_type type = bpf_map__type(definition);
	bool perf = type == BPF_MAP_TYPE_PERF_EVENT_ARRAY;
	unsigned entries = bpf_map__max_entries(definition), word = sizeof(int);
	int fd;

	if (entries || !least_entries(type) ||
	    inner->count == sizeof(inner->fds) / sizeof(inner->fds[0]))
		return;
	fd = bpf_map_create(type, NULL, perf ? word : bpf_map__key_size(definition),
			    perf ? word : bpf_map__value_size(definition), least_entries(type),
			    &options);
	if (fd < 0)
		return;
	inner->fds[inner->count++] = fd;
	bpf_map__set_inner_map_fd(map, fd);
}

static void prepare_map(struct bpf_map *map, struct inner_maps *inner)
{
	const struct bpf_map *definition = bpf_map__inner_map(map);
	enum bpf_map_type type = bpf_map__type(map);
	unsigned entries = least_entries(type);

	bpf_map__set_pin_path(map, NULL);
	if (definition)
		prepare_inner(map, definition, inner);
	if (type == BPF_MAP_TYPE_PERF_EVENT_ARRAY) {
		bpf_map__set_key_size(map, sizeof(int));
		bpf_map__set_value_size(map, sizeof(int));
	}
	if (type == BPF_MAP_TYPE_STACK_TRACE && !bpf_map__value_size(map))
		bpf_map__set_value_size(map, STACK_DEPTH * sizeof(long long));
	if (!bpf_map__max_entries(map) && entries)
		bpf_map__set_max_entries(map, entries);
}

/* What beginnings of section names mean; of two that fit the one that stands first. */
static const struct {
	const char *begin;
	enum bpf_prog_type type;
	enum bpf_attach_type attach; /* 0: none is needed */
} meanings[] = {
	{ "tcx/ingress", BPF_PROG_TYPE_SCHED_CLS, 0 },
	{ "tcx/egress", BPF_PROG_TYPE_SCHED_CLS, 0 },
	{ "tc", BPF_PROG_TYPE_SCHED_CLS, 0 },
	{ "classifier", BPF_PROG_TYPE_SCHED_CLS, 0 },
	{ "netkit", BPF_PROG_TYPE_SCHED_CLS, 0 },
	{ "action", BPF_PROG_TYPE_SCHED_ACT, 0 },
	{ "xdp", BPF_PROG_TYPE_XDP, 0 },
	{ "socket", BPF_PROG_TYPE_SOCKET_FILTER, 0 },
	{ "kprobe", BPF_PROG_TYPE_KPROBE, 0 },
	{ "kretprobe", BPF_PROG_TYPE_KPROBE, 0 },
	{ "uprobe", BPF_PROG_TYPE_KPROBE, 0 },
	{ "uretprobe", BPF_PROG_TYPE_KPROBE, 0 },
	{ "usdt", BPF_PROG_TYPE_KPROBE, 0 },
	{ "tracepoint", BPF_PROG_TYPE_TRACEPOINT, 0 },
	{ "raw_tracepoint", BPF_PROG_TYPE_RAW_TRACEPOINT, 0 },
	{ "raw_tp", BPF_PROG_TYPE_RAW_TRACEPOINT, 0 },
	{ "perf_event", BPF_PROG_TYPE_PERF_EVENT, 0 },
	{ "sockops", BPF_PROG_TYPE_SOCK_OPS, BPF_CGROUP_SOCK_OPS },
	{ "sk_skb", BPF_PROG_TYPE_SK_SKB, 0 },
	{ "sk_msg", BPF_PROG_TYPE_SK_MSG, BPF_SK_MSG_VERDICT },
	{ "sk_lookup", BPF_PROG_TYPE_SK_LOOKUP, BPF_SK_LOOKUP },
	{ "cgroup/skb", BPF_PROG_TYPE_CGROUP_SKB, 0 },
	{ "cgroup/dev", BPF_PROG_TYPE_CGROUP_DEVICE, BPF_CGROUP_DEVICE },
	{ "cgroup/sock", BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE },
};

/* "2/7": a program that iproute2 puts into slot 7 of the map whose id is 2. */
static bool is_slot(const char *section)
{
	size_t map = strspn(section, "0123456789");

	return map && section[map] == '/' && section[map + 1] &&
	       !section[map + 1 + strspn(section + map + 1, "0123456789abcdefx")];
}

/* Which of the two users of such sections and of sections "from-…" it is, its programs' names say.
 */
static enum bpf_prog_type type_of_slots(const struct bpf_object *object)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, object)
		if (strstr(bpf_program__name(program), "xdp"))
			return BPF_PROG_TYPE_XDP;
	return BPF_PROG_TYPE_SCHED_CLS;
}

static void prepare_program(struct bpf_program *program, enum bpf_prog_type of_slots)
{
	const char *section = bpf_program__section_name(program);

	if (bpf_program__type(program) != BPF_PROG_TYPE_UNSPEC)
		return;
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		if (strncmp(section, meanings[i].begin, strlen(meanings[i].begin)))
			continue;
		bpf_program__set_type(program, meanings[i].type);
		bpf_program__set_expected_attach_type(program, meanings[i].attach);
		return;
	}
	if (is_slot(section) || !strncmp(section, "from-", 5) || !strncmp(section, "to-", 3))
		bpf_program__set_type(program, of_slots);
}

void prepare_object(struct bpf_object *object, struct inner_maps *inner)
{
	struct bpf_program *program;
	struct bpf_map *map;

	bpf_object__for_each_map(map, object)
		prepare_map(map, inner);
	bpf_object__for_each_program(program, object)
		prepare_program(program, type_of_slots(object));
}

void prepare_end(struct inner_maps *inner)
{
	while (inner->count)
		close(inner->fds[--inner->count]);
}
