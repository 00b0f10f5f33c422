/* liburcu, the bulletproof flavour: a thread registers with its first read. */
#define _LGPL_SOURCE
#include <urcu/urcu-bp.h>

#define FLAVOUR urcu_bp
#define REGISTER() ((void)0)
#define UNREGISTER() ((void)0)
#define BEGIN NOTHING
#define END NOTHING
#define QUIESCENT NOTHING
#define READS UINT64_MAX
#define OPS ptom_urcu_bp
#include "urcu.h"
