/**
 * Every operation behind every other, as a tool, on the error output, with files attached, and with an item that has the
 * written field already: no field of the input vanishes without a hint, no sentence is repeated, and nothing about a
 * server reaches a model.
 */
import type { IDataObject, NodeOperationError } from 'n8n-workflow';

import { startGoodServer } from '../faults/good-server';
import type { GoodServer } from '../faults/good-server';
import { createCredential, expectNoProblems, passUntilEnded } from '../faults/harness';
import { listOperations } from '../faults/operations';
import type { Operation, OperationResult, OperationRun } from '../faults/operations';
import { useClock } from './support/fake-clock';

const clock = useClock();
/** A message of a server whose words no visitor and no model may read. */
const SECRET = 'CUDA error in /srv/secret/model.gguf on secret-host 10.20.30.40';
const FAILURE = {
	status: 500,
	headers: { 'content-type': 'application/json' },
	body: JSON.stringify({ error: { message: SECRET, code: 500 }, message: SECRET, status: 500 }),
};
/** A value that only the input has. */
const EARLIER = 'of-an-earlier-node';

let operations: Operation[];
let server: GoodServer;
beforeEach(async () => {
	operations = (await listOperations()).filter(({ type }) => type === 'action');
	server = await startGoodServer(({ name }) => (name.endsWith('failing') ? FAILURE : undefined));
});
afterEach(async () => await server.close());

/** The error of a node, or its result. */
type Outcome = OperationResult | NodeOperationError;

/** Runs each operation, for the server of that name. */
async function runAll(
	suffix: string,
	setup: Omit<OperationRun, 'credentials'>,
): Promise<Map<string, Outcome>> {
	const works = new Map<string, Promise<unknown>>();
	const outcomes = new Map<string, Outcome>();
	for (const operation of operations) {
		const name = `${operation.name} ${suffix}`;
		const credential = createCredential(operation, { url: server.at(name), key: 'key-7f3a91c4d2' });
		const work = operation
			.run({ ...setup, credentials: [credential] })
			.catch((error: unknown) => error as NodeOperationError);
		works.set(name, work);
		void work.then((outcome) => outcomes.set(operation.name, outcome));
	}
	expect(await passUntilEnded(works, { clock, servers: [server] })).toEqual([]);
	return outcomes;
}

const isError = (outcome: Outcome): outcome is NodeOperationError => outcome instanceof Error;

const getJson = (outcome: Outcome): IDataObject[] =>
	isError(outcome) ? [] : (outcome.items ?? []).flat().map(({ json }) => json);

/** The fields that some operation writes: an item behind any of them, or several, has these. */
async function collectWrittenFields(): Promise<IDataObject> {
	const written = [...(await runAll('first', {})).values()].flatMap(getJson);
	const names = written.flatMap((json) => Object.keys(json)).filter((name) => name !== 'error');
	return Object.fromEntries(names.map((name) => [name, EARLIER]));
}

const getHints = ({ hints = [] }: OperationResult): string =>
	hints.map(({ message }) => message).join(' ');

test('behind every other operation, no field or file vanishes without a hint', async () => {
	const fields = await collectWrittenFields();
	expect(Object.keys(fields).length).toBeGreaterThan(30);
	const outcomes = await runAll('behind', { fields, options: { simplify: false } });
	let kept = 0;
	const problems = [...outcomes].flatMap(([name, outcome]) => {
		if (isError(outcome)) return [`${name}: ${outcome.message}`];
		const hints = getHints(outcome);
		return (outcome.items ?? []).flat().flatMap(({ json }) => {
			// An operation either adds to its input, or returns only what the server has.
			if (!Object.values(json).includes(EARLIER)) return [];
			kept++;
			return Object.keys(fields)
				.filter((field) => json[field] !== EARLIER && !hints.includes(`"${field}"`))
				.map((field) => `${name}: ${field} vanished`);
		});
	});
	expectNoProblems(problems);
	expect(kept).toBeGreaterThanOrEqual(9);
});

test.each(['working', 'failing'])(
	'as a tool, nothing about a %s server reaches the model',
	async (suffix) => {
		const outcomes = [
			await runAll(suffix, { isTool: true, fields: { earlier: EARLIER } }),
			await runAll(suffix, { isTool: true, continueOnFail: true, fields: { earlier: EARLIER } }),
		];
		const problems = outcomes.flatMap((all) =>
			[...all].flatMap(([name, outcome]) => {
				const text = isError(outcome)
					? `${outcome.message} ${outcome.description}`
					: JSON.stringify(getJson(outcome));
				const found = /secret|CUDA|10\.20|127\.0\.0\.1|of-an-earlier-node/.exec(text);
				return found === null ? [] : [`${name}: ${text.slice(0, 200)}`];
			}),
		);
		expectNoProblems(problems);
	},
);

test('on the error output, each sentence stands once, and no advice is followed already', async () => {
	const outcomes = await runAll('failing', { continueOnFail: true });
	let failed = 0;
	const problems = [...outcomes].flatMap(([name, outcome]) => {
		if (isError(outcome)) return [`${name}: failed with ${outcome.message}`];
		return getJson(outcome).flatMap(({ error }) => {
			if (error === undefined) return [];
			failed++;
			const { message, description = '' } = error as Record<string, string>;
			const isRepeated = description.startsWith(message!);
			const isFollowed = /On Error/.test(description);
			return isRepeated || isFollowed ? [`${name}: ${message} | ${description}`] : [];
		});
	});
	expectNoProblems(problems);
	expect(failed).toBeGreaterThan(30);
});
