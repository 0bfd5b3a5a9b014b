/* Parts of thread.h that tests look at one by one. */
#ifndef ST_BASE_THREAD_INT_H
#define ST_BASE_THREAD_INT_H

/* Processors the control group of this process grants, rounded up; 0: no limit found. membership: the text of
   /proc/self/cgroup; mount: the folder where control groups are mounted (/sys/fs/cgroup). */
int st_cgroup_processors(const char *membership, const char *mount);

#endif
