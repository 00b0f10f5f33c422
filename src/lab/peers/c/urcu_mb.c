/* liburcu, the flavour with full barriers. */
#define _LGPL_SOURCE
#include <urcu/urcu-mb.h>

#define FLAVOUR urcu_mb
#define REGISTER() urcu_mb_register_thread()
#define UNREGISTER() urcu_mb_unregister_thread()
#define BEGIN NOTHING
#define END NOTHING
#define QUIESCENT NOTHING
#define READS UINT64_MAX
#define OPS ptom_urcu_mb
#include "urcu.h"
