/** Promises to users. Data. */
import { HumanMessage } from './support/agent-turns';
import { CHAT, LLAMA_SERVER, ollama, text } from './support/responses';
import { chatModel, embeddings, failureOf, model, modelList, run } from './support/node-runner';
import { json, sendJson, useServers } from '../support/servers/scripted-server';
import type { Answer } from '../support/servers/scripted-server';
import process from 'node:process';
import { measureUsedBytes } from '../support/measures/memory';
import { setTimeout as delay } from 'node:timers/promises';

const start = useServers();
const EMBED = '/v1/embeddings';

/** A server of vectors; texts that it does not like are refused. */
const vectorsOf =
	(refuses: (text: string) => boolean, refusal: Answer): Answer =>
	(request, response) => {
		const input = [request.body.input].flat() as string[];
		if (input.some(refuses)) return refusal(request, response);
		sendJson(response, {
			data: input.map((text, index) => ({ index, embedding: [text.length, 0.5] })),
		});
	};
const serve = async (...answers: Answer[]) =>
	await start({ ...LLAMA_SERVER, [`POST ${EMBED}`]: answers });
const vector = (...embedding: unknown[]) => json({ data: [{ index: 0, embedding }] });
const NO_RETRIES = { options: { maxRetries: 0 } };

describe('vectors are checked before a store sees them', () => {
	test.each([
		['no numbers', vector(null, 1)],
		['zeros, as a reranker answers', vector(0, 0)],
		['an empty one', vector()],
		['a bare NaN', json('{"data":[{"index":0,"embedding":[NaN, 1]}]}')],
		['fewer than texts', json({ data: [] })],
		['none at all', json({ hello: 'there' })],
		['an error with status 200', json({ error: 'Unexpected endpoint or method.' })],
		['a page', json('<html><body>Sign in</body></html>', 200, { 'content-type': 'text/html' })],
	])('vectors are rejected before a store sees them: %s', async (_name, answer) => {
		const server = await serve(answer);
		const { supplied } = await embeddings(server.url, { parameters: NO_RETRIES });
		expect((await failureOf(supplied.embedQuery('a'))).constructor.name).toBe('NodeOperationError');
		await failureOf(supplied.embedDocuments(['a']));
		await failureOf(run(server.url, 'vector:embed', { parameters: { text: 'a', ...NO_RETRIES } }));
	});

	test('a different length in one response, and between calls', async () => {
		const both = json({
			data: [
				{ index: 0, embedding: [1, 2] },
				{ index: 1, embedding: [1, 2, 3] },
			],
		});
		const uneven = await serve(both);
		const first = await embeddings(uneven.url, { parameters: NO_RETRIES });
		await failureOf(first.supplied.embedDocuments(['a', 'b']));
		const changing = await serve(vector(1, 2), vector(1, 2, 3));
		const { supplied } = await embeddings(changing.url, { parameters: NO_RETRIES });
		expect(await supplied.embedQuery('a')).toEqual([1, 2]);
		expect((await failureOf(supplied.embedQuery('b'))).message).toMatch(/./);
	});

	test('are in the order of the texts for any order of the response, as numbers or base64', async () => {
		const base64 = (...of: number[]) => Buffer.from(new Float32Array(of).buffer).toString('base64');
		const server = await serve(
			json({
				data: [
					{ index: 1, embedding: [2, 2] },
					{ index: 0, embedding: [1, 1] },
				],
			}),
			json({
				data: [
					{ index: 0, embedding: base64(0.5, 0.25) },
					{ index: 1, embedding: base64(4, 8) },
				],
			}),
		);
		const { supplied } = await embeddings(server.url);
		expect(await supplied.embedDocuments(['a', 'b'])).toEqual([
			[1, 1],
			[2, 2],
		]);
		expect(await supplied.embedDocuments(['a', 'b'])).toEqual([
			[0.5, 0.25],
			[4, 8],
		]);
	});
});

describe('batches', () => {
	const TEXTS = Array.from({ length: 32 }, (_none, at) => `t${at}`);

	test('a hundred texts are sent in batches and returned in order', async () => {
		const server = await serve(vectorsOf(() => false, json({})));
		const { supplied } = await embeddings(server.url);
		const texts = Array.from({ length: 100 }, (_none, at) => 'x'.repeat(at + 1));
		const lengths = (await supplied.embedDocuments(texts)).map(([length]) => length);
		expect(lengths).toEqual(texts.map(({ length }) => length));
		expect(server.sent(EMBED).length).toBeGreaterThan(1);
		expect(server.sent(EMBED).length).toBeLessThan(10);
	});

	// The last request sends an accepted text again: only then is the refused one named.
	test('are halved if the vectors of all texts are too many bytes, and the next ones are not larger', async () => {
		// 20,000 numbers as texts of 13 characters: 260 kB.
		const vector = Array.from({ length: 20_000 }, (_none, at) => 1.0000000001 + at / 100_000);
		const json = JSON.stringify(vector.map((number) => Number(number.toFixed(11))));
		const server = await start({
			...LLAMA_SERVER,
			'POST /v1/embeddings': (request, response) => {
				const { length } = request.body.input as string[];
				const entries = Array.from(
					{ length },
					(_none, index) => `{"index":${index},"embedding":${json}}`,
				);
				response.setHeader('content-type', 'application/json');
				response.end(`{"data":[${entries.join()}]}`);
			},
		});
		const { supplied } = await embeddings(server.url, {
			parameters: { options: { batchSize: 66 } },
		});
		const texts = Array.from({ length: 99 }, (_none, at) => `text ${at}`);
		const vectors = await supplied.embedDocuments(texts);
		expect(vectors.map(({ length }) => length)).toEqual(texts.map(() => vector.length));
		const sizes = server.sent('/v1/embeddings').map(({ input }) => (input as string[]).length);
		expect(sizes).toEqual([66, 33, 33, 33]);
	});

	test.each([
		['a plain 500', json({ error: 'Internal Server Error' }, 500), 't13', 11],
		[
			'one that is too large for the batch',
			json(
				{
					error: {
						code: 500,
						message:
							'input (31 tokens) is too large to process. increase the physical batch size (current batch size: 20)',
						type: 'server_error',
					},
				},
				500,
			),
			't21',
			10,
		],
	])(
		'are halved until the text that is refused is alone, and it is named: %s',
		async (_name, refusal, bad, most) => {
			const server = await serve(vectorsOf((one) => one === bad, refusal));
			const { supplied } = await embeddings(server.url, { parameters: NO_RETRIES });
			const failed = await failureOf(supplied.embedDocuments(TEXTS));
			expect(`${failed.message} ${failed.description}`).toContain(
				`ext ${Number(bad.slice(1)) + 1}`,
			);
			expect(server.sent(EMBED).length).toBeLessThanOrEqual(most);
		},
	);

	test('for Ollama use its native endpoint with truncation disabled', async () => {
		const server = await start({
			...ollama(),
			'POST /api/embed': json({
				embeddings: [
					[1, 2],
					[3, 4],
				],
				prompt_eval_count: 4,
			}),
		});
		const { supplied } = await embeddings(server.url, { parameters: { model: model('qwen3') } });
		expect(await supplied.embedDocuments(['a', 'b'])).toEqual([
			[1, 2],
			[3, 4],
		]);
		expect(server.sent('/api/embed')).toMatchObject([{ truncate: false, input: ['a', 'b'] }]);
	});

	test.each([
		['nomic-embed-text', ['search_query: a', 'search_document: a']],
		['intfloat/multilingual-e5-large', ['query: a', 'passage: a']],
		['bge-m3', ['a', 'a']],
	])('%s gets its prefixes, unless the user sets others', async (name, prefixed) => {
		const server = await serve(vectorsOf(() => false, json({})));
		const texts = async (options: object) => {
			const { supplied } = await embeddings(server.url, {
				parameters: { model: model(name), options },
			});
			await supplied.embedQuery('a');
			await supplied.embedDocuments(['a']);
			return server
				.sent(EMBED)
				.slice(-2)
				.flatMap(({ input }) => input);
		};
		expect(await texts({})).toEqual(prefixed);
		expect(await texts({ queryPrefix: 'Q ', documentPrefix: 'D ' })).toEqual(['Q a', 'D a']);
	});
});

describe('text files', () => {
	const TEXT = '你好，世界。Größe';
	const gbk = Buffer.from([0xc4, 0xe3, 0xba, 0xc3]);
	test.each<[string, Buffer, string, string]>([
		['UTF-8', Buffer.from(TEXT), 'text/plain', TEXT],
		['UTF-8 with its mark', Buffer.from(`\uFEFF${TEXT}`), 'text/csv', TEXT],
		['UTF-16 as Excel writes it', Buffer.from(`\uFEFF${TEXT}`, 'utf16le'), 'text/csv', TEXT],
		['UTF-16 big-endian', Buffer.from(`\uFEFF${TEXT}`, 'utf16le').swap16(), 'text/plain', TEXT],
		['GBK', gbk, 'text/plain; charset=gbk', '你好'],
		['GB18030', gbk, 'text/plain; charset=gb18030', '你好'],
		['Latin-1', Buffer.from('Größe; über', 'latin1'), 'text/plain', 'Größe; über'],
	])('in %s are decoded before they are sent', async (_name, bytes, mimeType, expected) => {
		const server = await start({ ...LLAMA_SERVER, [`POST ${CHAT}`]: text('Read.') });
		const file = { data: bytes.toString('base64'), mimeType, fileName: 'list.txt' };
		await run(server.url, 'text:chat', {
			parameters: { prompt: 'Sum up', options: { binaryFields: 'data' } },
			items: [{ json: {}, binary: { data: file } }],
		});
		const [{ messages }] = server.sent(CHAT) as [{ messages: Array<{ content: string }> }];
		expect(messages[0]!.content).toContain(expected);
		expect(messages[0]!.content).not.toContain('\uFEFF');
		expect(messages[0]!.content).not.toContain('\uFFFD');
	});
});

describe('large amounts', () => {
	const MEGABYTE = 1024 * 1024;
	const PNG_SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
	/** CPU time, which other processes do not change. */
	async function cpuSeconds(work: () => Promise<unknown>): Promise<number> {
		const before = process.cpuUsage();
		await work();
		const { user, system } = process.cpuUsage(before);
		return (user + system) / 1e6;
	}

	test('memory stays flat over many images', async () => {
		const server = await start({ ...LLAMA_SERVER, [`POST ${CHAT}`]: text('Seen.') });
		const collect = (): number => {
			const { heap, external } = measureUsedBytes();
			return (heap + external) / MEGABYTE;
		};
		const look = async (picture: number) => {
			const bytes = Buffer.concat([PNG_SIGNATURE, Buffer.alloc(MEGABYTE, picture)]);
			const url = `data:image/png;base64,${bytes.toString('base64')}`;
			const { supplied, close } = await chatModel(server.url);
			await supplied.invoke([new HumanMessage([{ type: 'image_url', image_url: { url } }])]);
			await close();
			server.requests.length = 0;
		};
		for (let picture = 0; picture < 5; picture++) await look(picture);
		let before = collect();
		// Sockets are still closing, and hold their requests.
		for (let tries = 0; tries < 5; tries++) {
			await delay(40);
			before = Math.min(before, collect());
		}
		// Twenty pictures are 27 MB of base64.
		for (let picture = 5; picture < 25; picture++) await look(picture);
		const maxGrowth = 15;
		let grew = maxGrowth;
		// The last sockets may still be closing on a busy machine.
		for (let tries = 0; tries < 100 && grew >= maxGrowth; tries++) {
			await delay(10);
			grew = collect() - before;
		}
		expect(grew).toBeLessThan(maxGrowth);
	});

	test('a list of 20,000 models and a text of 2 MB are read or rejected in linear time', async () => {
		const data = Array.from({ length: 20_000 }, (_none, at) => ({
			id: `model-${at}`,
			object: 'model',
			owned_by: 'llamacpp',
		}));
		const server = await start({
			...LLAMA_SERVER,
			'GET /v1/models': json({ object: 'list', data }),
			[`POST ${CHAT}`]: text('Read.'),
		});
		const listed = await cpuSeconds(async () => await modelList(server.url).catch(() => undefined));
		const long = 'word 1 [INST] {"a": "b"} <tool_call>\n'.repeat(56_000);
		const { supplied } = await chatModel(server.url);
		const read = await cpuSeconds(async () => await supplied.invoke(long).catch(() => undefined));
		expect(listed).toBeLessThan(5);
		expect(read).toBeLessThan(5);
		for (const { messages } of server.sent(CHAT) as Array<{ messages: Array<{ content: string }> }>)
			expect(messages[0]!.content.length).toBeGreaterThanOrEqual(long.length);
	});
});
