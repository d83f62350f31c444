/**
 * What a person put in reaches the model, or a hint says that it did not: each operation and sub-node that files can reach,
 * behind each trigger, with each kind of file, where no field names it, one names it, and the field was emptied.
 */
import type { IBinaryKeyData, IDataObject, INode, INodeExecutionData } from 'n8n-workflow';

import { startApp } from '../lib/dify/client';
import { executePrepared, prepareNode } from '../nodes/dify';
import { binaryFile } from '../support/n8n/binary-file';
import { takeSome } from '../support/jest/properties';
import { useServers } from '../support/servers/scripted-server';
import { actionContext, chatModel, localLlama } from './support/node-runner';
import { CHAT, LLAMA_SERVER, text } from './support/responses';

const start = useServers();

interface FileKind {
	fileName: string;
	mimeType: string;
	bytes: Buffer | string;
	/** What models can read; other files only count where a visitor sent them. */
	isReadByModels: boolean;
}

const bytes = (hex: string) => Buffer.concat([Buffer.from(hex, 'hex'), Buffer.alloc(40)]);
const media = (fileName: string, mimeType: string, content: Buffer | string): FileKind => ({
	fileName,
	mimeType,
	bytes: content,
	isReadByModels: true,
});
const other = (fileName: string, mimeType: string, content: Buffer | string): FileKind => ({
	...media(fileName, mimeType, content),
	isReadByModels: false,
});

const KINDS: readonly FileKind[] = [
	media('bike.png', 'image/png', bytes('89504e470d0a1a0a')),
	media('bike.jpg', 'application/octet-stream', bytes('ffd8ffe000104a464946')),
	media('bike.webp', 'image/webp', Buffer.from('RIFF1234WEBPVP8 ')),
	media('bike.gif', 'image/gif', Buffer.from('GIF89a1234')),
	media('bike.heic', 'image/heic', Buffer.from('\0\0\0 ftypheic\0\0\0\0', 'latin1')),
	media('drawing.svg', 'image/svg+xml', '<svg xmlns="http://www.w3.org/2000/svg"></svg>'),
	media('call.wav', 'audio/wav', Buffer.from('RIFF$\0\0\0WAVEfmt 1234')),
	media('call.mp3', 'audio/mpeg', bytes('494433')),
	media('call.ogg', 'audio/ogg', Buffer.from('OggS12345678')),
	media('clip.mp4', 'video/mp4', Buffer.from('\0\0\0 ftypisom\0\0\0\0', 'latin1')),
	media('notes.txt', 'text/plain', 'Buy milk'),
	media('notes.md', 'text/markdown', '# Milk'),
	media('list.csv', 'text/csv', 'a,b\n1,2'),
	media('data.json', 'application/json', '{"a":1}'),
	media('mail.eml', 'message/rfc822', 'From: a@b.c\r\nTo: d@e.f\r\nSubject: x\r\n\r\nHello'),
	other('terms.pdf', 'application/pdf', '%PDF-1.7\n'),
	other('all.zip', 'application/zip', bytes('504b0304')),
	other('table.xlsx', 'application/vnd.ms-excel', Buffer.from('PK\x03\x04\x14\0xl/workbook.xml')),
	other('letter.rtf', 'application/rtf', '{\\rtf1\\ansi Hello}'),
	other(
		'model.gguf',
		'application/octet-stream',
		Buffer.from('GGUF\x03\0\0\0\0\0\0\0\0\0\0\0', 'latin1'),
	),
	media('', 'image/png', bytes('89504e470d0a1a0a')),
];

/** Files of which Dify has no type. */
const DATA: readonly string[] = ['data.json', 'all.zip', 'letter.rtf', 'model.gguf'];

/** The field of the file. */
const FIELD = 'Picture';

/** Where an item is from. */
interface Trigger {
	name: string;
	/** Type of a node before the subject. */
	type: string;
	json: IDataObject;
	/** Whether a person gave its files to this execution: all of a message, those for models of a form. */
	isPerson: boolean;
	isChat?: boolean;
	isTool?: boolean;
}

const TRIGGERS: readonly Trigger[] = [
	{
		name: 'chat',
		type: '@n8n/n8n-nodes-langchain.chatTrigger',
		json: { sessionId: 's', action: 'sendMessage' },
		isPerson: true,
		isChat: true,
	},
	{ name: 'form', type: 'n8n-nodes-base.formTrigger', json: {}, isPerson: true },
	{ name: 'page of a form', type: 'n8n-nodes-base.form', json: {}, isPerson: true },
	{ name: 'webhook', type: 'n8n-nodes-base.webhook', json: {}, isPerson: true },
	{ name: 'mail', type: 'n8n-nodes-base.emailReadImap', json: {}, isPerson: false },
	{
		name: 'sub-workflow',
		type: 'n8n-nodes-base.executeWorkflowTrigger',
		json: {},
		isPerson: false,
	},
	{ name: 'tool', type: 'n8n-nodes-base.formTrigger', json: {}, isPerson: true, isTool: true },
];

/** How a node names the file. */
type Naming = 'none' | 'named' | 'emptied';

/** What became of a file. */
interface Fate {
	sent: boolean;
	hints: string[];
}

interface Cell {
	kind: FileKind;
	trigger: Trigger;
	naming: Naming;
}

const toItem = ({ kind, trigger }: Cell): INodeExecutionData => ({
	json: { chatInput: 'What is this?', ...trigger.json },
	binary: {
		[FIELD]: binaryFile(kind.bytes as string, kind.fileName, kind.mimeType),
	} as IBinaryKeyData,
});

/** What the context knows of the trigger. */
const toContext = ({ kind, trigger }: Cell) => ({
	getParentNodes: () => [{ name: 'Start', type: trigger.type, typeVersion: 1, disabled: false }],
	evaluateExpression: (expression: string) =>
		expression.includes('isExecuted') ? true : [[[FIELD, kind.fileName]]],
});

const OPERATIONS: Record<string, { operation: `${string}:${string}`; parameters: object }> = {
	'Text: Chat': { operation: 'text:chat', parameters: { prompt: 'What is this?' } },
	'Text: Extract': {
		operation: 'text:extract',
		parameters: { text: 'Hi', fields: { field: [{ name: 'a' }] } },
	},
	'Text: Classify': {
		operation: 'text:classify',
		parameters: { text: 'Hi', labels: { label: [{ name: 'a' }, { name: 'b' }] } },
	},
};

const TOLD = /(?:1 file was|files were) not sent: /;

async function runOperation(
	{ operation, parameters }: (typeof OPERATIONS)[string],
	cell: Cell,
): Promise<Fate> {
	const server = await start({ ...LLAMA_SERVER, [`POST ${CHAT}`]: text('{"a":"A"}') });
	const binaryFields = { none: {}, named: { binaryFields: FIELD }, emptied: { binaryFields: '' } };
	const fake = actionContext(server.url, operation, {
		items: [toItem(cell)],
		parameters: { ...parameters, options: { ...binaryFields[cell.naming], maxRetries: 0 } },
		type: `n8n-nodes-local-llama.localLlama${cell.trigger.isTool ? 'Tool' : ''}`,
		context: toContext(cell),
	});
	// A file that no model reads is an error that names it.
	await localLlama(fake).catch(() => {});
	const hints = fake.hints.map(({ message }) => message);
	return { sent: cell.naming === 'named', hints };
}

async function runDify(node: 'difyChatMessage' | 'difyWorkflow', cell: Cell): Promise<Fate> {
	const mode = node === 'difyWorkflow' ? 'workflow' : 'chat';
	const sim = await startApp({
		mode,
		fileUpload: { enabled: true, types: ['image', 'audio', 'video', 'document', 'custom'] },
		reply: () => ({ steps: [] }),
	});
	const file = { source: 'binary', binaryProperty: FIELD };
	const files = {
		none: {},
		named: { file: [file] },
		emptied: { file: [{ source: 'url', url: [] }] },
	};
	const named = { files: files[cell.naming] };
	const fake = prepareNode(node, sim, {
		mode,
		items: [toItem(cell)],
		parameters: {
			...{ resource: 'run', operation: 'execute', query: 'Hi', user: 'u' },
			...(mode === 'workflow' ? { options: named } : named),
		},
		...(cell.trigger.isTool && { type: `CUSTOM.${node}Tool` }),
	});
	Object.assign(fake.context, toContext(cell));
	const { fileName } = cell.kind;
	const error = await executePrepared(node, fake).then(
		() => undefined,
		(reason: Error) => reason.message,
	);
	// A file that the node names and the app does not accept is an error before anything is sent.
	const isRefused = cell.naming === 'named' && DATA.includes(fileName);
	if (isRefused || error !== undefined)
		expect({ isRefused, error }).toEqual({
			isRefused: true,
			error: expect.stringContaining(`would not accept "${fileName}"`) as string,
		});
	return {
		sent: isRefused || sim.requests.some(({ path }) => path === '/files/upload'),
		hints: fake.hints.map(({ message }) => message),
	};
}

describe.each(TRIGGERS)('behind a $name', (trigger) => {
	const namings: Naming[] = ['none', 'named', 'emptied'];
	const cells = takeSome(
		KINDS.flatMap((kind) => namings.map((naming) => ({ kind, trigger, naming }))),
		TRIGGERS.indexOf(trigger),
	);

	/** Names of cells whose file was lost, or that name one that was not. */
	async function findWrong(
		run: (cell: Cell) => Promise<Fate>,
		isExpected: (cell: Cell) => boolean,
	) {
		const wrong: object[] = [];
		for (const cell of cells) {
			const { sent, hints } = await run(cell);
			const told = hints.filter((hint) => TOLD.test(hint));
			const isTold = told.length === 1 && told[0]!.includes(cell.kind.fileName || FIELD);
			const expected = !sent && isExpected(cell);
			if (isTold !== expected || told.length > 1)
				wrong.push({ file: cell.kind.fileName, naming: cell.naming, expected, hints });
		}
		return wrong;
	}
	const isGiven = ({ kind, trigger: { isPerson, isChat, isTool } }: Cell) =>
		isPerson && isTool !== true && (isChat === true || kind.isReadByModels);

	test.each(Object.keys(OPERATIONS))('%s', async (name) => {
		expect(
			await findWrong(
				async (cell) => await runOperation(OPERATIONS[name]!, cell),
				(cell) => cell.naming === 'none' && isGiven(cell),
			),
		).toEqual([]);
	});

	test.each(['difyChatMessage', 'difyWorkflow'] as const)('%s', async (node) => {
		const { isPerson, isTool } = trigger;
		expect(
			await findWrong(
				async (cell) => await runDify(node, cell),
				({ kind, naming }) => {
					const isAccepted = !DATA.includes(kind.fileName) && naming !== 'emptied';
					return isPerson && isTool !== true && (trigger.isChat === true || isAccepted);
				},
			),
		).toEqual([]);
	});

	test.each([
		['@n8n/n8n-nodes-langchain.agent', true],
		['@n8n/n8n-nodes-langchain.chainLlm', true],
		['@n8n/n8n-nodes-langchain.chainSummarization', false],
	] as const)('the chat model of %s', async (type, isTold) => {
		const server = await start({ ...LLAMA_SERVER, [`POST ${CHAT}`]: text('It is a bike.') });
		const run = async (cell: Cell): Promise<Fate> => {
			const { supplied, hints } = await chatModel(server.url, {
				context: {
					...toContext(cell),
					parentNode: { name: 'Root', type } as INode,
					getInputData: () => [toItem(cell)],
				},
			});
			const { mimeType, fileName } = cell.kind;
			const isImage = mimeType.startsWith('image/');
			const passes = cell.naming === 'named' && (isImage || mimeType === 'text/plain');
			const file = isImage
				? { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } }
				: { type: 'text', text: `File: ${fileName}\nContent:\nBuy milk` };
			const content = [{ type: 'text', text: 'What is this?' }, ...(passes ? [file] : [])];
			await supplied.invoke([{ role: 'user', content }]).catch(() => {});
			return { sent: passes, hints: hints.map(({ message }) => message) };
		};
		const isExpected = (cell: Cell) =>
			isTold && (cell.trigger.isTool ? cell.kind.isReadByModels : isGiven(cell));
		expect(await findWrong(run, isExpected)).toEqual([]);
	});
});
