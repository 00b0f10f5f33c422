/*
 * Concurrency Kit's epoch. A record stays in the epoch's list when its thread unregisters, and is
 * given to the next one that comes; so records are freed with the epoch, and not before.
 */
#include <ck_epoch.h>

#include "peer.h"

struct record {
	ck_epoch_record_t epoch;
	struct record *next;
};

struct shared {
	ck_epoch_t epoch __attribute__((aligned(128)));
	struct tables tables __attribute__((aligned(128)));
	/* Held while one suspends. */
	pthread_mutex_t alone;
	pthread_mutex_t joining;
	struct record *records;
};

struct worker {
	struct shared *shared;
	ck_epoch_record_t *record;
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
	ck_epoch_init(&s->epoch);
	pthread_mutex_init(&s->alone, NULL);
	pthread_mutex_init(&s->joining, NULL);
	s->records = NULL;
	return s;
}

static void destroy(void *shared)
{
	struct shared *s = shared;

	while (s->records != NULL) {
		struct record *record = s->records;

		s->records = record->next;
		free(record);
	}
	pthread_mutex_destroy(&s->alone);
	pthread_mutex_destroy(&s->joining);
	free(s);
}

static ck_epoch_record_t *recorded(struct shared *s)
{
	struct record *record = NULL;
	ck_epoch_record_t *old = ck_epoch_recycle(&s->epoch, NULL);

	if (old != NULL)
		return old;
	if (posix_memalign((void **)&record, 128, sizeof *record) != 0)
		return NULL;
	ck_epoch_register(&s->epoch, &record->epoch, NULL);
	record->next = s->records;
	s->records = record;
	return &record->epoch;
}

static void *join(void *shared)
{
	struct shared *s = shared;
	struct worker *w = malloc(sizeof *w);

	if (w == NULL)
		return NULL;
	w->shared = s;
	pthread_mutex_lock(&s->joining);
	w->record = recorded(s);
	pthread_mutex_unlock(&s->joining);
	if (w->record == NULL) {
		free(w);
		return NULL;
	}
	return w;
}

static void leave(void *worker)
{
	struct worker *w = worker;

	ck_epoch_unregister(w->record);
	free(w);
}

static void suspend(void *worker, void (*during)(void *), void *context)
{
	struct worker *w = worker;

	pthread_mutex_lock(&w->shared->alone);
	tables_publish(&w->shared->tables);
	ck_epoch_synchronize(w->record);
	during(context);
	pthread_mutex_unlock(&w->shared->alone);
}

#define ENTER(w) ck_epoch_begin((w)->record, NULL)
#define EXIT(w) ck_epoch_end((w)->record, NULL)
#define TABLE(w) tables_current(&(w)->shared->tables)
#define BEGIN NOTHING
#define END NOTHING
#define QUIESCENT NOTHING
#define READS UINT64_MAX

PEER(ptom_ck_epoch);
