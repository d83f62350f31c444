/**
 * A model server that fails is asked once more, whatever the operation is and whatever the server says. Users learn it: from
 * a hint with its words if it responds then, from the error if it fails again.
 */
import { useClock } from '../guarantees/support/fake-clock';
import { createCredential, expectNoProblems, passUntilEnded } from './harness';
import type { GoodResponse } from './good-responses';
import { startGoodServer } from './good-server';
import type { GoodServer } from './good-server';
import { listOperations } from './operations';
import type { Operation, OperationResult } from './operations';

interface Failure {
	name: string;
	response: GoodResponse;
	/** What the hint says of it. */
	words: string;
}

const JSON_TYPE = { 'content-type': 'application/json' };

const FAILURES: readonly Failure[] = [
	{
		name: 'a sentence that nothing knows (vLLM with gpt-oss)',
		response: {
			status: 500,
			headers: JSON_TYPE,
			body: JSON.stringify({
				error: { message: 'list index out of range', type: 'InternalServerError', code: 500 },
			}),
		},
		words: 'the server failed with status 500 ("list index out of range").',
	},
	{
		name: 'a failure in another language',
		response: {
			status: 500,
			headers: JSON_TYPE,
			body: JSON.stringify({ error: '服务器内部错误' }),
		},
		words: 'the server failed with status 500 ("服务器内部错误").',
	},
	{
		name: 'an empty body',
		response: { status: 500, headers: {}, body: '' },
		words: 'the server failed with status 500.',
	},
	{
		name: 'an error inside a 200',
		response: { headers: JSON_TYPE, body: JSON.stringify({ error: 'Already borrowed' }) },
		words: 'the response contained an error ("Already borrowed").',
	},
];

/** Operations in which a model generates something: it changes nothing on the server. */
const GENERATES = /^Local(?: Llama (?:text|vector|image|audio)|ChatModel|Embeddings|Reranker) /;

/** Those with a history in several messages. */
const CHATS = /^Local Llama (?:image ask|text (?:chat|extract|classify))$/;

const clock = useClock();
let operations: Operation[];
beforeAll(async () => {
	operations = (await listOperations()).filter(({ name }) => GENERATES.test(name));
});

interface Run {
	result?: OperationResult;
	error?: Error & { description?: string };
	requests: number;
}

/** Runs each operation on a server that fails so often. */
async function runAll({ response }: Failure, times: number): Promise<Map<string, Run>> {
	const isGeneration = (method: string, line: string) =>
		method === 'POST' && !/\/api\/show|\/tokenize|\/apply-template/.test(line);
	const failed = new Map<string, number>();
	const server: GoodServer = await startGoodServer(({ name, method, line }) => {
		const count = failed.get(name) ?? 0;
		if (!isGeneration(method, line) || count >= times) return undefined;
		failed.set(name, count + 1);
		return response;
	});
	const runs = new Map<string, Run>();
	const works = new Map<string, Promise<unknown>>();
	for (const operation of operations) {
		const { name } = operation;
		const credentials = [
			createCredential(operation, { url: server.at(name), key: 'x'.repeat(24) }),
		];
		const options = { maxRetries: 1 };
		const work = operation.run({ credentials, continueOnFail: false, options }).then(
			(result) => ({ result }),
			(error: Error) => ({ error }),
		);
		const count = () => server.to(name).filter(({ method, line }) => isGeneration(method, line));
		works.set(
			name,
			work.then((run) => runs.set(name, { ...run, requests: count().length })),
		);
	}
	const pending = await passUntilEnded(works, { clock, servers: [server], maxMs: 400_000 });
	await server.close();
	expect(pending).toEqual([]);
	expect(runs.size).toBeGreaterThan(12);
	return runs;
}

describe.each(FAILURES)('a second try after $name', (failure) => {
	test('once: a hint says it', async () => {
		const problems: string[] = [];
		for (const [name, { result, error, requests }] of await runAll(failure, 1)) {
			const hints = (result?.hints ?? []).map(({ message }) => message);
			const expected = `The request was sent twice: ${failure.words}`;
			if (error) problems.push(`${name}: ${error.message}`);
			else if (!hints.includes(expected))
				problems.push(`${name}: ${hints.join(' | ') || 'no hint'}`);
			if (requests !== 2) problems.push(`${name}: ${requests} requests`);
		}
		expectNoProblems(problems);
	});

	test('always: the error says that it was tried twice', async () => {
		const problems: string[] = [];
		for (const [name, { error, requests }] of await runAll(failure, Infinity)) {
			const description = error?.description ?? '';
			if (!description.includes('A second try failed as well.'))
				problems.push(`${name}: ${description}`);
			if (/not retried|\bOr shorten\b/.test(description)) problems.push(`${name}: ${description}`);
			// What refuses nothing by name may refuse the form of the history: then one more shows it.
			const isAlsoStrict = failure.response.status === undefined && CHATS.test(name);
			if (requests !== (isAlsoStrict ? 3 : 2)) problems.push(`${name}: ${requests} requests`);
		}
		expectNoProblems(problems);
	});
});
