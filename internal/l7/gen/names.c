//go:build ignore

// Prints nDPI's protocols, one a line: number TAB name.
#include <ndpi/ndpi_api.h>
#include <stdio.h>

int main(void) {
	struct ndpi_detection_module_struct *m = ndpi_init_detection_module(ndpi_no_prefs);
	if (m == NULL)
		return 1;
	NDPI_PROTOCOL_BITMASK all;
	NDPI_BITMASK_SET_ALL(all);
	ndpi_set_protocol_detection_bitmask2(m, &all);
	ndpi_finalize_initialization(m);
	for (unsigned i = 0; i < ndpi_get_num_supported_protocols(m); i++)
		printf("%u\t%s\n", i, ndpi_get_proto_name(m, i));
	return 0;
}
