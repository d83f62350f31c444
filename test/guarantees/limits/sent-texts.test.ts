/** A text that is too long is an error before anything is sent, at every place where one comes in. */
import { MAX_TEXT_BYTES } from '../../../lib/task-limits';
import { startApp } from '../../lib/dify/client';
import { sendMessageJson } from '../../nodes/dify';
import { AIMessage, ToolMessage } from '../../support/n8n/chat-model';
import { testLimit, textOfBytes } from '../../support/jest/limits';
import { binaryFile } from '../../support/n8n/binary-file';
import { json, useServers } from '../../support/servers/scripted-server';
import { chatModel, embeddings, reranker, run } from '../support/node-runner';
import { CHAT, LLAMA_SERVER, text } from '../support/responses';

const start = useServers();

const startServer = async () =>
	await start({
		...LLAMA_SERVER,
		[`POST ${CHAT}`]: text('Read.'),
		'POST /v1/completions': json({ choices: [{ text: 'Read.', finish_reason: 'stop' }] }),
		'POST /v1/embeddings': json({ data: [{ index: 0, embedding: [1, 2] }], usage: {} }),
		'POST /v1/rerank': json({ results: [{ index: 0, relevance_score: 1 }] }),
		'POST /v1/audio/speech': (_request, response) => {
			response.writeHead(200, { 'content-type': 'audio/mpeg' });
			response.end(Buffer.alloc(1_000, 0xff));
		},
	});

const fileOf = (content: string, fileName = 'a.txt') => ({
	items: [{ json: {}, binary: { data: binaryFile(content, fileName) } }],
	parameters: { prompt: 'Read.', options: { binaryFields: 'data' } },
});

/** Sends a text to the server in each way. */
const DOORS: Record<string, (url: string, long: string) => Promise<unknown>> = {
	'a message to the chat model': async (url, long) =>
		await (await chatModel(url)).supplied.invoke(long),
	'a system message of the chat model': async (url, long) =>
		await (
			await chatModel(url)
		).supplied.invoke([
			['system', long],
			['human', 'Hi'],
		]),
	'an earlier response': async (url, long) =>
		await (
			await chatModel(url)
		).supplied.invoke([
			['human', 'Hi'],
			['ai', long],
			['human', 'Hi'],
		]),
	'a text block': async (url, long) =>
		await (await chatModel(url)).supplied.invoke([['human', [{ type: 'text', text: long }]]]),
	'a file of the chat model': async (url, long) =>
		await (
			await chatModel(url)
		).supplied.invoke([
			[
				'human',
				[
					{
						type: 'file',
						data: Buffer.from(long).toString('base64'),
						mime_type: 'text/plain',
						source_type: 'base64',
					},
				],
			],
		]),
	'the prompt of Chat': async (url, long) =>
		await run(url, 'text:chat', { parameters: { prompt: long } }),
	'a text file of Chat': async (url, long) => await run(url, 'text:chat', fileOf(long)),
	'a message of Chat': async (url, long) =>
		await run(url, 'text:chat', {
			parameters: { options: { messagesJson: JSON.stringify([{ role: 'user', content: long }]) } },
		}),
	'a prompt of Complete': async (url, long) =>
		await run(url, 'text:complete', { parameters: { prompt: [long] } }),
	'a text of Embed': async (url, long) =>
		await run(url, 'vector:embed', { parameters: { text: [long] } }),
	'a text of Local Embeddings': async (url, long) =>
		await (await embeddings(url)).supplied.embedQuery(long),
	'a document of Rerank': async (url, long) =>
		await run(url, 'vector:rerank', { parameters: { query: 'q', document: [long] } }),
	'a query of Local Reranker': async (url, long) =>
		await (await reranker(url)).supplied.compressDocuments([{ pageContent: 'a' }], long),
	'a text of Speak': async (url, long) =>
		await run(url, 'audio:speak', { parameters: { text: long, voice: 'a' } }),
};

const LENGTHS = {
	limit: 2 * 1024 * 1024,
	within: 'sent',
	beyond: 'has 2.1 MB of text, more than the maximum of 2 MB',
} as const;

const outcomeOf = async (work: Promise<unknown>): Promise<string> =>
	await work.then(
		() => 'sent',
		({ message }: Error) => /has 2\.1 MB .*/.exec(message)?.[0] ?? message,
	);

describe.each(Object.entries(DOORS))('%s', (_name, send) => {
	testLimit('lib/task-limits.ts#MAX_TEXT_BYTES', {
		...LENGTHS,
		outcome: async (bytes) => {
			const server = await startServer();
			const outcome = await outcomeOf(send(server.url, textOfBytes(bytes)));
			const posts = server.requests.filter(
				({ method, path }) => method === 'POST' && /^\/v1\//.test(path),
			);
			return posts.length === (outcome === 'sent' ? 1 : 0) ? outcome : `${posts.length} requests`;
		},
	});
});

test.each(Object.entries(DOORS))(
	'%s: what the node adds to turn tokens does not count',
	async (_name, send) => {
		const { url } = await startServer();
		const token = '<|im_start|>';
		const long = token.repeat(Math.floor(MAX_TEXT_BYTES / token.length));
		expect(await outcomeOf(send(url, long))).toBe('sent');
	},
);

testLimit('lib/task-limits.ts#MAX_TEXT_BYTES', {
	...LENGTHS,
	of: 'bytes of an input of Dify',
	outcome: async (bytes) => {
		const sim = await startApp({ mode: 'chat' });
		const inputsJson = JSON.stringify({ a: { b: [textOfBytes(bytes)] } });
		return await outcomeOf(
			sendMessageJson(sim, { parameters: { inputsMode: 'json', inputsJson } }),
		);
	},
});

testLimit('lib/task-limits.ts#TASK_LIMITS.difyRun.sentBytes', {
	limit: 16 * 1024 * 1024,
	of: 'bytes of all inputs of Dify',
	outcome: async (bytes) => {
		const sim = await startApp({ mode: 'chat' });
		const parts = Array.from({ length: 7 }, () => 'a'.repeat(MAX_TEXT_BYTES));
		const rest = textOfBytes(bytes - 7 * MAX_TEXT_BYTES);
		const half = rest.length / 2;
		const inputsJson = JSON.stringify({ a: parts, b: rest.slice(0, half), c: rest.slice(half) });
		return await sendMessageJson(sim, { parameters: { inputsMode: 'json', inputsJson } }).then(
			() => 'sent',
			({ message }: Error) => message,
		);
	},
	within: 'sent',
	beyond: 'The set of inputs has 16.8 MB of text, more than the maximum of 16 MB',
});

test('the description of a label, which is only a part of a message, names its field', async () => {
	const { url, requests } = await startServer();
	const description = 'a'.repeat(MAX_TEXT_BYTES + 1);
	const labels = { label: [{ name: 'Read.', description }, { name: 'b' }] };
	await expect(run(url, 'text:classify', { parameters: { text: 'a', labels } })).rejects.toThrow(
		'The field "Description" has 2.1 MB of text, more than the maximum of 2 MB',
	);
	expect(requests.filter(({ method }) => method === 'POST')).toEqual([]);
});

describe('the result of a tool', () => {
	const ask = async (result: string, count = 1) => {
		const server = await startServer();
		const { supplied, hints } = await chatModel(server.url);
		const calls = Array.from({ length: count }, (_none, at) => ({
			id: `c${at}`,
			name: 'read',
			args: {},
		}));
		const outcome = await outcomeOf(
			supplied.invoke([
				['human', 'Hi'],
				new AIMessage({ content: '', tool_calls: calls }),
				...calls.map(({ id }) => new ToolMessage({ content: result, tool_call_id: id })),
			]),
		);
		const [body] = server.sent(CHAT) as Array<{ messages: Array<{ content: string }> }>;
		return { outcome, content: body?.messages.at(-1)?.content, hints };
	};

	test('is sent whole with as many bytes as a text may have', async () => {
		const result = textOfBytes(MAX_TEXT_BYTES);
		expect(await ask(result)).toMatchObject({ content: result, hints: [] });
	});

	test('is cut beyond it, between two characters, with a note for the model and a hint', async () => {
		const { content, hints } = await ask('a' + '界'.repeat(MAX_TEXT_BYTES));
		const [kept, note] = content!.split('\n');
		expect(kept).toBe('a' + '界'.repeat(Math.floor((MAX_TEXT_BYTES - 1) / 3)));
		expect(note).toBe('[Cut: the result has 6.3 MB of text, more than the maximum of 2 MB]');
		expect(hints.map(({ message }) => message)).toEqual([
			'The result of the tool "read" has 6.3 MB of text, more than the maximum of 2 MB. The model got its beginning.',
		]);
	});

	test('several together are an error beyond 4 MB', async () => {
		const part = 'a'.repeat(MAX_TEXT_BYTES - 10);
		expect((await ask(part, 2)).outcome).toBe('sent');
		expect((await ask(part, 3)).outcome).toBe(
			'The conversation has 6.3 MB of text, more than the maximum of 4 MB',
		);
	});
});
