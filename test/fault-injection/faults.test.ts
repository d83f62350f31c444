import { builtNodes } from './built-nodes';
import { type Fault, FAULTS } from './faults';
import { fuzz, type FuzzCase } from './fuzz';
import { listCases, PHASES, reasonAgainst } from './matrix';
import { runCases } from './run-matrix';
import { CANARY_HEADER, CANARY, leaksIn, OPERATIONS } from './node-runner';
import { fs } from '../support/node-builtins';

it('runs every node of the package', () => {
	const { n8n } = JSON.parse(fs.readFileSync('package.json', 'utf8')) as {
		n8n: { nodes: string[] };
	};
	const names = n8n.nodes
		.map((file) => file.split('/')[2]!)
		.map((name) => name[0]!.toLowerCase() + name.slice(1));
	expect([...new Set(OPERATIONS.map(({ node }) => node))].sort()).toEqual(names.sort());
});

it('detects leaks of eight or more characters of a secret', () => {
	expect(leaksIn(`x${CANARY.slice(-9, -1)}x`)).toHaveLength(1);
	expect(leaksIn(`x${CANARY_HEADER.value.slice(3, 11)}x`)).toHaveLength(1);
	expect(leaksIn(`x${CANARY.slice(-8, -1)}x app-`)).toEqual([]);
});

it('names a reason for every case that it does not run', () => {
	for (const operation of OPERATIONS) {
		const run = listCases([operation]).length;
		const faultNames = PHASES.flatMap((phase) =>
			FAULTS.filter((fault) => reasonAgainst(operation, phase, fault) !== undefined),
		);
		expect(run + faultNames.length).toBe(PHASES.length * FAULTS.length);
	}
});

/** Faults that end by themselves, each at another point. Faults that wait for a timeout take minutes. */
const QUICK: Array<[(typeof PHASES)[number], Fault]> = [
	['dns', 'refused'],
	['dns', 'cut'],
	['connect', 'refused'],
	['connect', 'garbage'],
	['tls', 'html'],
	['upload', 'reset'],
	['headers', 'garbage'],
	['headers', '500'],
	['first', 'html'],
	['text', 'cut'],
	['text', 'reset'],
	['call', '500'],
	['finish', 'garbage'],
	['stop', 'silence'],
	['stop', 'endless'],
];

it('every node reports the fault, loses no text, and leaves nothing open (fast faults)', async () => {
	const cases = listCases(OPERATIONS).filter(({ phase, fault }) =>
		QUICK.some(([place, what]) => place === phase && what === fault),
	);
	const results = await runCases(builtNodes(), cases, { atOnce: 24 });
	const bad = results
		.filter(({ problems }) => problems.length > 0)
		.map(
			({ operation, phase, fault, problems }) =>
				`${operation.label}/${phase}/${fault}: ${problems.join('; ')}`,
		);
	expect(bad).toEqual([]);
	expect(results.length).toBeGreaterThan(250);
});

it('survives 300 random faults', async () => {
	const bad: string[] = [];
	let count = 0;
	await fuzz(builtNodes(), {
		first: 1,
		count: 300,
		atOnce: 24,
		onDone: ({ seed, operation, problems }: FuzzCase) => {
			count += 1;
			if (problems.length > 0) bad.push(`${seed} ${operation.label}: ${problems.join('; ')}`);
		},
	});
	expect(bad).toEqual([]);
	expect(count).toBe(300);
});
