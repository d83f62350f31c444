import * as fs from 'node:fs';

/**
 * Rows of a table with one case per line and tabs between cells; comments begin with `#`.
 *
 * @param file its path, which begins with the `__dirname` of the test
 */
export const readRows = (file: string): string[][] =>
	fs
		.readFileSync(file, 'utf8')
		.split('\n')
		.filter((line) => line !== '' && !line.startsWith('#'))
		.map((line) => line.split('\t'));
