import { NodeConnectionTypes } from 'n8n-workflow';
import type { NodeOperationError } from 'n8n-workflow';
import { createServerError } from '../../../../lib/errors/create-error';
import { SubNode } from '../../../../nodes/shared/items/sub-node';
import { fakeContext } from '../../../support/n8n/context';

function logged() {
	const fake = fakeContext({}, {});
	const { context } = fake;
	const connection = NodeConnectionTypes.AiEmbedding;
	const subNode = new SubNode({ context, connection, itemIndex: 0 });
	return { ...fake, subNode, log: subNode.log };
}
const call = <T>(run: (signal: AbortSignal | undefined) => Promise<T>) => ({
	input: { query: 'a' },
	run,
	output: (result: T) => ({ result: JSON.stringify(result) }),
});

it('logs input and output of a call, and returns the result', async () => {
	const { log, inputs, outputs } = logged();
	expect(await log.call(call(async () => [1, 2]))).toEqual([1, 2]);
	expect([inputs, outputs]).toEqual([
		[{ query: 'a' }],
		[{ result: '[1,2]', milliseconds: expect.any(Number) as number }],
	]);
});

it('an error is that of the sub-node, thrown and logged', async () => {
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

it.each([
	['is not streamed', () => false, /^Check .*URL: http:/],
	['is streamed', () => true, /^The server returned an error\. Check .*URL: http:/],
	['may be streamed, in n8n 2.20', undefined, /^The server returned an error\. Check .*URL: http:/],
])('the description if the execution %s', (_what, isStreaming, pattern) => {
	const { subNode, context } = logged();
	Object.assign(context, { isStreaming, getMode: () => 'manual' });
	const error = createServerError('serverError', { url: 'http://127.0.0.1:1' });
	expect(subNode.toError(error).description).toMatch(pattern);
});

it('Simple Vector Store: continues after its execution has ended, without its signal', async () => {
	const { log, context, cancel } = logged();
	const throwEnded = () => {
		throw new Error('The execution has ended');
	};
	Object.assign(context, { addInputData: throwEnded, addExecutionHints: throwEnded });
	cancel.abort();
	const signals: Array<AbortSignal | undefined> = [];
	expect(
		await log.call(
			call(async (signal) => {
				signals.push(signal);
				log.hint('not shown');
				return 'fine';
			}),
		),
	).toBe('fine');
	expect(signals).toEqual([undefined]);
});

it('the signal of a running execution is passed on', async () => {
	const { log, cancel } = logged();
	await log.call(
		call(async (signal) => {
			expect(signal).toBe(cancel.signal);
			return await Promise.resolve(1);
		}),
	);
});

it('a repeated hint is shown once', () => {
	const { log, hints } = logged();
	for (const message of ['one', 'two', 'one']) log.hint(message);
	expect(hints.map(({ message }) => message)).toEqual(['one', 'two']);
});
