/*
 * What a peer in C is to the rest: a table of functions. The loops are here, once for all, and take
 * what protects them as macros, so that no call is made and none is counted.
 */
#ifndef PTOM_PEER_H
#define PTOM_PEER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* As in p2m.rs and workload.rs; create() refuses a table of another size. */
#define ENTRIES 2048u
#define INVALID UINT64_MAX
#define GOLDEN UINT64_C(0x9e3779b97f4a7c15)
#define SHIFT (64 - 11)

struct ops {
	/* A protected copy of the table; NULL if it cannot be. */
	void *(*create)(const uint64_t *table, uint64_t entries);
	void (*destroy)(void *shared);
	/* Registers the calling thread; NULL if it cannot be. */
	void *(*join)(void *shared);
	/* On the same thread. */
	void (*leave)(void *worker);
	/* Around any number of sections; a section; between two. */
	void (*begin)(void *worker);
	void (*end)(void *worker);
	void (*enter)(void *worker);
	void (*exit)(void *worker);
	void (*quiescent)(void *worker);
	/* The table, within a section. */
	const uint64_t *(*table)(void *worker);
	uint64_t (*hold)(void *worker, uint64_t n);
	uint64_t (*nested)(void *worker, uint64_t n);
	uint64_t (*dependent)(void *worker, uint64_t n);
	void (*suspend)(void *worker, void (*during)(void *), void *context);
};

/* Two tables with the same entries, as after a cancelled suspend; those who hold need but one. */
struct tables {
	const uint64_t *current;
	/* ENTRIES, but the compiler must not know: the check of the bounds is to stay, as in Rust. */
	uint64_t entries;
	uint64_t words[2][ENTRIES];
};

static inline bool tables_init(struct tables *t, const uint64_t *table, uint64_t entries)
{
	if (entries != ENTRIES)
		return false;
	memcpy(t->words[0], table, sizeof t->words[0]);
	memcpy(t->words[1], table, sizeof t->words[1]);
	t->current = t->words[0];
	t->entries = entries;
	return true;
}

static inline const uint64_t *tables_current(const struct tables *t)
{
	return __atomic_load_n(&t->current, __ATOMIC_ACQUIRE);
}

/* One thread at a time. */
static inline void tables_publish(struct tables *t)
{
	const uint64_t *next = t->current == t->words[0] ? t->words[1] : t->words[0];

	__atomic_store_n(&t->current, next, __ATOMIC_RELEASE);
}

/* One check of the bounds, one load, one compare. */
static inline uint64_t translate(const uint64_t *table, uint64_t entries, uint64_t pfn)
{
	return pfn < entries ? __atomic_load_n(&table[pfn], __ATOMIC_RELAXED) : INVALID;
}

/*
 * The three loops and the table of functions. ENTER, EXIT, TABLE, BEGIN, END, QUIESCENT take a
 * `struct worker *`. QUIESCENT comes once in READS reads, and not within another section.
 */
#define PEER(NAME) \
	static inline uint64_t run(struct worker *w, uint64_t n, bool ticks) \
	{ \
		uint64_t x = 0, sum = 0; \
		for (uint64_t i = 0; i < n;) { \
			uint64_t stop = ticks && n - i > READS ? i + READS : n; \
			for (; i < stop; i++) { \
				x += GOLDEN; \
				ENTER(w); \
				uint64_t mfn = translate(TABLE(w), LENGTH(w), x >> SHIFT); \
				EXIT(w); \
				if (mfn == INVALID) \
					return INVALID; \
				sum += mfn; \
			} \
			if (ticks) \
				QUIESCENT(w); \
		} \
		return sum; \
	} \
	static uint64_t hold(void *worker, uint64_t n)                                             \
	{                                                                                          \
		struct worker *w = worker;                                                         \
		BEGIN(w);                                                                          \
		uint64_t sum = run(w, n, true);                                                    \
		END(w);                                                                            \
		return sum;                                                                        \
	}                                                                                          \
	static uint64_t nested(void *worker, uint64_t n)                                           \
	{                                                                                          \
		struct worker *w = worker;                                                         \
		BEGIN(w);                                                                          \
		ENTER(w);                                                                          \
		uint64_t sum = run(w, n, false);                                                   \
		EXIT(w);                                                                           \
		END(w);                                                                            \
		return sum;                                                                        \
	}                                                                                          \
	static uint64_t dependent(void *worker, uint64_t n)                                        \
	{                                                                                          \
		struct worker *w = worker;                                                         \
		uint64_t pfn = 0;                                                                  \
		BEGIN(w);                                                                          \
		for (uint64_t i = 0; i < n;) { \
			uint64_t stop = n - i > READS ? i + READS : n; \
			for (; i < stop && pfn != INVALID; i++) { \
				ENTER(w); \
				pfn = translate(TABLE(w), LENGTH(w), pfn); \
				EXIT(w); \
			} \
			if (pfn == INVALID) \
				break; \
			QUIESCENT(w); \
		} \
		END(w);                                                                            \
		return pfn;                                                                        \
	}                                                                                          \
	static void begin_(void *worker) { struct worker *w = worker; BEGIN(w); }                  \
	static void end_(void *worker) { struct worker *w = worker; END(w); }                      \
	static void enter_(void *worker) { struct worker *w = worker; ENTER(w); }                  \
	static void exit_(void *worker) { struct worker *w = worker; EXIT(w); }                    \
	static void quiescent_(void *worker) { struct worker *w = worker; QUIESCENT(w); }          \
	static const uint64_t *table_(void *worker)                                                \
	{                                                                                          \
		struct worker *w = worker;                                                         \
		return TABLE(w);                                                                   \
	}                                                                                          \
	const struct ops NAME = { create, destroy, join,  leave, begin_, end_,      enter_,        \
				  exit_,  quiescent_, table_, hold, nested, dependent, suspend }

#define LENGTH(w) ((w)->shared->tables.entries)
#define NOTHING(w) ((void)(w))

#endif
