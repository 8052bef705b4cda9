// The level of a line in the registers of a Raspberry Pi up to 4, past every driver: level LINE prints 0 or 1.
//
//   aarch64-linux-gnu-gcc -O -static -o level tests/systemd/level.c
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { GPLEV0 = 0x34 / 4 };

int main(int argc, char **argv)
{
	int line = argc == 2 ? atoi(argv[1]) : -1;
	int gpiomem = open("/dev/gpiomem", O_RDONLY);
	volatile uint32_t *registers = mmap(NULL, 4096, PROT_READ, MAP_SHARED, gpiomem, 0);

	if (line < 0 || line > 31 || registers == MAP_FAILED) {
		fprintf(stderr, "usage: level LINE (0 to 31), where there is a /dev/gpiomem\n");
		return 64;
	}
	printf("%u\n", registers[GPLEV0] >> line & 1);
	return 0;
}
