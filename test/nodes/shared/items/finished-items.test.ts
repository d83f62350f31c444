/** What a node keeps of its run when one item fails. */
import type { NodeOperationError } from 'n8n-workflow';
import { MAX_FINISHED_LENGTH } from '../../../../nodes/shared/items/finished-items';
import { useLocalLlama } from '../../LocalLlama/run-node';
import { reply } from '../../../simulators/llama-server';

const { serve, getError } = useLocalLlama();

const CHAT = {
	resource: 'text',
	operation: 'chat',
	options: { maxRetries: 0, maxConcurrentItems: 1 },
};

interface Details {
	finished?: Array<{ item: number; json: { output: string } }>;
	finishedOmitted?: number;
}

/** Runs a chat of each prompt; "bad" fails. */
async function failAt(
	prompts: string[],
	{
		answer = (text: string) => `You said ${text}`,
		...setup
	}: Record<string, unknown> & { answer?: (text: string) => string } = {},
): Promise<NodeOperationError & { context: { data: Details } }> {
	const sim = await serve();
	for (const prompt of prompts)
		sim.script(
			prompt === 'bad' ? reply.llamaError(400, 'It is bad.', 'x') : reply.text(answer(prompt)),
		);
	// A rejection that names nothing is sent once more.
	sim.script(reply.llamaError(400, 'It is bad.', 'x'));
	return (await getError(CHAT, {
		items: prompts.map((prompt) => ({ json: { prompt } })),
		perItem: prompts.map((prompt) => ({ prompt })),
		...setup,
	})) as NodeOperationError & { context: { data: Details } };
}

test('the last of three items fails: the results of the others are in the details, and the text says how to keep them', async () => {
	const error = await failAt(['one', 'two', 'bad']);
	expect(error.context.data.finished).toEqual([
		{ item: 1, json: { prompt: 'one', output: 'You said one' } },
		{ item: 2, json: { prompt: 'two', output: 'You said two' } },
	]);
	expect(error.context.data).toMatchObject({ type: expect.any(String) });
	expect(error.description).toMatch(
		/2 of 3 items were finished.*On Error to Continue.*Overnight batch/,
	);
	expect(error.message).toContain('(item 3 of 3)');
});

test.each([
	['the first item', ['bad', 'one']],
	['the only item', ['bad']],
])('%s fails: nothing was finished, and nothing is said of it', async (_name, prompts) => {
	const error = await failAt(prompts);
	expect(error.context.data.finished).toBeUndefined();
	expect(error.description).not.toContain('finished');
});

test('results of more than 1 MB are counted', async () => {
	const large = Array.from({ length: 80_000 }, (_none, at) => `w${at} `)
		.join('')
		.slice(0, MAX_FINISHED_LENGTH / 2 - 100);
	const { finished, finishedOmitted } = (
		await failAt(['one', 'two', 'three', 'bad'], { answer: () => large })
	).context.data;
	expect([finished!.length, finishedOmitted]).toEqual([2, 1]);
});

test('a key in an item is masked, and a file is left out', async () => {
	const key = 'sk-of-the-credential-4711';
	const sim = await serve({ apiKey: key });
	sim.script(
		reply.text('Hi'),
		reply.llamaError(400, 'It is bad.', 'x'),
		reply.llamaError(400, 'It is bad.', 'x'),
	);
	const binary = { data: { data: 'AAAA', mimeType: 'text/plain', fileName: 'a.txt' } };
	const error = await getError(
		{ ...CHAT, options: { ...CHAT.options, includeInputFields: true } },
		{
			items: [{ json: { note: key }, binary }, { json: {} }],
			perItem: [{ prompt: 'one' }, { prompt: 'bad' }],
			credentials: { baseUrl: sim.url, apiKey: key, authentication: 'bearer' },
		},
	);
	expect((error.context.data as Details).finished).toEqual([
		{ item: 1, json: { note: '***', output: 'Hi' } },
	]);
});
