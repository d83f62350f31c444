import { loadScript } from '../support/files/scripts';

interface NearestTests {
	splitArguments(args: string[]): { sources: string[]; options: string[] };
	nearestTests(source: string, related: string[]): string[];
	groupTests(
		sources: string[],
		related: string[],
		read: (file: string) => string,
	): Array<{ name: string; files: string[] }>;
}

const load = async () => await loadScript<NearestTests>('checks/nearest-tests');

describe('arguments of npm test', () => {
	it.each<{ args: string[]; sources: string[]; options: string[] }>([
		{ args: ['lib/http/queue.ts'], sources: ['lib/http/queue.ts'], options: [] },
		{ args: ['./lib/http/'], sources: ['lib/http'], options: [] },
		{
			args: ['nodes/LocalLlama/LocalLlama.node.ts', '-t', 'name'],
			sources: ['nodes/LocalLlama/LocalLlama.node.ts'],
			options: ['-t', 'name'],
		},
		{ args: ['test/lib/http'], sources: [], options: ['test/lib/http'] },
		{ args: ['-t', 'lib/http'], sources: ['lib/http'], options: ['-t'] },
		{ args: ['lib/http/missing.ts'], sources: [], options: ['lib/http/missing.ts'] },
		{ args: ['library'], sources: [], options: ['library'] },
	])(
		'$args are the sources $sources and the options $options',
		async ({ args, sources, options }) => {
			const { splitArguments } = await load();
			expect(splitArguments(args)).toEqual({ sources, options });
		},
	);
});

describe('the nearest tests come first', () => {
	const related = [
		'test/faults/faults.test.ts',
		'test/guarantees/options.test.ts',
		'test/guarantees/queueing.test.ts',
		'test/lib/http/queue.test.ts',
		'test/lib/http/queue.large.test.ts',
		'test/lib/http/request.test.ts',
		'test/nodes/LocalLlama/LocalLlama.test.ts',
		'test/nodes/LocalLlama/text/chat.test.ts',
	];

	const imports = new Map([
		['test/lib/http/request.test.ts', 'expectApproved(path.join(__dirname, file), rows);'],
		['test/guarantees/options.test.ts', 'expectApproved(path.join(__dirname, file), rows);'],
		['test/faults/faults.test.ts', "import { a } from '../../lib/text/other';"],
	]);

	it.each<{ sources: string[]; groups: Array<[name: string, ...places: number[]]> }>([
		{
			sources: ['lib/http/queue.ts'],
			groups: [
				['tests of lib/http/queue.ts', 3, 4],
				['tests beside them', 5],
				['nodes, guarantees and faults near them', 1, 2],
				['other tests that use them', 0, 6, 7],
			],
		},
		{
			sources: ['lib/http'],
			groups: [
				['tests of lib/http', 3, 4, 5],
				['nodes, guarantees and faults near them', 1],
				['other tests that use them', 0, 2, 6, 7],
			],
		},
		{
			sources: ['nodes/LocalLlama/LocalLlama.node.ts', 'lib/http/request.ts'],
			groups: [
				['tests of nodes/LocalLlama/LocalLlama.node.ts, lib/http/request.ts', 5, 6],
				['tests beside them', 3, 4, 7],
				['nodes, guarantees and faults near them', 1],
				['other tests that use them', 0, 2],
			],
		},
		{
			sources: ['lib/text/other.ts'],
			groups: [
				['approved tables', 5],
				['nodes, guarantees and faults near them', 0, 1, 7],
				['other tests that use them', 2, 3, 4, 6],
			],
		},
	])('of $sources', async ({ sources, groups }) => {
		const { groupTests } = await load();
		const read = (file: string) => imports.get(file) ?? '';
		expect(groupTests(sources, related, read)).toEqual(
			groups.map(([name, ...places]) => ({ name, files: places.map((at) => related[at]) })),
		);
	});
});

describe('planted bugs are looked for by the nearest tests', () => {
	const related = [
		'test/guarantees/queue.test.ts',
		'test/lib/http/queue.test.ts',
		'test/lib/http/stream/lines.test.ts',
		'test/lib/text/marks.test.ts',
		'test/nodes/LocalLlama/queue.large.test.ts',
	];

	it.each<{ source: string; tests: number[] }>([
		{ source: 'lib/http/queue.ts', tests: [0, 1, 4] },
		{ source: 'lib/http/request.ts', tests: [1, 2] },
		{ source: 'lib/http/stream/lines.ts', tests: [2] },
		{ source: 'lib/http/stream/events/parse.ts', tests: [2] },
		{ source: 'lib/text/calls/marks.ts', tests: [3] },
		{ source: 'lib/lru-cache.ts', tests: [1, 2, 3] },
		{ source: 'credentials/DifyApi.credentials.ts', tests: [0, 1, 2, 3, 4] },
	])('the tests that are nearest to $source', async ({ source, tests }) => {
		const { nearestTests } = await load();
		expect(nearestTests(source, related)).toEqual(tests.map((at) => related[at]));
	});
});
