import type { IBinaryKeyData } from 'n8n-workflow';

import { startApp, startSim } from '../dify/client';
import {
	ALL_FILES,
	sendMessages,
	sendMessageError,
	executeNode,
	executePrepared,
	getNodeError,
	prepareNode,
	textFile,
} from '../../nodes/dify';
import { failureOf, run } from '../../guarantees/support/node-runner';
import { LLAMA_SERVER } from '../../guarantees/support/responses';
import { json, useServers } from '../../support/servers/scripted-server';

const STORED = [
	{
		json: {},
		binary: { data: { data: '', id: 'store:1', mimeType: 'text/plain', fileName: 'a.txt' } },
	},
];

describe('binary data', () => {
	test('as base64 with line breaks, and without its padding', async () => {
		const sim = await startSim();
		const lines = Buffer.from('x'.repeat(1000))
			.toString('base64')
			.replace(/(.{76})/g, '$1\r\n');
		for (const data of [lines, 'YWI'])
			await sendMessages(sim, { items: textFile(data), parameters: ALL_FILES });
		expect(
			[...sim.store.files.values()].map(({ content }) => Buffer.from(content).toString()),
		).toEqual(['x'.repeat(1000), 'ab']);
	});

	describe.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])(
		'in a field named %s',
		(name) => {
			const [file] = textFile('aGk=');
			const items = [file!];
			const missing = `The item has no binary field '${name}'. The item has: data`;

			test('that the item lacks is missing: Dify', async () => {
				const sim = await startSim();
				const failed = executeNode('difyApp', sim, {
					items,
					parameters: { resource: 'file', operation: 'upload', binaryPropertyName: name },
				});
				expect((await getNodeError(failed)).message).toBe(missing);
				expect(sim.requests).toHaveLength(0);
			});

			test.each([
				{ operation: 'audio:transcribe', parameters: { binaryPropertyName: name } },
				{ operation: 'text:chat', parameters: { prompt: 'Hi', options: { binaryFields: name } } },
			] as const)(
				'that the item lacks is missing: $operation',
				async ({ operation, parameters }) => {
					const failed = run('http://127.0.0.1:9', operation, { items, parameters });
					expect((await failureOf(failed)).message).toBe(missing);
				},
			);

			test('that the item has is read', async () => {
				const sim = await startSim();
				const binary = JSON.parse(
					`{"${name}":${JSON.stringify(file!.binary.data)}}`,
				) as IBinaryKeyData;
				await executeNode('difyApp', sim, {
					items: [{ json: {}, binary }],
					parameters: { resource: 'file', operation: 'upload', binaryPropertyName: name },
				});
				expect(sim.store.files.size).toBe(1);
			});
		},
	);

	test.each([
		['base64', `data:text/plain;base64,${Buffer.from('hello').toString('base64')}`, 'hello'],
		['base64 with a character set', 'data:text/plain;charset=utf-8;base64,aGk=', 'hi'],
		['percent-encoded', 'data:text/plain,Gr%C3%BC%C3%9Fe', 'Grüße'],
		['upper case, after a line break', '\n DATA:text/plain;BASE64,aGk', 'hi'],
	])('as a data URL that a Code node made: %s', async (_name, data, content) => {
		const sim = await startSim();
		await sendMessages(sim, { items: textFile(data), parameters: ALL_FILES });
		const files = [...sim.store.files.values()].map((file) => Buffer.from(file.content).toString());
		expect(files).toEqual([content]);
	});

	test.each([
		['a text', 'Hello, world!'],
		['JSON', '{"data":"aGk="}'],
		['a path', 'C:\\files\\a.txt'],
		['a data URL of something else', 'data:text/plain;base64,Hello, world!'],
		['base64 with words behind it', 'aGk= and more'],
	])('that is %s instead of base64 is rejected before anything is sent', async (_name, data) => {
		const sim = await startSim();
		const setup = { items: textFile(data), parameters: ALL_FILES };
		expect((await sendMessageError(sim, setup)).message).toBe(
			'The binary data of "a.txt" is not base64',
		);
		expect(sim.requests).toHaveLength(0);
	});

	test('without content is rejected, in memory and in a store', async () => {
		const sim = await startApp({
			mode: 'chat',
			fileUpload: { enabled: true, types: ['document'] },
		});
		for (const setup of [
			{ items: textFile('') },
			{ items: STORED, stored: { 'store:1': new Uint8Array(0) } },
		]) {
			expect((await sendMessageError(sim, { ...setup, parameters: ALL_FILES })).message).toBe(
				'The binary data of "a.txt" is empty',
			);
		}
		expect(sim.requests).toHaveLength(0);
	});

	test.each<[string, () => AsyncGenerator<Uint8Array>, string]>([
		[
			'breaks off',
			async function* () {
				yield new Uint8Array(500);
				throw Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT' });
			},
			'ENOENT: no such file',
		],
		[
			'is shorter than it said',
			async function* () {
				yield new Uint8Array(500);
			},
			'it ended after 500 of 1000 bytes',
		],
		[
			'is longer than it said',
			async function* () {
				yield new Uint8Array(500);
				yield new Uint8Array(900);
			},
			'it is longer than its 1000 bytes',
		],
	])('that %s is reported as such, not as too large', async (_name, read, reason) => {
		const sim = await startSim();
		const fake = prepareNode('difyChatMessage', sim, {
			items: STORED,
			stored: { 'store:1': new Uint8Array(1000) },
			parameters: ALL_FILES,
		});
		Object.assign(fake.context.helpers, { getBinaryStream: async () => read() });
		expect((await getNodeError(executePrepared('difyChatMessage', fake))).message).toBe(
			`"a.txt" could not be read: ${reason}`,
		);
		expect(sim.runs).toHaveLength(0);
	});
});

describe('a file name that is a text, and no path', () => {
	const startServer = useServers();
	const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex').toString('base64');

	test.each([
		{ fileName: 'Preis: 5/6 "Sonder"', name: 'Preis: 5-6 "Sonder"' },
		{ fileName: 'Preis 5.6', name: 'Preis 5.6' },
		{ fileName: 'AC/DC.mp3', name: 'AC-DC' },
		{ fileName: '../../Preis', name: 'Preis' },
		{ fileName: 'C:\\temp\\Preis.mp3', name: 'Preis' },
	])('keeps all words: $fileName', async ({ fileName, name }) => {
		const { url } = await startServer({
			...LLAMA_SERVER,
			'POST /v1/audio/speech': (_request, response) => {
				response.writeHead(200, { 'content-type': 'audio/mpeg' });
				response.end(Buffer.concat([Buffer.from('ID3'), Buffer.alloc(200)]));
			},
			'POST /v1/images/generations': json({ data: [{ b64_json: PNG }] }),
			'POST /v1/text-to-audio': (_request, response) => {
				response.writeHead(200, { 'content-type': 'audio/mpeg' });
				response.end(Buffer.concat([Buffer.from('ID3'), Buffer.alloc(200)]));
			},
		});
		const options = { fileName };
		const items = [
			...(await run(url, 'audio:speak', { parameters: { text: 'Hi', options } })),
			...(await run(url, 'image:generate', { parameters: { prompt: 'Hi', options } })),
			...(await executeNode(
				'difyApp',
				{ url },
				{
					parameters: {
						resource: 'audio',
						operation: 'speak',
						source: 'text',
						text: 'Hi',
						options,
					},
				},
			)),
		];
		const names = items.map(({ binary }) => Object.values(binary!)[0]!.fileName);
		expect(names).toEqual([`${name}.mp3`, `${name}.png`, `${name}.mp3`]);
	});
});
