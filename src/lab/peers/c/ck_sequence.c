/*
 * Concurrency Kit's sequence: a reader holds nothing, and reads again if a write came in between. Its
 * loops are those of a snapshot; a section that can be entered and left there is none.
 */
#include <ck_sequence.h>

#include "peer.h"

struct shared {
	ck_sequence_t sequence;
	/* The sequence wants one writer at a time. */
	pthread_mutex_t alone;
	struct tables tables __attribute__((aligned(128)));
};

struct worker {
	struct shared *shared;
};

static void *create(const uint64_t *table, uint64_t entries)
{
	struct shared *s = NULL;

	if (posix_memalign((void **)&s, 128, sizeof *s) != 0)
		return NULL;
	if (!tables_init(&s->tables, table, entries)) {
		free(s);
		return NULL;
	}
	ck_sequence_init(&s->sequence);
	pthread_mutex_init(&s->alone, NULL);
	return s;
}

static void destroy(void *shared)
{
	struct shared *s = shared;

	pthread_mutex_destroy(&s->alone);
	free(s);
}

static void *join(void *shared)
{
	struct worker *w = malloc(sizeof *w);

	if (w != NULL)
		w->shared = shared;
	return w;
}

static void leave(void *worker)
{
	free(worker);
}

static void suspend(void *worker, void (*during)(void *), void *context)
{
	struct worker *w = worker;

	pthread_mutex_lock(&w->shared->alone);
	ck_sequence_write_begin(&w->shared->sequence);
	during(context);
	ck_sequence_write_end(&w->shared->sequence);
	pthread_mutex_unlock(&w->shared->alone);
}

static inline uint64_t snapshot(struct worker *w, const uint64_t *table, uint64_t entries,
				uint64_t pfn)
{
	unsigned int version;
	uint64_t mfn;

	do {
		version = ck_sequence_read_begin(&w->shared->sequence);
		mfn = (translate)(table, entries, pfn);
	} while (ck_sequence_read_retry(&w->shared->sequence, version));
	return mfn;
}

#define translate(table, entries, pfn) snapshot(w, table, entries, pfn)
#define ENTER NOTHING
#define EXIT NOTHING
#define TABLE(w) ((w)->shared->tables.words[0])
#define BEGIN NOTHING
#define END NOTHING
#define QUIESCENT NOTHING
#define READS UINT64_MAX

PEER(ptom_ck_sequence);
