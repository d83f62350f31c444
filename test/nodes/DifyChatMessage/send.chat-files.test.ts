import type { IBinaryKeyData, IDataObject } from 'n8n-workflow';
import { startApp } from '../../lib/dify/client';
import { binaryFile } from '../../support/n8n/binary-file';
import type { AppSpec, DifySim } from '../../simulators/dify';
import { execute, prepare, prepareNode, executePrepared } from '../dify';
import type { Setup } from '../dify';

const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
const JPEG = Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex');
const ZIP = Buffer.from('504b0304140000000000', 'hex');
const WAV = Buffer.concat([Buffer.from('RIFF$\0\0\0WAVEfmt '), Buffer.alloc(30)]);

/** Files by the name that a visitor's computer gives them. */
const FILES: Record<string, ReturnType<typeof binaryFile>> = {
	'cat.png': binaryFile(PNG, 'cat.png', 'image/png'),
	'dog.jpg': binaryFile(JPEG, 'dog.jpg', 'image/jpeg'),
	'notes.txt': binaryFile('Buy milk', 'notes.txt', 'text/plain'),
	'terms.pdf': binaryFile('%PDF-1.7\n', 'terms.pdf', 'application/pdf'),
	'all.zip': binaryFile(ZIP, 'all.zip', 'application/zip'),
	'data.json': binaryFile('{"a":1}', 'data.json', 'application/json'),
	'memo.wav': binaryFile(WAV, 'memo.wav', 'audio/wav'),
	'empty.txt': binaryFile('', 'empty.txt', 'text/plain'),
};

/** The item of n8n's Chat Trigger for a message with files. */
function chatItem(names: readonly string[], changes: IDataObject = {}) {
	const entries = names.map((name, index) => [`data${index}`, FILES[name]!] as const);
	const files = entries.map(([binaryKey, { fileName, mimeType }]) => ({
		fileName,
		mimeType,
		binaryKey,
	}));
	const message = { sessionId: 's1', action: 'sendMessage', chatInput: 'What is this?', files };
	return {
		json: { ...message, ...changes } as IDataObject,
		binary: Object.fromEntries(entries) as IBinaryKeyData,
	};
}

const AS_ADDED = { query: 'What is this?', user: '', conversation: 'auto' };

type Upload = AppSpec['fileUpload'];

async function sendFiles(
	names: readonly string[],
	fileUpload: Upload,
	{ parameters, ...setup }: Setup = {},
) {
	const sim = await startApp({ mode: 'chat', fileUpload });
	const items = [chatItem(names)];
	const fake = prepare(sim, { items, parameters: { ...AS_ADDED, ...parameters }, ...setup });
	await execute(fake);
	return { sim, ...summarize(sim, fake) };
}

function summarize(sim: DifySim, { hints }: ReturnType<typeof prepare>) {
	return {
		sent: sim.runs[0]!.files.map(({ filename, type }) => `${String(filename)} as ${String(type)}`),
		hints: hints.map(({ message }) => message),
	};
}

describe('after a Chat Trigger, the node as added sends the files that the app accepts', () => {
	test.each<{ it: string; names: string[]; fileUpload: Upload; sent: string[]; hint?: string }>([
		{
			it: 'an image',
			names: ['cat.png'],
			fileUpload: { enabled: true, types: ['image'] },
			sent: ['cat.png as image'],
		},
		{
			it: 'documents and audio',
			names: ['terms.pdf', 'notes.txt', 'memo.wav'],
			fileUpload: { enabled: true, types: ['document', 'audio'] },
			sent: ['terms.pdf as document', 'notes.txt as document', 'memo.wav as audio'],
		},
		{
			it: 'not a document to an app for images',
			names: ['cat.png', 'terms.pdf'],
			fileUpload: { enabled: true, types: ['image'] },
			sent: ['cat.png as image'],
			hint: '1 file was not sent: terms.pdf (the app accepts only images).',
		},
		{
			it: 'an archive neither as a document',
			names: ['all.zip', 'data.json', 'notes.txt'],
			fileUpload: { enabled: true, types: ['document', 'image'] },
			sent: ['notes.txt as document'],
			hint: '2 files were not sent: all.zip, data.json (the app accepts only documents and images).',
		},
		{
			it: 'an archive where its extension is allowed',
			names: ['all.zip', 'data.json', 'cat.png'],
			fileUpload: { enabled: true, types: ['custom', 'image'], extensions: ['.ZIP'] },
			sent: ['all.zip as custom', 'cat.png as image'],
			hint: '1 file was not sent: data.json (the app accepts only images and .zip).',
		},
		{
			it: 'an image as custom where only its extension is allowed',
			names: ['cat.png'],
			fileUpload: { enabled: true, types: ['custom'], extensions: ['png'] },
			sent: ['cat.png as custom'],
		},
		{
			it: 'as many as the app accepts',
			names: ['cat.png', 'all.zip', 'dog.jpg', 'cat.png'],
			fileUpload: { enabled: true, types: ['image'], number: 2 },
			sent: ['cat.png as image', 'dog.jpg as image'],
			hint: '2 files were not sent: all.zip (the app accepts only images); cat.png (the app accepts 2 per message).',
		},
		{
			it: 'none if file upload is disabled',
			names: ['cat.png', 'notes.txt'],
			fileUpload: { enabled: false },
			sent: [],
			hint: '2 files were not sent: cat.png, notes.txt (file upload is disabled in the app).',
		},
		{
			it: 'none if the app takes only URLs',
			names: ['cat.png'],
			fileUpload: { enabled: true, types: ['image'], methods: ['remote_url'] },
			sent: [],
			hint: '1 file was not sent: cat.png (the app accepts files only as URLs).',
		},
		{
			it: 'not an empty one',
			names: ['empty.txt', 'notes.txt'],
			fileUpload: { enabled: true, types: ['document'] },
			sent: ['notes.txt as document'],
			hint: '1 file was not sent: empty.txt (The binary data of "empty.txt" is empty).',
		},
	])('it sends the files of the message: $it', async ({ names, fileUpload, sent, hint }) => {
		const { sim, ...outcome } = await sendFiles(names, fileUpload);
		expect(outcome).toEqual({ sent, hints: hint === undefined ? [] : [hint] });
		// Nothing that is not sent is uploaded.
		expect(sim.requests.filter(({ path }) => path === '/files/upload')).toHaveLength(sent.length);
	});

	test('not one that is larger than Dify allows', async () => {
		const large = { id: 'large', data: '', mimeType: 'image/png', fileName: 'large.png' };
		const item = { ...chatItem(['cat.png']), binary: { data0: large } as IBinaryKeyData };
		const stored = { large: Buffer.concat([PNG, Buffer.alloc(10 * 1024 * 1024)]) };
		const { sent, hints } = await sendFiles([], { enabled: true }, { items: [item], stored });
		expect(sent).toEqual([]);
		expect(hints).toEqual(['1 file was not sent: large.png (it exceeds the limit of 10 MB).']);
	});

	test.each(['chat', 'agent-chat', 'advanced-chat'] as const)(
		'%s apps, also in a streamed chat',
		async (mode) => {
			for (const streaming of [true, false]) {
				const sim = await startApp({ mode, fileUpload: { enabled: true, types: ['image'] } });
				const items = [chatItem(['cat.png', 'all.zip'])];
				const fake = prepare(sim, { mode, items, streaming, parameters: AS_ADDED });
				await execute(fake);
				expect(summarize(sim, fake)).toEqual({
					sent: ['cat.png as image'],
					hints: ['1 file was not sent: all.zip (the app accepts only images).'],
				});
			}
		},
	);

	test('a message without files makes no extra request', async () => {
		const { sim } = await sendFiles([], { enabled: true });
		expect(sim.requests.map(({ path }) => path)).not.toContain('/parameters');
	});
});

describe('fields of the node decide', () => {
	const upload: Upload = { enabled: true, types: ['image', 'document'] };
	const select = (...file: object[]) => ({ parameters: { files: { file } } });

	test('Files sends what it selects, and a hint names the others', async () => {
		const binary = select({ source: 'binary', binaryProperty: 'data1' });
		expect(await sendFiles(['cat.png', 'notes.txt'], upload, binary)).toMatchObject({
			sent: ['notes.txt as document'],
			hints: ['1 file was not sent: cat.png (Files does not select it).'],
		});
		expect(await sendFiles(['cat.png'], upload, select({ source: 'url', url: [] }))).toMatchObject({
			sent: [],
			hints: ['1 file was not sent: cat.png (Files does not select it).'],
		});
		const all = select({ source: 'all' });
		expect(await sendFiles(['cat.png', 'notes.txt'], upload, all)).toMatchObject({
			sent: ['cat.png as image', 'notes.txt as document'],
			hints: [],
		});
	});

	test('a file of the form is not sent twice', async () => {
		const sim = await startApp({
			mode: 'chat',
			fileUpload: upload,
			form: [{ kind: 'file', variable: 'picture', allowedTypes: ['image'] }],
		});
		const items = [chatItem(['cat.png', 'notes.txt'])];
		const parameters = { ...AS_ADDED, inputsMode: 'json', inputsJson: '{"picture":"data0"}' };
		const fake = prepare(sim, { items, parameters });
		await execute(fake);
		expect(summarize(sim, fake)).toEqual({ sent: ['notes.txt as document'], hints: [] });
		expect(sim.runs[0]!.inputs).toMatchObject({ picture: { filename: 'cat.png' } });
	});
});

describe('which files came with a message', () => {
	const upload: Upload = { enabled: true, types: ['image', 'document'] };
	const names = ['cat.png', 'notes.txt'];
	const both = ['cat.png as image', 'notes.txt as document'];
	const chatTrigger = { name: 'When chat message received' };

	test.each<{ it: string; changes: IDataObject; setup?: Setup; sent: string[] }>([
		{
			it: 'those that the trigger lists',
			changes: { files: [{ binaryKey: 'data1' }] },
			sent: both.slice(1),
		},
		{ it: 'all if a node removed the list', changes: { files: undefined }, sent: both },
		{
			it: 'all of an older trigger',
			changes: { files: [{ fileName: 'cat.png' }, {}] },
			sent: both,
		},
		{
			it: 'behind a node that kept only the session',
			changes: { action: undefined, files: undefined },
			setup: { chatTrigger },
			sent: both,
		},
		{ it: 'none of a session outside of chats', changes: { action: undefined }, sent: [] },
		{
			it: 'none of another trigger of the workflow',
			changes: { action: undefined },
			setup: { chatTrigger: { ...chatTrigger, isExecuted: false } },
			sent: [],
		},
		{
			it: 'none without a session',
			changes: { sessionId: undefined },
			setup: { chatTrigger },
			sent: [],
		},
		{
			it: 'none of an empty session',
			changes: { sessionId: '' },
			setup: { chatTrigger },
			sent: [],
		},
		{
			it: 'none as a tool',
			changes: {},
			setup: { chatTrigger, type: 'CUSTOM.difyChatMessageTool' },
			sent: [],
		},
	])('the files of a message are: $it', async ({ changes, setup, sent }) => {
		const outcome = await sendFiles(names, upload, {
			items: [chatItem(names, changes)],
			parameters: { user: 'u1', conversation: 'new' },
			...setup,
		});
		expect(outcome).toMatchObject({ sent, hints: [] });
	});

	test.each([
		{ node: 'difyWorkflow', mode: 'workflow' },
		{ node: 'difyApp', mode: 'completion' },
	] as const)(
		'$node sends only what its fields name, and a hint names the others',
		async ({ node, mode }) => {
			const sim = await startApp({ mode, fileUpload: upload, reply: () => ({ steps: [] }) });
			const parameters = {
				resource: mode === 'workflow' ? 'run' : 'text',
				operation: mode === 'workflow' ? 'execute' : 'generate',
				query: 'hi',
			};
			const fake = prepareNode(node, sim, { mode, parameters, items: [chatItem(names)] });
			expect(await executePrepared(node, fake)).toHaveLength(1);
			expect(sim.requests.map(({ path }) => path)).not.toContain('/files/upload');
			expect(fake.hints.map(({ message }) => message)).toEqual([
				'2 files were not sent: cat.png (no field of the node names data0); notes.txt (no field of the node names data1). To send such files, select them in Files.',
			]);
		},
	);
});

describe('a file that a field of the node names, and the chat message does not have', () => {
	const named = { files: { file: [{ source: 'binary', binaryProperty: 'data0, data1' }] } };

	test.each<{ it: string; names: string[]; sent: string[] }>([
		{ it: 'no file', names: [], sent: [] },
		{ it: 'one of two', names: ['cat.png'], sent: ['cat.png as image'] },
	])('$it: the others are no error', async ({ names, sent }) => {
		const fileUpload = { enabled: true, types: ['image'] };
		expect(await sendFiles(names, fileUpload, { parameters: named })).toMatchObject({
			sent,
			hints: [],
		});
	});

	test('a file of the form', async () => {
		const sim = await startApp({
			mode: 'chat',
			form: [{ kind: 'file', variable: 'picture', allowedTypes: ['image'] }],
			fileUpload: { enabled: true, types: ['image'] },
		});
		const fake = prepare(sim, {
			items: [chatItem([])],
			parameters: { ...AS_ADDED, inputsMode: 'json', inputsJson: '{"picture": "data0"}' },
		});
		await execute(fake);
		const request = sim.requests.find(({ path }) => path === '/chat-messages');
		expect(request!.json).toHaveProperty('inputs', {});
	});

	test('in an item of no chat, it is an error', async () => {
		const sim = await startApp({ mode: 'chat', fileUpload: { enabled: true, types: ['image'] } });
		const fake = prepare(sim, { parameters: { ...AS_ADDED, ...named } });
		await expect(execute(fake)).rejects.toThrow("no binary field 'data0'");
	});
});
