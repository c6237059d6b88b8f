/* SPDX-License-Identifier: BSD-2-Clause */
/* What programs read and write of a socket buffer: how a kernel shows it. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "GPL";

#define READ(section, prefix, field)                        \
	SEC(section) int prefix##field(struct __sk_buff *s) \
	{                                                   \
		return s->field & 1;                        \
	}                                                   \
	extern int bpf_declared
#define TC(field)     READ("tc", tc_, field)
#define SOCKET(field) READ("socket", socket_, field)
#define CGROUP(field) READ("cgroup_skb/ingress", cgroup_, field)

TC(len);
TC(pkt_type);
TC(mark);
TC(queue_mapping);
TC(protocol);
TC(vlan_present);
TC(vlan_tci);
TC(vlan_proto);
TC(priority);
TC(ingress_ifindex);
TC(ifindex);
TC(tc_index);
TC(hash);
TC(tc_classid);
TC(napi_id);
TC(wire_len);
TC(gso_segs);
TC(gso_size);
TC(tstamp);
TC(hwtstamp);
TC(tstamp_type);

SOCKET(len);
SOCKET(pkt_type);
SOCKET(mark);
SOCKET(queue_mapping);
SOCKET(protocol);
SOCKET(vlan_tci);
SOCKET(priority);
SOCKET(ingress_ifindex);
SOCKET(ifindex);
SOCKET(hash);

CGROUP(len);
CGROUP(family);
CGROUP(remote_ip4);
CGROUP(local_ip4);
CGROUP(remote_port);
CGROUP(local_port);

SEC("tc") int control_block(struct __sk_buff *s)
{
	s->cb[1] = s->cb[0];
	return 0;
}

SEC("tc") int data(struct __sk_buff *s)
{
	return s->data_end - s->data + s->data - s->data_meta;
}

SEC("tc") int sock(struct __sk_buff *s)
{
	struct bpf_sock *k = s->sk;

	return k ? k->family : 0;
}

SEC("tc") int writes(volatile struct __sk_buff *s)
{
	s->mark = 1;
	s->priority = 2;
	s->queue_mapping = 3;
	s->tc_index = 4;
	s->tc_classid = 5;
	s->tstamp = 7;
	return 0;
}

SEC("tc") int writes_packet(struct __sk_buff *s)
{
	char *d = (void *)(long)s->data, *e = (void *)(long)s->data_end;

	if (d + 8 > e)
		return 0;
	d[2] = 1;
	return 0;
}

SEC("tc") int parts(struct __sk_buff *s)
{
	return *(volatile unsigned char *)&s->len + *((volatile unsigned char *)&s->mark + 2) +
	       *((volatile unsigned short *)&s->protocol);
}

SEC("cgroup_skb/ingress") int addresses(struct __sk_buff *s)
{
	return s->remote_ip6[1] & s->local_ip6[2] & 1;
}

unsigned long long load_byte(void *skb, unsigned long long at) asm("llvm.bpf.load.byte");
unsigned long long load_half(void *skb, unsigned long long at) asm("llvm.bpf.load.half");
unsigned long long load_word(void *skb, unsigned long long at) asm("llvm.bpf.load.word");

SEC("socket") int old_loads(struct __sk_buff *s)
{
	return load_byte(s, 23) + load_half(s, 12) + load_word(s, s->len);
}
