import { NodeConnectionTypes, type NodeOperationError } from 'n8n-workflow';

import { createServerError } from '../../../lib/errors/create-error';
import { SubNodeLog } from '../../../nodes/shared/sub-node-log';
import { fakeContext } from '../../support/context';

function logged() {
	const fake = fakeContext({}, {});
	return { ...fake, log: new SubNodeLog(fake.context, NodeConnectionTypes.AiEmbedding, 0) };
}
const call = <T>(run: (signal: AbortSignal | undefined) => Promise<T>) => ({
	input: { query: 'a' },
	run,
	output: (result: T) => ({ result: JSON.stringify(result) }),
});

it('shows what it is told of a call, and gives the result', async () => {
	const { log, inputs, outputs } = logged();
	expect(await log.call(call(async () => [1, 2]))).toEqual([1, 2]);
	expect([inputs, outputs]).toEqual([
		[{ query: 'a' }],
		[{ result: '[1,2]', milliseconds: expect.any(Number) as number }],
	]);
});

it('a failure is the error of the sub-node, thrown and shown', async () => {
	const { log, outputs } = logged();
	const broken = createServerError(
		'serverError',
		{ url: 'http://127.0.0.1:1' },
		{ status: 500, serverText: 'boom' },
	);
	const failed = await log
		.call(call(async () => await Promise.reject(broken)))
		.catch((error: unknown) => error);
	expect(outputs).toEqual([failed]);
	expect(failed as NodeOperationError).toMatchObject({
		functionality: 'regular',
		node: { id: '1' },
	});
});

it('Simple Vector Store: goes on after its execution has ended, and takes no signal of it', async () => {
	const { log, context, cancel } = logged();
	const gone = () => {
		throw new Error('The execution has ended');
	};
	Object.assign(context, { addInputData: gone, addExecutionHints: gone });
	cancel.abort();
	const given: Array<AbortSignal | undefined> = [];
	expect(
		await log.call(
			call(async (signal) => {
				given.push(signal);
				log.hint('said to nobody');
				return 'fine';
			}),
		),
	).toBe('fine');
	expect(given).toEqual([undefined]);
});

it('the signal of a running execution is handed on', async () => {
	const { log, cancel } = logged();
	await log.call(
		call(async (signal) => {
			expect(signal).toBe(cancel.signal);
			return await Promise.resolve(1);
		}),
	);
});

it('a hint is said once, however often', () => {
	const { log, hints } = logged();
	for (const message of ['one', 'two', 'one']) log.hint(message);
	expect(hints.map(({ message }) => message)).toEqual(['one', 'two']);
});
