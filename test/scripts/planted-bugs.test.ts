import { loadScript } from '../support/files/scripts';

interface Mutant {
	status: string;
	mutatorName: string;
	replacement?: string;
	location: Record<'start' | 'end', { line: number; column: number }>;
}

interface PlantedBugs {
	describeSurvivors(file: string, mutated: { source: string; mutants: Mutant[] }): string;
	readScore(mutants: Mutant[]): { noticed: number; total: number };
	takeShard(files: string[], shard: string): string[];
}

const load = async () => await loadScript<PlantedBugs>('checks/planted-bugs');

const SOURCE = 'if (count > 1)\n\treturn [\n\t\tcount,\n\t];\nreturn [];\n';

const createMutant = (
	status: string,
	[startLine, startColumn, endLine, endColumn]: [number, number, number, number],
	replacement: string,
): Mutant => ({
	status,
	mutatorName: 'Kind',
	replacement,
	location: {
		start: { line: startLine, column: startColumn },
		end: { line: endLine, column: endColumn },
	},
});

const MUTANTS = [
	createMutant('NoCoverage', [2, 9, 4, 3], '[]'),
	createMutant('Survived', [1, 5, 1, 14], 'count >= 1'),
	createMutant('Killed', [1, 5, 1, 14], 'true'),
	createMutant('Timeout', [1, 5, 1, 14], 'false'),
	createMutant('Ignored', [5, 8, 5, 10], '["`"]'),
];

test('bugs that a test notices and those that none does are counted', async () => {
	const { readScore } = await load();
	expect(readScore(MUTANTS)).toEqual({ noticed: 2, total: 4 });
});

test('bugs that no test notices are listed by line, with the code before and after', async () => {
	const { describeSurvivors } = await load();
	expect(describeSurvivors('lib/a.ts', { source: SOURCE, mutants: MUTANTS })).toBe(
		[
			'## lib/a.ts: 2 of 4',
			'',
			'- line 1, Kind: `count > 1` → `count >= 1`',
			'- line 2, Kind, no test: `[ count, ]` → `[]`',
			'',
		].join('\n'),
	);
});

test('a file whose bugs are all noticed is not in the list', async () => {
	const { describeSurvivors } = await load();
	expect(describeSurvivors('lib/a.ts', { source: SOURCE, mutants: MUTANTS.slice(2) })).toBe('');
});

test('each file is in one part', async () => {
	const { takeShard } = await load();
	const files = ['README.md', 'package.json', 'tsconfig.json', 'LICENSE', 'SECURITY.md'];
	const parts = ['1/3', '2/3', '3/3'].map((shard) => takeShard(files, shard));
	expect(parts.map(({ length }) => length)).toEqual([2, 2, 1]);
	expect(parts.flat().toSorted()).toEqual(files.toSorted());
});

it.each(['', '0/3', '4/3', '1', '1/0', 'a/b'])('%j is no part', async (shard) => {
	const { takeShard } = await load();
	expect(() => takeShard(['README.md'], shard)).toThrow(`--shard=${shard} is not a part`);
});
