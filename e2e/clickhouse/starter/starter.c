/*
 * Runs the ClickHouse that is in libchdb.so, as the program clickhouse would:
 *
 *   starter LIBRARY [ARGUMENT...]
 */
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char **argv) {
	if (argc < 2) {
		fprintf(stderr, "usage: %s LIBRARY [ARGUMENT...]\n", argv[0]);
		return 2;
	}
	void *library = dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL);
	if (library == NULL) {
		fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	void *(*run)(int, char **) = (void *(*)(int, char **))dlsym(library, "chdb_query_cmdline");
	if (run == NULL) {
		fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	argv[1] = "clickhouse";
	run(argc - 1, argv + 1);
	return 0;
}
