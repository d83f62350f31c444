import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import * as vm from 'node:vm';
import * as ts from 'typescript';
import { SOURCES } from '../package/sources';
import { loadScript } from '../support/files/scripts';

interface Bug {
	file: string;
	kind: string;
	line: number;
	start: number;
	end: number;
	text: string;
}

interface FindBugs {
	findBugs(file: string, source: string): Bug[];
	plantBug(source: string, bug: Bug): string;
	shuffleBugs(bugs: Bug[], seed: number): Bug[];
}

interface Regions {
	findRegions(source: string): Array<{ start: number; end: number }>;
	findRegionOf(regions: object[], place: { start: number; end: number }): number;
	markRegions(file: string, source: string): string;
}

interface Outcome {
	bug: Bug;
	reached: number;
	seenBy: string[];
	isPartial: boolean;
}

interface DescribeOutcomes {
	describeOutcomes(outcomes: Outcome[], read: (file: string) => string): string;
}

interface TestFile {
	file: string;
	seconds: number;
	failed: string[];
}

interface TestInputs {
	createInputHash(): (test: string) => string;
	findNamedFiles(file: string, text: string): string[];
}

interface RunTests {
	toGroups(tests: TestFile[]): Array<{ tests: TestFile[]; endsEarly: boolean }>;
}

const loadBugs = async () => await loadScript<FindBugs>('planter/find-bugs');
const loadRegions = async () => await loadScript<Regions>('planter/regions');

/** Messages about a text that is no TypeScript. */
const findSyntaxErrors = (source: string) =>
	(ts.transpileModule(source, { reportDiagnostics: true }).diagnostics ?? []).map(
		({ messageText }) => messageText,
	);

test.each<{ source: string; kind: string; planted: string[] }>([
	{ source: 'await f();', kind: 'await dropped', planted: ['f();'] },
	{ source: 'async () => await f();', kind: 'await dropped', planted: [] },
	{
		source: 'async function g() { if (a) return await f(); try { return await f(); } catch {} }',
		kind: 'await dropped',
		planted: ['async function g() { if (a) return await f(); try { return f(); } catch {} }'],
	},
	{ source: 'f(a, b);', kind: 'arguments swapped', planted: ['f(b, a);'] },
	{ source: 'f(a, a);', kind: 'arguments swapped', planted: [] },
	{ source: 'f(a, b);', kind: 'argument dropped', planted: ['f(a);'] },
	{ source: 'x = a ? b : c;', kind: 'branches swapped', planted: ['x = a ? c : b;'] },
	{
		source: 'if (a) { b(); } else { c(); }',
		kind: 'branches swapped',
		planted: ['if (a) { c(); } else { b(); }'],
	},
	{ source: 'if (a === b) c();', kind: 'condition negated', planted: ['if (!(a === b)) c();'] },
	{ source: 'x = a < b;', kind: 'limit moved', planted: ['x = a <= b;'] },
	{ source: 'x = a !== b;', kind: 'equality turned round', planted: ['x = a === b;'] },
	{ source: 'x = a ?? b;', kind: 'operator swapped', planted: ['x = a || b;'] },
	{ source: 'x = a && b;', kind: 'operand dropped', planted: ['x = a;', 'x = b;'] },
	{ source: 'x = [a, ...b];', kind: 'spread dropped', planted: ['x = [a];'] },
	{ source: 'x = { ...a, b };', kind: 'spread dropped', planted: ['x = { b };'] },
	{ source: 'f({ a: 1, });', kind: 'property dropped', planted: ['f({  });'] },
	{ source: 'f({ a: 1, b });', kind: 'property dropped', planted: ['f({ b });', 'f({ a: 1 });'] },
	{ source: 'x = a ?? b;', kind: 'default dropped', planted: ['x = a;'] },
	{
		source: 'const f = (a: number = 1) => a;',
		kind: 'default dropped',
		planted: ['const f = (a: number) => a;'],
	},
	{ source: 'const { a = 1 } = b;', kind: 'default dropped', planted: ['const { a } = b;'] },
	{
		source: 'x = a?.b?.[c]?.(d);',
		kind: '?. dropped',
		planted: ['x = a?.b?.[c](d);', 'x = a?.b[c]?.(d);', 'x = a.b?.[c]?.(d);'],
	},
	{ source: 'f(); x++;', kind: 'statement dropped', planted: ['; x++;', 'f(); ;'] },
	{
		source: 'function f() { if (a) return; b(); }',
		kind: 'statement dropped',
		planted: ['function f() { ; b(); }', 'function f() { if (a) return; ; }'],
	},
	{ source: 'x = a.slice(1);', kind: 'off by one', planted: ['x = a.slice(2);'] },
	{ source: 'x = wait(1000);', kind: 'off by one', planted: [] },
	{
		source: 'try { a(); } finally { b(); }',
		kind: 'finally dropped',
		planted: ['try { a(); } finally {}'],
	},
	{
		source: 'try { a(); } catch { b(); }',
		kind: 'catch emptied',
		planted: ['try { a(); } catch {}'],
	},
	{ source: 'x = true;', kind: 'true and false swapped', planted: ['x = false;'] },
	{ source: 'x = a.trim().b;', kind: 'step of a chain dropped', planted: ['x = a.b;'] },
	{ source: 'x = a.some(b);', kind: 'method swapped', planted: ['x = a.every(b);'] },
	{ source: 'type A = true | { b: 1 };', kind: 'true and false swapped', planted: [] },
])('$kind: $source', async ({ source, kind, planted }) => {
	const { findBugs, plantBug } = await loadBugs();
	const bugs = findBugs('lib/a.ts', source).filter((bug) => bug.kind === kind);
	expect(bugs.map((bug) => plantBug(source, bug)).sort()).toEqual(planted.sort());
});

test('bugs of the sources are TypeScript, of all kinds in turn, and the same for the same seed', async () => {
	const { findBugs, plantBug, shuffleBugs } = await loadBugs();
	const files = SOURCES.filter((_file, at) => at % 20 === 0);
	const sources = new Map(files.map((file) => [file, readFileSync(file, 'utf8')]));
	const bugs = [...sources].flatMap(([file, source]) => findBugs(file, source));
	const some = shuffleBugs(bugs, 7).slice(0, 60);
	expect(shuffleBugs(bugs, 7).slice(0, 60)).toEqual(some);
	expect(shuffleBugs(bugs, 8).slice(0, 60)).not.toEqual(some);
	expect(new Set(some.slice(0, 15).map(({ kind }) => kind)).size).toBe(15);
	for (const bug of some)
		expect([bug, findSyntaxErrors(plantBug(sources.get(bug.file)!, bug))]).toEqual([bug, []]);
});

const MARKED = `const size = (list: number[]) => list.length;
export function pick(a: number, list: number[]) {
	if (a > size(list)) return 'much';
	const name = a < 0 ? 'less' : 'some';
	for (const one of list) if (one === a) return 'one';
	return name;
}
`;

test('the smallest part around a place is noted if it ran', async () => {
	const { findRegions, findRegionOf, markRegions } = await loadRegions();
	const code = `${markRegions('lib/a.ts', MARKED).replace('export ', '')}; pick(1, [2, 3]);`;
	const world: { ranRegions?: Record<string, Uint8Array> } = {};
	vm.runInNewContext(ts.transpile(code, { target: ts.ScriptTarget.ESNext }), world);
	const regions = findRegions(MARKED);
	const hasRun = (text: string) => {
		const start = MARKED.indexOf(text);
		const region = findRegionOf(regions, { start, end: start + text.length });
		return world.ranRegions!['lib/a.ts']![region] === 1;
	};
	const texts = ['list.length', "return 'much'", "'less'", "'some'", "return 'one'", 'return name'];
	expect(texts.filter(hasRun)).toEqual(['list.length', "'some'", 'return name']);
});

test('a source with marks is TypeScript', async () => {
	const { markRegions } = await loadRegions();
	for (const file of SOURCES.filter((_file, at) => at % 20 === 0)) {
		const errors = findSyntaxErrors(markRegions(file, readFileSync(file, 'utf8')));
		expect({ file, errors }).toEqual({ file, errors: [] });
	}
});

test('unseen bugs are listed with the code before and after, and tests that never saw one alone', async () => {
	const { describeOutcomes } = await loadScript<DescribeOutcomes>('planter/describe-outcomes');
	const source = 'x = a &&\n\tb;';
	const bug: Bug = { file: 'lib/a.ts', kind: 'kind', line: 1, start: 4, end: 11, text: 'a' };
	const outcomes = [
		{ bug, reached: 2, seenBy: [], isPartial: false },
		{ bug, reached: 0, seenBy: [], isPartial: false },
		{ bug, reached: 1, seenBy: [], isPartial: true },
		{ bug, reached: 2, seenBy: ['one', 'two\nlines'], isPartial: false },
		{ bug, reached: 2, seenBy: ['one'], isPartial: false },
		{ bug, reached: 2, seenBy: ['three', 'four'], isPartial: true },
	];
	expect(describeOutcomes(outcomes, () => source)).toBe(
		[
			'# 3 of 6 planted bugs were seen',
			'',
			'## Bugs that no test sees: 2',
			'',
			'- lib/a.ts:1, kind, 2 test files run it: `a && b` → `a`',
			'- lib/a.ts:1, kind, no test runs it: `a && b` → `a`',
			'',
			'## Bugs whose tests took too long: 1',
			'',
			'- lib/a.ts:1, kind, 1 test files run it: `a && b` → `a`',
			'',
			'## Tests that were never the only one to see a bug, with the number that they saw: 1',
			'',
			'- two lines (1)',
			'',
		].join('\n'),
	);
});

test('a test runs again if it, a module behind it or data beside it changes', async () => {
	const { createInputHash, findNamedFiles } = await loadScript<TestInputs>('planter/test-inputs');
	const text = [
		"import { a } from '../../lib/errors/mask';",
		"jest.mock('../../lib/vendor', () => jest.requireActual('../../lib/vendor'));",
		"const folder = path.join(__dirname, '../fixtures/tls');",
		"const notThere = './nothing'; const root = path.resolve(__dirname, '../..');",
	].join('\n');
	const named = findNamedFiles(path.resolve('test/scripts/a.test.ts'), text);
	expect([...new Set(named)].map((file) => path.relative('.', file)).sort()).toEqual(
		[
			...readdirSync('test/fixtures/tls').map((name) => `test/fixtures/tls/${name}`),
			'lib/errors/mask.ts',
			'lib/vendor.ts',
		].sort(),
	);
	const tests = ['mask.test.ts', 'words.test.ts'].map((name) => `test/lib/errors/${name}`);
	const [one, other] = [createInputHash(), createInputHash()].map((hashOf) => tests.map(hashOf));
	expect(one).toEqual(other);
	expect(new Set(one).size).toBe(2);
});

test('files run in their order, the first 20 s before the others; those that fail without a bug end no run', async () => {
	const { toGroups } = await loadScript<RunTests>('planter/run-tests');
	const file = (name: string, seconds: number, ...failed: string[]) => ({
		file: name,
		seconds,
		failed,
	});
	const play = (...tests: TestFile[]) =>
		toGroups(tests).map(({ tests: group, endsEarly }) => [
			group.map((test) => test.file).join(' '),
			endsEarly,
		]);
	expect(
		play(file('a', 5), file('b', 1, 'is red'), file('c', 16), file('d', 1), file('e', 50, 'too')),
	).toEqual([
		['a c', true],
		['d', true],
		['b e', false],
	]);
	expect(play(file('a', 5), file('b', 6))).toEqual([['a b', true]]);
	expect(play(file('a', 5, 'is red'))).toEqual([['a', false]]);
	expect(play()).toEqual([]);
});
