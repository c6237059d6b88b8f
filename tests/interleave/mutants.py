#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
mutants.py SOURCE BUILD [PART]: does the exploration notice what it is for? Breaks the lock-free cores in one place after the
other, explores each of the broken ones, and expects that something is found wrong with it. PART is a part of the names of
the files to be broken, or of what is missed then.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

# file, what stands there, what to put in its place, what is missed then
MUTANTS = [
    ('map/hash.h', r'return hash_bucket_version\(HASH_LOAD\(bucket->head_version\)\) == hash_bucket_version\(word\);',
     'return true;', 'a lookup does not look at the version again'),
    ('map/hash_slot.c', r'hash_bucket_set\(bucket, head, hash_bucket_version\(word\) \+ 1\)',
     'hash_bucket_set(bucket, head, hash_bucket_version(word))', 'a removal leaves the version'),
    ('map/hash_slot.c', r'(case HASH_OP_DELETE:.*?)HASH_STORE\(slot->cell, old\);', r'\1', 'a deleted element is forgotten'),
    ('map/hash_slot.c', r'HASH_STORE\(slot->pop, first\);\s*HASH_STORE\(slot->cell, first\);\s*list_drop_first\(map, list, first\);',
     'list_drop_first(map, list, first); HASH_STORE(slot->pop, first); HASH_STORE(slot->cell, first);',
     'an element is popped before the journal says so'),
    ('map/hash_slot.c', r'HASH_STORE\(slot->push, element\);\s*HASH_STORE\(slot->free, element\);',
     'HASH_STORE(slot->free, element); HASH_STORE(slot->push, element);', 'an element is pushed before the journal says so'),
    ('map/hash_slot.c', r'HASH_STORE\(hash_elem\(map, element\)->link, HASH_LOAD\(slot->free\)\);', '', 'the free list is cut off'),
    ('map/hash_slot.c', r'(HASH_LOAD\(slot->bucket\) == index && journal_dead\(slot\)\))\s*hash_finish\(map, slot, vcpu\);', r'\1 (void)0;',
     'the journal of a dead owner is not finished'),
    ('map/hash_slot.c', r'long error = slot_settle\(map, vcpu->index, vcpu\);', 'long error = 0;',
     'the former holder of a slot is not settled'),
    ('map/hash_slot.c', r'if \(journal_dead\(hash_slot\(map, i\)\)\)\s*list_settle', 'if (0) list_settle', 'lists of the dead are not settled'),
    ('map/hash_slot.c', r'list_first\(map, from - 1\) == element \? 0 : element', 'element', 'a pop that did not happen counts'),
    ('map/hash_slot.c', r'if \(chain_find\(map, bucket, new, &at\) && hash_elem_valid\(map, old\)\) \{', 'if (hash_elem_valid(map, old)) {',
     'a replacement that was not linked takes the old element out'),
    ('map/hash_slot.c', r'chain_find\(map, bucket, new, &at\) \? 0 : new', '0', 'an insertion that was not linked loses its element'),
    ('map/hash.c', r'(hash_journal\(slot, spot->found.*?;)(\s*link_in\(map, spot, new\);)', r'\2 \1',
     'an element is linked before the journal says so'),
    ('map/hash.c', r'(HASH_STORE\(elem->link, .*?;)(\s*if \(previous\).*?bucket_version\(word\)\);)', r'\2 \1',
     'an element is linked before it leads on'),
    ('map/hash.c', r'hash_store_value\(map, new, store, vcpu, false\);\s*hash_link\(map, slot, spot, new, vcpu\);',
     r'hash_link(map, slot, spot, new, vcpu); hash_store_value(map, new, store, vcpu, false);', 'a value is written after it can be seen'),
    ('map/hash.c', r'(u32 hash = hash_key\(map, key\), index, old.*?)error = hash_bucket_lock_of\(map, hash, vcpu, &index\);',
     r'\1 index = hash_bucket_guess(map, hash);', 'a deletion takes no lock'),
    ('map/hash_buckets.c', r'HASH_STORE\(from->mask, mask\);', '', 'a bucket that was split does not say so'),
    ('map/hash_buckets.c', r'(HASH_STORE\(from->mask, mask\);)(.*?)(\n\tif \(previous\).*?, 0\);)', r'\2 \3 \1',
     'keys are cut off before the bucket says so'),
    ('map/hash_buckets.c', r'if \(!HASH_LOAD\(to->mask\)\) \{', 'if (true) {', 'a split that is done again takes the new bucket back'),
    ('map/hash_buckets.c', r'(hash_bucket_set\(from, .*?), hash_bucket_version\(word\) \+ 1\)', r'\1, hash_bucket_version(word))',
     'a split leaves the version'),
    ('map/hash_buckets.c', r'(hash_bucket_set\(to, .*?\);)\s*(HASH_STORE\(to->mask, mask\);)', r'\2 \1', 'a bucket is there before its keys'),
    ('map/hash_buckets.c', r'hash_journal\(slot, HASH_OP_SPLIT, index, index \| \(mask \+ 1\), 0\);\s*hash_finish\(map, slot, vcpu\);',
     'hash_split_finish(map, index, index | (mask + 1));', 'the journal does not say that a bucket is split'),
    ('map/hash.h', r'if \(likely\(hash_bucket_holds\(index, HASH_LOAD\(.*?\), hash\)\)\)\s*return 0;', 'return 0;',
     'a bucket is locked that was split meanwhile'),
    ('map/lru_list.c', r'if \(unlikely\(dead\)\)\s*log_do\(map, list\);', '', 'the log of a dead one is not done'),
    ('map/lru_list.c', r'HASH_STORE\(slot->from, vcpu->index \+ 1\);', '', 'nobody knows in whose log the cell is'),
    ('map/lru_list.c', r'write_later\(work, &work->slot->cell, number\);', '', 'an element that is taken is in no cell'),
    ('map/lru_list.c', r'write_later\(work, up, HASH_LOAD\(\*up\) \+ 1\);', '(void)0;', 'the active are not counted'),
    ('map/hash_slot.c', r'hash_bucket_set\(bucket, hash_bucket_head\(word\), hash_bucket_version\(word\) \+ 1\);', '',
     'a replacement leaves the version'),
    ('map/hash_slot.c', r'\*\(hash_is_lru\(map\) \? &slot->cell : &slot->extra\)', 'slot->extra', 'an LRU map keeps what was replaced'),
    ('lock.h', r'__atomic_compare_exchange_n\(lock, &expected, rt_lock_token\(vcpu\), false,\s*__ATOMIC_ACQUIRE, __ATOMIC_RELAXED\)',
     '!__atomic_load_n(lock, __ATOMIC_ACQUIRE) && (__atomic_store_n(lock, rt_lock_token(vcpu), __ATOMIC_RELEASE), expected == 0)',
     'a lock is looked at, then taken'),
    ('lock.h', r'__atomic_store_n\(lock, 0, __ATOMIC_RELEASE\);', '(void)lock;', 'a lock is not given back before its vCPU is'),
    ('lock.c', r'!rt_sys_thread_exists\(tid\)', 'false && !rt_sys_thread_exists(tid)', 'a dead owner counts as alive'),
    ('lock.c', r'if \(tid == 0 \|\| rt_lock_token_of\(slot, word\) != token\)\s*return OWNER_GONE;', 'if (tid == 0) return OWNER_GONE;',
     'the number of an acquisition is not looked at'),
    ('ring.c', r'__atomic_exchange_n\(&header->length, length, __ATOMIC_SEQ_CST\);', 'STORE(header->length, length);',
     'a commit is not ordered before the look at the consumer'),
    ('ring.c', r'STORE\(header->length, \(u32\)size \| BPF_RINGBUF_BUSY_BIT\);\s*STORE\(page->position, end\);',
     'STORE(page->position, end); STORE(header->length, (u32)size | BPF_RINGBUF_BUSY_BIT);', 'a record is there before it is busy'),
    ('ring.c', r'STORE\(\*owner_at\(ring, position\), rt_lock_token\(vcpu\)\);', '', 'a record has no owner'),
    ('ring.c', r'STORE\(\*owner_at\(ring, position\), rt_lock_token\(vcpu\)\);(.*?)STORE\(page->position, end\);',
     r'\1 STORE(page->position, end); STORE(*owner_at(ring, position), rt_lock_token(vcpu));', 'a record has its owner too late'),
    ('ring.c', r'\|\| !rt_lock_gone\(LOAD\(\*owner_at\(ring, position\)\)\)', '', 'records of the living are discarded'),
    ('ring.c', r'\(length & BPF_RINGBUF_BUSY_BIT\) && !discard_dead\(ring, at\)', 'false', 'the consumer reads busy records'),
    ('ring.c', r'if \(rt_lock_acquire\(&page->lock, vcpu, &dead\)\) \{', 'dead = 0; if (dead) {', 'producers take no lock'),
    ('ring.c', r'end - LOAD\(rt_ring_consumer\(ring\)->position\) <= ring->mask', 'true', 'nobody asks whether there is room'),
    ('ring.c', r'\(flags & BPF_RB_NO_WAKEUP\) \|\| consumed != at', 'true', 'nobody is woken'),
]


def source(tree, name, pattern, replacement):
    path = os.path.join(tree, 'src/rt', name)
    with open(path, encoding='utf-8') as file:
        text = file.read()
    changed, nr = re.subn(pattern, replacement, text, count=1, flags=re.S)
    if nr != 1:
        sys.exit(f'{name}: not found: {pattern}')
    with open(path, 'w', encoding='utf-8') as file:
        file.write(changed)


def main():
    top, build = (os.path.abspath(path) for path in sys.argv[1:3])
    explored = ['lock.c', 'ring.c', 'vcpu.c', 'map/hash.c', 'map/hash_buckets.c', 'map/hash_slot.c', 'map/hash_walk.c', 'map/lru_hash.c', 'map/lru_list.c', 'map/value.c']
    parts = f'{build}/tests/interleave/interleave.p'
    objects = [f'{parts}/{name}' for name in os.listdir(parts) if name.endswith('.o')]
    libraries = [f'{build}/{name}.a' for name in ('tests/harness/libskep-tap', 'src/arena/libskep-arena', 'src/image/libskep-image-blob', 'src/rt/libskep-rt',
                                                  'src/base/libskep-base', 'src/abi/libskep-abi')]
    survivors = 0
    mutants = [mutant for mutant in MUTANTS if len(sys.argv) < 4 or sys.argv[3] in mutant[0] + ': ' + mutant[3]]
    print(f'1..{len(mutants)}')
    for number, (name, pattern, replacement, what) in enumerate(mutants, 1):
        with tempfile.TemporaryDirectory(prefix='skep-mutant.') as tree:
            for part in ('src', 'include'):
                shutil.copytree(os.path.join(top, part), os.path.join(tree, part),
                                ignore=lambda path, names: [n for n in names if not n.endswith('.h') and '.' in n
                                                            and '/rt' not in path])
            source(tree, name, pattern, replacement)
            program = os.path.join(tree, 'interleave')
            flags = ['-std=gnu17', '-D_GNU_SOURCE', '-O1', '-w', '-fno-strict-aliasing', '-fPIC', f'-I{tree}/src', f'-I{tree}/include',
                     '-include', f'{top}/tests/interleave/instrument.h']
            own = []
            for file in explored:
                own.append(os.path.join(tree, file.replace('/', '_') + '.o'))
                subprocess.run([*os.environ.get('CC', 'cc').split(), *flags, '-c', f'{tree}/src/rt/{file}', '-o', own[-1]],
                               check=True)
            subprocess.run([*os.environ.get('CC', 'cc').split(), '-o', program, *objects, *own, '-Wl,--start-group', *libraries,
                            '-Wl,--end-group', '-lpthread'], check=True)
            done = subprocess.run([program, '--stop'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=900, check=False)
        first = next((line for line in done.stdout.splitlines() if line.startswith(('not ok', 'Bail'))),
                     f'it ends with status {done.returncode}')
        killed = done.returncode != 0 and ', not all' not in first
        survivors += not killed
        print(f'{"ok" if killed else "not ok"} {number} - {what}: {first[:150] if killed else "not noticed"}', flush=True)
    sys.exit(survivors != 0)


if __name__ == '__main__':
    main()
