/* Work in a child process, for libraries that a damaged file can make crash or run for ever: the child is a copy of
   this process, so that what it survives, this process survives too when it does the same. */
#ifndef ST_BASE_APART_H
#define ST_BASE_APART_H

#include <stdint.h>
#include "base/status.h"

typedef struct st_apart {
    /* Runs in the child, whose only thread is the caller's: it may start no threads and wait for none. What it changes
       in memory is lost; files it changes are changed. It prints to nowhere. */
    strait_status (*work)(void *context, strait_error *err);
    void *context;
    const char *name;    /* for messages: what is worked on */
    double seconds;      /* of processor time that it may take, at least 1; on the clock a hundred times that */
    uint64_t more_bytes; /* of address space it may take beyond this process's; 0: any. Not kept to under sanitizers */
    /* Held while the process is doubled, so that no other thread is in the middle of what they guard; let go of at once
       in both. May be NULL. */
    void (*lock)(void);
    void (*unlock)(void);
} st_apart;

/* How a child ended that did not come back from its work: "killed by SIGSEGV", "over 5 s of processor time". */
#define ST_APART_END 48

/* Runs the work in a child and waits for it. end is empty where the work returned, and the result is the work's, its
   error in err. Otherwise the result is FORMAT, end says how the child ended, and err is left as it is: it is for the
   caller to say what that means. Errors of its own, with an empty end: IO (no process can be started). From any
   thread. */
strait_status st_apart_run(char end[ST_APART_END], const st_apart *task, strait_error *err);

#endif
