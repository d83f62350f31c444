/** Each limit of the sources has a test of one less, as much and one more, or a reason why not. */
import { readRows } from '../support/files/rows';
import { filesIn, read, SOURCES } from './sources';

const LIMITS = SOURCES.flatMap((file) =>
	[...read(file).matchAll(/^(?:export )?const ((?:MAX|MIN)_\w+) =/gm)].map(
		([, name]) => `${file}#${name}`,
	),
);
const TESTED = new Set(
	filesIn(['test'], /\.test\.ts$/).flatMap((file) =>
		[...read(file).matchAll(/\btestLimit\(\s*'([^']+)'/g)].map(([, limit]) => limit!),
	),
);
const EXCEPTIONS = readRows(`${__dirname}/untested-limits.tsv`);
const excepted = new Set(EXCEPTIONS.map(([limit]) => limit!));

test('each limit has a test of its boundary, or a reason why not', () => {
	expect(LIMITS).not.toEqual([]);
	expect(LIMITS.filter((limit) => !TESTED.has(limit) && !excepted.has(limit))).toEqual([]);
});

test('no limit has both, and each test and reason is for a limit that exists', () => {
	expect([...TESTED].filter((limit) => excepted.has(limit))).toEqual([]);
	const known = new Set(LIMITS);
	expect([...TESTED, ...excepted].filter((limit) => !known.has(limit))).toEqual([]);
});

test('each reason is of a kind, and the test that it names exists', () => {
	const wrong = EXCEPTIONS.filter(([, kind, why = '']) => {
		if (kind !== 'tested') return !/^(?:time|bound)$/.test(kind ?? '') || why === '';
		const [file = '', ...words] = why.split(': ');
		return !read(file).includes(words.join(': '));
	});
	expect(wrong).toEqual([]);
});
