/* No protection at all: what the C compiler makes of the loop. */
struct none {
	char nothing;
};

#define LOCK struct none
#define INIT(l) ((void)(l))
#define FINI(l) ((void)(l))
#define READ_LOCK(l) ((void)(l))
#define READ_UNLOCK(l) ((void)(l))
#define WRITE_LOCK(l) ((void)(l))
#define WRITE_UNLOCK(l) ((void)(l))
#define OPS ptom_c_raw
#include "lock.h"
