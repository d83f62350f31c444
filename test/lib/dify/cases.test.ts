import { fs, path } from '../../support/node';

/** Contract section 8. */
const LAST_CASE = 86;

const SUITES = [
	...suitesIn('test/lib/dify', () => true),
	...['test/servers', 'test/nodes', 'test/e2e'].flatMap((folder) =>
		suitesIn(folder, (name) => name.startsWith('dify')),
	),
];

function suitesIn(folder: string, wanted: (name: string) => boolean): string[] {
	return fs
		.readdirSync(folder)
		.filter((name) => name.endsWith('.test.ts') && wanted(name))
		.map((name) => path.join(folder, name));
}

interface NamedCase {
	number: number;
	suite: string;
	/** The test runs with every version of the simulator. */
	everyVersion: boolean;
}

/** The cases that the names of a suite's tests bear: "case 7: …", "cases 1 to 3: …", "cases 8, 9 and 29: …". */
function casesIn(suite: string): NamedCase[] {
	const found: NamedCase[] = [];
	let endOfBlock: string | undefined;
	for (const line of fs.readFileSync(suite, 'utf8').split('\n')) {
		const block = /^(\t*)describe\.each\(SIM_VERSIONS\)/.exec(line);
		if (block !== null) endOfBlock ??= `${block[1]!}});`;
		const everyVersion = endOfBlock !== undefined || line.includes('.each(SIM_VERSIONS)');
		for (const [, numbers] of line.matchAll(/['"`]cases? (\d+(?:(?:, | and | to )\d+)*)/g)) {
			found.push(...numbersIn(numbers!).map((number) => ({ number, suite, everyVersion })));
		}
		if (line === endOfBlock) endOfBlock = undefined;
	}
	return found;
}

function numbersIn(words: string): number[] {
	return words.split(/, | and /).flatMap((part) => {
		const [first, last = first] = part.split(' to ').map(Number);
		return Array.from({ length: last! - first! + 1 }, (_, at) => first! + at);
	});
}

const NAMED = SUITES.flatMap(casesIn);
const ALL = Array.from({ length: LAST_CASE }, (_, at) => at + 1);

function missing(from: NamedCase[]): number[] {
	const numbers = new Set(from.map(({ number }) => number));
	return ALL.filter((number) => !numbers.has(number));
}

describe('the 86 cases of contract section 8', () => {
	test('each has a test with its number, which runs with every version of Dify', () => {
		expect(missing(NAMED)).toEqual([]);
		expect(missing(NAMED.filter(({ everyVersion }) => everyVersion))).toEqual([]);
	});

	test('each has one of the client, but for audio to text, which the client does not have', () => {
		expect(
			missing(NAMED.filter(({ suite, everyVersion }) => everyVersion && path.basename(suite).startsWith('client-'))),
		).toEqual([82]);
	});

	test('no test has a number that is none', () => {
		expect(NAMED.filter(({ number }) => !ALL.includes(number))).toEqual([]);
	});

	test('names are read as the suites write them', () => {
		expect(['7', '1 to 3', '65 and 67', '8, 9, 29', '15, 16 and 21 to 23'].map(numbersIn)).toEqual([
			[7],
			[1, 2, 3],
			[65, 67],
			[8, 9, 29],
			[15, 16, 21, 22, 23],
		]);
	});
});
