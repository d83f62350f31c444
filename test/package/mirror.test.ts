/** A test stands where its source is. */
import * as fs from 'node:fs';
import path from 'node:path';

const MIRRORED = ['lib', 'nodes', 'credentials'];

const filesBelow = (folder: string): string[] =>
	fs
		.readdirSync(folder, { recursive: true, encoding: 'utf8' })
		.map((name) => path.posix.join(folder, name.replaceAll('\\', '/')));

/** `lib/http/queue` of `lib/http/queue.ts`. */
const withoutEnding = (source: string) => source.replace(/(?:\.node|\.credentials)?\.ts$/, '');

const sources = new Set(
	MIRRORED.flatMap(filesBelow)
		.filter((file) => file.endsWith('.ts'))
		.map(withoutEnding),
);

/** `lib/http/queue` of `test/lib/http/queue.test.ts` and of `test/lib/http/queue.two-slots.test.ts`. */
const sourceOf = (test: string) => {
	const name = test.replace(/^test\//, '').replace(/\.test\.ts$/, '');
	return sources.has(name) ? name : name.replace(/\.[\w-]+$/, '');
};

test('a test is named like the source beside which it would stand; what spans sources is a guarantee', () => {
	const tests = MIRRORED.flatMap((folder) => filesBelow(`test/${folder}`)).filter((file) =>
		file.endsWith('.test.ts'),
	);
	expect(tests).not.toEqual([]);
	expect(tests.filter((test) => !sources.has(sourceOf(test)))).toEqual([]);
});

test('each guarantee has a row in its table', () => {
	const table = fs.readFileSync('test/guarantees/README.md', 'utf8');
	const guarantees = filesBelow('test/guarantees')
		.filter((file) => file.endsWith('.test.ts'))
		.map((file) => path.posix.relative('test/guarantees', file).replace('.test.ts', ''));
	const isNamed = (name: string) => new RegExp(`(?<![\\w-])${name}(?![\\w-])`).test(table);
	expect(
		guarantees.filter((name) => !isNamed(name) && !isNamed(`${path.posix.dirname(name)}/`)),
	).toEqual([]);
});
