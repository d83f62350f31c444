/** What is sent to Dify with a run: the user, the values of a form, and files, by what the node and its item have. */
import type { INodeExecutionData, INodeParameters } from 'n8n-workflow';

import { startGoodServer } from '../../../faults/good-server';
import type { Reaction } from '../../../faults/good-server';
import { createCredential, passUntilEnded, withoutIds } from '../../../faults/harness';
import { listOperations } from '../../../faults/operations';
import { useClock } from '../../../guarantees/support/fake-clock';
import { expectApproved } from '../../../support/approved/approved-table';
import path from 'node:path';
import { describeNodeError } from '../../../support/approved/outcome';

const clock = useClock();
const CHAT = 'Dify Chat Message';
const FLOW = 'Dify Workflow run execute';

const file = (fileName: string, mimeType: string) => ({
	fileName,
	mimeType,
	data: Buffer.from(`content of ${fileName}`).toString('base64'),
});
const BINARY = {
	data: file('a.txt', 'text/plain'),
	photo: file('b.png', 'image/png'),
	data2: file('c.pdf', 'application/pdf'),
};
const SESSION = { sessionId: 's-1', action: 'sendMessage', chatInput: 'hi' };

const toForm = (...fields: Array<readonly [type: string, variable: string, more?: object]>) =>
	fields.map(([type, variable, more]) => ({
		[type]: { variable, label: variable.toUpperCase(), ...more },
	}));
const FORM = toForm(
	['text-input', 'text'],
	['paragraph', 'long'],
	['select', 'choice', { options: ['a', 'b'] }],
	['number', 'count'],
	['checkbox', 'on'],
	['json_object', 'json'],
	['file', 'one', { allowed_file_types: ['document'] }],
	['file-list', 'many'],
);
const UPLOAD = { enabled: true, allowed_file_types: ['image', 'document'], number_limits: 2 };

interface Case {
	operation?: string;
	parameters: INodeParameters;
	json?: INodeExecutionData['json'];
	binary?: INodeExecutionData['binary'];
	/** Of `GET /parameters`. Default: the form, with uploads. */
	app?: object | 'error';
}

const fill = (value: object): INodeParameters => ({
	inputsMode: 'form',
	inputs: { mappingMode: 'defineBelow', value } as never,
});
const files = (...list: INodeParameters[]): INodeParameters => ({ files: { file: list } as never });

const CASES: Readonly<Record<string, Case>> = {
	'the user of the field': { parameters: { user: 'me' }, json: { ...SESSION, user: 'item' } },
	'the user of the chat session': { parameters: { user: '' }, json: { ...SESSION, user: 'item' } },
	'the user of the item': { parameters: { user: '' }, json: { user: 'item' } },
	'a user that is a number': { parameters: { user: 7 }, json: {} },
	'no user': { parameters: { user: '' }, json: {} },
	'a blank user': { parameters: { user: ' ' }, json: {} },
	'a user of 255 characters': { parameters: { user: 'u'.repeat(255) } },
	'a user of 256 characters': { parameters: { user: 'u'.repeat(256) } },
	'a trace ID': { parameters: { options: { traceId: 'trace-1' } } },
	'a wrong trace ID': { parameters: { options: { traceId: 'a b' } } },
	texts: { parameters: fill({ text: 7, long: true, choice: 'a' }) },
	'empty texts': { parameters: fill({ text: '', long: null, choice: '' }) },
	'numbers and switches': {
		parameters: fill({ count: '7', on: 'false', json: '{"a":12345678901234567890}' }),
	},
	'blank numbers': { parameters: fill({ count: ' ', on: '', json: '' }) },
	'values of other types': { parameters: fill({ count: 'many', on: 'perhaps', json: 'x' }) },
	'values that the form does not have': { parameters: fill({ text: 'x', other: 1, gone: '' }) },
	'nothing filled in': { parameters: fill({ text: null }) },
	'a form without its app': { parameters: fill({ text: 'x' }), app: 'error' },
	JSON: { parameters: { inputsMode: 'json', inputsJson: '{"text":7,"count":"7","other":1}' } },
	'JSON as an object': { parameters: { inputsMode: 'json', inputsJson: { text: 'x' } as never } },
	'JSON without its app': {
		parameters: { inputsMode: 'json', inputsJson: '{"text":"x"}' },
		app: 'error',
	},
	'no JSON object': { parameters: { inputsMode: 'json', inputsJson: '[1]' } },
	'blank JSON': { parameters: { inputsMode: 'json', inputsJson: ' ' } },
	'a file field': { parameters: fill({ one: 'data' }), binary: BINARY },
	'a file field with a URL': { parameters: fill({ one: 'http://f/x.pdf' }), binary: BINARY },
	'a file field of two': { parameters: fill({ one: 'data, data2' }), binary: BINARY },
	'a list of one file': { parameters: fill({ many: 'photo' }), binary: BINARY },
	'a list of files and URLs': {
		parameters: fill({ many: 'photo, http://f/y.mp3' }),
		binary: BINARY,
	},
	'file objects': {
		parameters: fill({
			many: '[{"type":"image","url":"http://f/z"},{"type":"image","upload_file_id":"id"}]',
		}),
	},
	'files that are missing': { parameters: fill({ one: 'nothing' }), binary: BINARY },
	'files that are missing in a chat': {
		parameters: fill({ one: 'nothing' }),
		binary: BINARY,
		json: SESSION,
	},
	'a binary field': {
		parameters: files({ source: 'binary', binaryProperty: 'data', type: 'auto' }),
		binary: BINARY,
	},
	'two binary fields of one type': {
		parameters: files({ source: 'binary', binaryProperty: 'data, photo', type: 'custom' }),
		binary: BINARY,
	},
	'all binary fields': { parameters: files({ source: 'all', type: 'auto' }), binary: BINARY },
	'all of an item without files': { parameters: files({ source: 'all', type: 'auto' }) },
	URLs: { parameters: files({ source: 'url', url: 'http://f/a.png http://f/b', type: 'auto' }) },
	'a URL of a type': { parameters: files({ source: 'url', url: 'http://f/a.png', type: 'audio' }) },
	'no URL': { parameters: files({ source: 'url', url: ' ', type: 'auto' }) },
	'an empty list of URLs': { parameters: files({ source: 'url', url: [] as never, type: 'auto' }) },
	'no names': {
		parameters: files({ source: 'binary', binaryProperty: ' , ', type: 'auto' }),
		binary: BINARY,
	},
	'uploads are off': {
		parameters: files({ source: 'all', type: 'auto' }),
		binary: BINARY,
		app: { file_upload: { enabled: false } },
	},
	'files of a chat': { parameters: {}, binary: BINARY, json: SESSION },
	'listed files of a chat': {
		parameters: {},
		binary: BINARY,
		json: { ...SESSION, files: [{ binaryKey: 'photo' }] },
	},
	'files of a chat, one of them in the form': {
		parameters: fill({ one: 'data' }),
		binary: BINARY,
		json: SESSION,
	},
	'files of a chat, one of them in Files': {
		parameters: files({ source: 'binary', binaryProperty: 'data', type: 'auto' }),
		binary: BINARY,
		json: SESSION,
	},
	'files of a chat, for an app without uploads': {
		parameters: {},
		binary: BINARY,
		json: SESSION,
		app: {},
	},
	'files of a chat, whose app fails': {
		parameters: {},
		binary: BINARY,
		json: SESSION,
		app: 'error',
	},
	'a workflow with a form and a file': {
		operation: FLOW,
		parameters: fill({ text: 'x', one: 'data' }),
		binary: BINARY,
	},
	'a workflow of a version': {
		operation: FLOW,
		parameters: { options: { workflowId: '11111111-2222-4333-8444-555555555555' } },
	},
};

/** Names and types of a file that show more or less of it. */
const SIGNS: Readonly<Record<string, readonly [fileName: string, mimeType: string]>> = {
	'an image': ['b.png', 'image/png'],
	'a PDF': ['c.pdf', 'application/pdf'],
	'an archive': ['d.zip', 'application/zip'],
	'no sign': ['e', ''],
};
const ALLOWED: ReadonlyArray<readonly string[]> = [
	['image'],
	['audio'],
	['custom'],
	['image', 'custom'],
];

/** Each file at each place for it, in an app or a field that accepts some types. */
const TYPED_CASES: Readonly<Record<string, Case>> = Object.fromEntries(
	ALLOWED.flatMap((types) => {
		const accepted = { allowed_file_types: types, allowed_file_extensions: ['.zip', '.pdf'] };
		const app = {
			user_input_form: toForm(['file', 'one', accepted]),
			file_upload: { enabled: true, ...accepted },
		};
		return Object.entries(SIGNS).flatMap(([sign, [fileName, mimeType]]) => {
			const binary = { data: file(fileName, mimeType) };
			const places: Readonly<Record<string, Case>> = {
				'in a field': { parameters: fill({ one: 'data' }), binary },
				'in a field, by URL': { parameters: fill({ one: `http://f/${fileName}` }) },
				'in Files': {
					parameters: files({ source: 'binary', binaryProperty: 'data', type: 'auto' }),
					binary,
				},
				'in Files, by URL': {
					parameters: files({ source: 'url', url: `http://f/${fileName}`, type: 'auto' }),
				},
				'of a chat': { parameters: {}, binary, json: SESSION },
			};
			return Object.entries(places).map(([place, one]): [string, Case] => [
				`${types.join(' or ')}: ${sign} ${place}`,
				{ ...one, app },
			]);
		});
	}),
);

const toParameters = (app: Case['app']): Reaction =>
	app === 'error'
		? {
				status: 400,
				headers: { 'content-type': 'application/json' },
				body: '{"code":"app_unavailable","message":"App unavailable","status":400}',
			}
		: {
				headers: { 'content-type': 'application/json' },
				body: JSON.stringify(app ?? { user_input_form: FORM, file_upload: UPLOAD }),
			};

const json = (body: object): Reaction => ({
	headers: { 'content-type': 'application/json' },
	body: JSON.stringify(body),
});
const IDS = { task_id: 't', message_id: 'm', conversation_id: 'c' };
const RUN: Reaction = {
	headers: { 'content-type': 'text/event-stream' },
	body: [
		{ event: 'message', ...IDS, answer: 'One.' },
		{ event: 'message_end', ...IDS, metadata: {} },
	]
		.map((event) => `data: ${JSON.stringify(event)}\n\n`)
		.join(''),
};

/** Each upload has the name of its file as ID. */
function react(line: string, text: string, app: Case['app']): Reaction {
	if (line.includes('/parameters')) return toParameters(app);
	if (line.includes('/files/upload'))
		return json({ id: `id-of-${/filename="([^"]+)"/.exec(text)?.[1]}` });
	if (line.includes('/conversations')) return json({ data: [] });
	return line.startsWith('POST') ? RUN : undefined;
}

test('each user, form and file', async () => {
	const operations = await listOperations();
	const apps = new Map<string, Case['app']>();
	const server = await startGoodServer(({ name, line, text }) => react(line, text, apps.get(name)));
	const works = new Map<string, Promise<string>>();
	for (const [
		input,
		{ operation: name = CHAT, parameters, json = {}, binary, app },
	] of Object.entries({ ...CASES, ...TYPED_CASES })) {
		const operation = operations.find((one) => one.name === name)!;
		const url = server.at(input);
		apps.set(url.slice(url.lastIndexOf('/') + 1), app);
		const work = operation
			.run({
				credentials: [createCredential(operation, { url, key: 'key' })],
				items: [{ json, ...(binary && { binary }) }],
				parameters: {
					query: 'Q',
					user: 'u',
					inputsMode: 'form',
					inputs: null as never,
					files: {},
					...parameters,
				},
			})
			.then(
				({ hints = [] }) => hints.map(({ message }) => `hint ${message}`).join(' ; '),
				describeNodeError,
			);
		works.set(input, work);
	}
	expect(await passUntilEnded(works, { clock, servers: [server] })).toEqual([]);
	const rows = [];
	for (const [input, work] of works) {
		const sent = server.to(input).map(({ line, text }) => {
			const [, name] = /filename="([^"]+)"/.exec(text) ?? [];
			return `${line} ${name === undefined ? text : `${name} ${/name="user"\r\n\r\n([^\r]*)/.exec(text)?.[1]}`}`;
		});
		const outcome = withoutIds([...sent, await work].join(' ; ')).replace(
			/http:\/\/127\.0\.0\.1:\d+\/[\w-]+/g,
			'SERVER',
		);
		rows.push({ input, outcome: outcome.replace(/u{100,}/g, 'uuu…') });
	}
	await server.close();
	expectApproved(
		path.join(__dirname, 'prepare-run.any-input.approved.txt'),
		rows,
		'A run is sent with its user, inputs and files, or nothing is sent',
	);
});
