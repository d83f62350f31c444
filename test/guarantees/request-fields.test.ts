/** The rows of what operations send: complete, with the labels of the nodes, and what follows from them for a user. */
import { COMPLETION_FIELDS, getChatFields } from '../../lib/chat/body/generation-fields';
import { GENERATION_OPTION_LIST } from '../../lib/chat/body/generation-options';
import { toOllamaBody } from '../../lib/chat/body/ollama-body';
import { toOpenAiBody } from '../../lib/chat/body/openai-body';
import type { CompletionRequest } from '../../lib/chat/completion';
import type { SamplingSettings, Thinking } from '../../lib/chat/settings';
import type { ServerError } from '../../lib/errors/server-error';
import { getNames } from '../../lib/exchange/request-fields';
import type { RequestField } from '../../lib/exchange/request-fields';
import { SERVER_TYPES } from '../../lib/servers/types/index';
import type { ServerTypeName } from '../../lib/server-type-name';
import { CLASSIFY_FIELDS, buildLabelBody } from '../../lib/tasks/classify-request';
import { completeText } from '../../lib/tasks/complete';
import { EMBED_FIELDS, Embedder } from '../../lib/tasks/embed';
import { generateImages, GENERATE_FIELDS } from '../../lib/tasks/generate-images';
import { EDIT_FIELDS, editImages } from '../../lib/tasks/edit-images';
import { LabelSet } from '../../lib/tasks/labels';
import { rerank, RERANK_FIELDS } from '../../lib/tasks/rerank';
import { SPEECH_FIELDS, synthesizeSpeech } from '../../lib/tasks/synthesize-speech';
import { transcribe, TRANSCRIPTION_FIELDS } from '../../lib/tasks/transcribe';
import type { TaskRequest } from '../../lib/tasks/run-task';
import type { JsonRecord } from '../../lib/values/records';
import { LocalChatModel } from '../../nodes/LocalChatModel/LocalChatModel.node';
import { LocalLlama } from '../../nodes/LocalLlama/LocalLlama.node';
import { everyOperation, getLabels } from '../support/n8n/every-operation';
import { getError } from '../support/jest/get-error';
import { json, startScripted } from '../support/servers/scripted-server';
import type { Answer, ScriptedRequest } from '../support/servers/scripted-server';
import { useSimulator } from '../simulators/use-simulator';
import { connect, OPTIONS, pngFile, transcribeRequest } from '../lib/tasks/media';
import { toMessages, toTool } from '../support/texts/messages';

const SETTINGS = { ...OPTIONS, model: 'm' };
const start = useSimulator(startScripted);
const PNG = Buffer.from(
	'89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489',
	'hex',
);
const WAV = Buffer.concat([Buffer.from('RIFF\0\0\0\0WAVEfmt '), Buffer.alloc(4_000)]);

type Target = ReturnType<typeof connect>;

interface Operation {
	rows: readonly RequestField[];
	/** Name in Local Llama. */
	node: string;
	/** Options that are not fields of the API, and stay in n8n. */
	local: readonly string[];
	/** Fields without which the result would be another one than was asked for. */
	needed: readonly string[];
	path: string;
	/** Sends everything that the operation can send. */
	send(target: Target, extraBody?: JsonRecord): Promise<{ warnings: string[] }>;
	success: Answer;
}

const OPTIONS_OF_ALL = [
	'Resource',
	'Operation',
	'Options',
	'Extra Body',
	'First Token Timeout (Seconds)',
	'Idle Timeout (Seconds)',
	'Total Timeout (Seconds)',
	'Timeout (Seconds)',
	'Retries',
	'Priority',
	'Max Concurrent Items',
	'Metadata',
	'Output',
	'Output Field',
	'Output Binary Field',
	'File Name',
	'Enable Streaming',
	'Include Input Fields',
	'Put Output File in Field',
	'Simplify',
];

const OPERATIONS: Readonly<Record<string, Operation>> = {
	speak: {
		rows: SPEECH_FIELDS,
		node: 'audio speak',
		local: ['Plain Text'],
		needed: ['input'],
		path: '/v1/audio/speech',
		send: async (target, extraBody = {}) =>
			await synthesizeSpeech(target, SETTINGS, {
				input: 'x'.repeat(5_000),
				voice: 'nova',
				format: 'wav',
				speed: 2,
				instructions: 'slowly',
				isPlainText: false,
				extraBody,
				store: async ({ content }) => {
					for await (const _chunk of content);
				},
			}),
		success: (_request, response) => {
			response.writeHead(200, { 'content-type': 'audio/wav' });
			response.end(WAV);
		},
	},
	images: {
		rows: GENERATE_FIELDS,
		node: 'image generate',
		local: [],
		needed: ['prompt'],
		path: '/v1/images/generations',
		send: async (target, extraBody = {}) =>
			await generateImages(target, SETTINGS, {
				prompt: 'a fox',
				count: 4,
				size: '64x64',
				format: 'png',
				seed: 1,
				extraBody,
			}),
		success: json({ data: [{ b64_json: PNG.toString('base64') }] }),
	},
	imageEdits: {
		rows: EDIT_FIELDS,
		node: 'image edit',
		local: ['Input Binary Fields', 'Mask Binary Field'],
		needed: ['prompt'],
		path: '/v1/images/edits',
		send: async (target, extraBody = {}) =>
			await editImages(target, SETTINGS, {
				prompt: 'a blue fox',
				images: [pngFile('fox.png')],
				mask: pngFile('mask.png'),
				count: 4,
				size: '64x64',
				format: 'png',
				seed: 1,
				extraBody,
			}),
		success: json({ data: [{ b64_json: PNG.toString('base64') }] }),
	},
	transcribe: {
		rows: TRANSCRIPTION_FIELDS,
		node: 'audio transcribe',
		local: ['Input Binary Field', 'Translate to English'],
		needed: ['response_format'],
		path: '/v1/audio/transcriptions',
		send: async (target, extraBody = {}) =>
			await transcribe(
				target,
				SETTINGS,
				transcribeRequest({
					format: 'verbose_json',
					language: 'xx',
					prompt: 'names',
					temperature: 0.5,
					granularities: ['word'],
					extraBody,
				}),
			),
		success: json({ text: 'hello' }),
	},
};

/** Without files, which no option is about that is sent as a field. */
const formNames = ({ text }: ScriptedRequest) =>
	Array.from(text.matchAll(/; name="([^"]+)"(?!; filename)/g), ([, name]) => name!);

const namesOf = (request: ScriptedRequest) => [
	...Object.keys(request.body),
	...(Object.keys(request.body).length === 0 ? formNames(request) : []),
];

describe.each(Object.entries(OPERATIONS))(
	'the fields of %s',
	(_name, { rows, path, send, success, node, local, needed }) => {
		const route = `POST ${path}`;

		test('each field that is sent has a row, and each row is sent', async () => {
			const server = await start({ [route]: success });
			await send(connect(server.url));
			const names = new Set(namesOf(server.requests.at(-1)!).filter((name) => name !== 'model'));
			expect([...names].sort()).toEqual(rows.map(({ field }) => field).sort());
		});

		test('labels are those of the node, and each of its options has a row or stays in n8n', () => {
			const operation = everyOperation(new LocalLlama().description).find(({ name }) =>
				name.endsWith(node),
			)!;
			const labels = rows.flatMap(({ label }) => label ?? []);
			expect(operation.labels).toEqual(expect.arrayContaining(labels));
			const known = [...labels, ...local, ...OPTIONS_OF_ALL, 'Model'];
			expect(operation.labels.filter((label) => !known.includes(label))).toEqual([]);
		});

		const startRefusing = async (field: string) =>
			await start({
				[route]: (request, response) => {
					const isRejected = namesOf(request).includes(field);
					const detail = [
						{
							loc: ['body', field],
							msg: 'Extra inputs are not permitted',
							type: 'extra_forbidden',
						},
					];
					return isRejected ? json({ detail }, 422)(request, response) : success(request, response);
				},
			});

		test.each(rows.filter(({ field }) => !needed.includes(field)))(
			'$field: refused, so it is omitted, with one warning by its label if it is an option',
			async ({ field, label }) => {
				const server = await startRefusing(field);
				const { warnings } = await send(connect(server.url));
				expect(warnings.filter((text) => text.includes('rejects'))).toEqual(
					label === undefined
						? []
						: [`This server rejects the option ${label}, so it was omitted.`],
				);
			},
		);

		test.each(rows.filter(({ field }) => needed.includes(field)))(
			'$field: refused, so that is the error, with its label',
			async ({ field, label }) => {
				const server = await startRefusing(field);
				const error: ServerError = await getError(send(connect(server.url)));
				expect(error.message).toBe(`${label}: Extra inputs are not permitted`);
				expect(server.sent(path)).toHaveLength(1);
			},
		);

		test.each(rows)(
			'$field in Extra Body: refused by that name, and sent unchanged',
			async ({ field }) => {
				const name = field === 'response_format' ? 'n_predict' : field;
				const message = `Unknown parameter: '${name}'.`;
				const server = await start({
					[route]: json({ error: { message, param: name, code: 'unknown_parameter' } }, 400),
				});
				const error: ServerError = await getError(send(connect(server.url), { [name]: 'x' }));
				expect(error.message).toBe(`${name} (Extra Body): Unknown parameter: '${name}'`);
				expect(server.requests.filter((request) => request.path === path)).toHaveLength(1);
			},
		);
	},
);

const FAILURES = [
	[
		'speak',
		422,
		{ detail: [{ loc: ['body', 'input'], msg: 'String should have at most 4096 characters' }] },
		'Text: String should have at most 4096 characters',
		'Change "Text".',
	],
	[
		'speak',
		400,
		{ error: { message: 'speed must be between 0.25 and 1.5', param: 'speed' } },
		'Speed: speed must be between 0.25 and 1.5',
		'Change "Speed".',
	],
	[
		'speak',
		422,
		{ detail: [{ loc: ['body', 'response_format'], msg: "Input should be 'mp3' or 'opus'" }] },
		"File Format: Input should be 'mp3' or 'opus'",
		'Change "File Format".',
	],
	[
		'images',
		400,
		{
			error: {
				message:
					"Invalid 'n': integer above maximum value. Expected a value <= 1, but got 4 instead.",
				param: 'n',
			},
		},
		"Number of Images: Invalid 'n': integer above maximum value",
		'Change "Number of Images".',
	],
	[
		'images',
		422,
		{ detail: [{ loc: ['body', 'n'], msg: 'Input should be less than or equal to 1' }] },
		'Number of Images: Input should be less than or equal to 1',
		'Change "Number of Images".',
	],
	[
		'images',
		400,
		{
			error: {
				message: "Invalid value: '64x64'. Supported values are: '1024x1024', 'auto'",
				param: 'size',
			},
		},
		"Size: Invalid value: '64x64'",
		'Change "Size" (64x64).',
	],
	[
		'images',
		422,
		{
			detail: [
				{ loc: ['body', 'n'], msg: 'Input should be less than or equal to 1' },
				{ loc: ['body', 'seed'], msg: 'Input should be a valid string' },
			],
		},
		'Number of Images, Seed: Input should be less than or equal to 1; body.seed: Input should be a valid string',
		'Change "Number of Images". Change "Seed".',
	],
	[
		// SGLang and vLLM-Omni validate the form as FastAPI does.
		'imageEdits',
		422,
		{ detail: [{ loc: ['body', 'n'], msg: 'Input should be less than or equal to 1' }] },
		'Number of Images: Input should be less than or equal to 1',
		'Change "Number of Images".',
	],
	[
		'transcribe',
		422,
		{
			detail: [{ loc: ['body', 'temperature'], msg: 'Input should be less than or equal to 0.3' }],
		},
		'Temperature: Input should be less than or equal to 0.3',
		'Change "Temperature".',
	],
	[
		'transcribe',
		422,
		{
			detail: [{ loc: ['body', 'timestamp_granularities[]', 0], msg: "Input should be 'segment'" }],
		},
		"Timestamps: Input should be 'segment'",
		'Change "Timestamps".',
	],
	[
		'transcribe',
		400,
		{
			error: {
				message:
					"[{'type': 'literal_error', 'loc': ('body', 'language'), 'msg': \"Input should be 'de' or 'en'\", 'input': 'xx'}]",
			},
		},
		"Language: Input should be 'de' or 'en'",
		'Enter a code such as en, de or zh in the option Language, or leave it empty.',
	],
] as const;

test.each(FAILURES)(
	'%s: the error for status %i and %j',
	async (name, status, body, title, suggestion) => {
		const { path, send } = OPERATIONS[name]!;
		const server = await start({ [`POST ${path}`]: json(body, status) });
		const error: ServerError = await getError(send(connect(server.url)));
		expect(error.message).toBe(title);
		expect(error.suggestion).toBe(suggestion);
	},
);

test('a task without rows does not compile', () => {
	// @ts-expect-error The compiler asks for the rows.
	const task: TaskRequest<string> = {
		routes: ['images'],
		toBody: () => ({}),
		readResponse: async (response) => await response.text(),
	};
	expect(task).not.toHaveProperty('fields');
});

/* Generations */

const ALL_OPTIONS = Object.fromEntries(
	GENERATION_OPTION_LIST.map(({ name, kind }) => [name, kind === 'texts' ? ['a'] : 1]),
) as SamplingSettings;
const THINKING: readonly Thinking[] = [
	{ mode: 'on' },
	{ mode: 'off' },
	{ mode: 'effort', effort: 'low' },
	{ mode: 'budget', tokens: 1 },
];
const FORMATS: ReadonlyArray<SamplingSettings['responseFormat']> = [
	undefined,
	{ type: 'jsonObject' },
	{ type: 'jsonSchema', schema: {} },
	{ type: 'grammar', grammar: 'root ::= "a"' },
];
const TYPES = Object.entries(SERVER_TYPES) as Array<
	[ServerTypeName, (typeof SERVER_TYPES)[ServerTypeName]]
>;

describe.each(TYPES)('generations on %s: each field has a row', (_name, serverType) => {
	const drafts = THINKING.flatMap((thinking) =>
		FORMATS.map((responseFormat): CompletionRequest => ({
			model: 'm',
			messages: toMessages([{ role: 'user', content: 'a' }]),
			tools: [toTool({ name: 't', description: 'd', schema: {} })],
			toolChoice: 'required',
			sampling: { ...ALL_OPTIONS, thinking, responseFormat },
		})),
	);
	const getUnknown = (rows: readonly RequestField[], body: JsonRecord) =>
		[...Object.keys(body), ...Object.keys((body.options as JsonRecord | undefined) ?? {})].filter(
			(name) => !rows.some((row) => getNames(row).includes(name)),
		);

	test('chats', () => {
		for (const draft of drafts) {
			const rows = getChatFields(draft.sampling);
			expect(getUnknown(rows, toOpenAiBody(draft, serverType))).toEqual([]);
			expect(getUnknown(rows, toOllamaBody(draft))).toEqual([]);
		}
	});

	test('labels', () => {
		const options = new LabelSet([{ name: 'a', description: '' }], false);
		const context = {
			model: 'm',
			sampling: ALL_OPTIONS,
			serverType,
			options,
			templateTokens: [],
		};
		const draft = { messages: drafts[0]!.messages, tokens: 1 };
		for (const route of ['openAiChat', 'ollamaChat'] as const)
			expect(getUnknown(CLASSIFY_FIELDS, buildLabelBody(route, draft, context))).toEqual([]);
	});
});

test('the labels of a chat are those of Local Chat Model', () => {
	const labels = new LocalChatModel().description.properties.flatMap(getLabels);
	const rows = THINKING.flatMap((thinking) => getChatFields({ thinking }));
	expect(labels).toEqual(expect.arrayContaining(rows.flatMap(({ label }) => label ?? [])));
});

test.each([
	[
		'text extract',
		getChatFields({ responseFormat: { type: 'jsonSchema', schema: {}, isInPrompt: true } }),
	],
	['text classify', CLASSIFY_FIELDS],
	['text complete', COMPLETION_FIELDS],
	['text chat', getChatFields({})],
	['vector embed', EMBED_FIELDS],
	['vector rerank', RERANK_FIELDS],
] as const)('%s: each option that is sent has a row with its label', (node, rows) => {
	const operation = everyOperation(new LocalLlama().description).find(({ name }) =>
		name.endsWith(node),
	)!;
	const sampling = GENERATION_OPTION_LIST.map(({ label }) => label as string);
	const labels = rows.flatMap(({ label }) => label ?? []);
	// Options of other operations cannot be set here.
	expect(
		labels.filter((label) => !operation.labels.includes(label) && !sampling.includes(label)),
	).toEqual([]);
	const sent = operation.labels.filter(
		(label) => sampling.includes(label) || label === 'Keep Alive',
	);
	expect(labels).toEqual(expect.arrayContaining(sent));
});

/* The other tasks, over the wire. */

const embedAll = async (target: Target) =>
	await new Embedder(target, {
		...SETTINGS,
		batchSize: 32,
		prefixes: {},
		longTexts: 'fail',
		blankTexts: 'fail',
		dimensions: 2,
		keepAlive: '5m',
	}).embed(['b'.repeat(600), 'a'], 'document');
const rerankAll = async (target: Target) =>
	await rerank(
		target,
		{ ...SETTINGS, batchSize: 32, longDocuments: 'fail', scores: 'received', topN: 0 },
		{
			query: 'q'.repeat(600),
			queryOrigin: 'user',
			documentOrigin: 'foreign',
			documents: ['a', 'b'],
		},
	);
const completeAll = async (target: Target) =>
	await completeText(target, { ...SETTINGS, sampling: ALL_OPTIONS }, { prompt: 'x'.repeat(600) });

test.each([
	['/v1/embeddings', embedAll, EMBED_FIELDS],
	['/v1/rerank', rerankAll, RERANK_FIELDS],
	['/v1/completions', completeAll, COMPLETION_FIELDS],
] as const)('%s: each field that is sent has a row', async (path, send, rows) => {
	const server = await start({ [`POST ${path}`]: json({ error: { message: 'no' } }, 400) });
	await getError(send(connect(server.url)));
	const names = server
		.sent(path)
		.flatMap((body) => Object.keys(body))
		.filter((name) => name !== 'model');
	expect(names.length).toBeGreaterThan(0);
	expect(names.filter((name) => !rows.some((row) => getNames(row).includes(name)))).toEqual([]);
});

test.each([
	[
		'/v1/embeddings',
		{ detail: [{ loc: ['body', 'dimensions'], msg: 'Input should be less than or equal to 1' }] },
		embedAll,
		'Dimensions: Input should be less than or equal to 1',
	],
	[
		'/v1/embeddings',
		{ error: { message: "Invalid 'encoding': no", param: 'dimensions' } },
		embedAll,
		"Dimensions: Invalid 'encoding': no",
	],
	[
		'/v1/embeddings',
		{ detail: [{ loc: ['body', 'input', 0], msg: 'String should have at most 512 characters' }] },
		embedAll,
		'Text: String should have at most 512 characters',
	],
	[
		'/v1/rerank',
		{ detail: [{ loc: ['body', 'query'], msg: 'String should have at most 512 characters' }] },
		rerankAll,
		'Query: String should have at most 512 characters',
	],
	[
		'/v1/completions',
		{ detail: [{ loc: ['body', 'top_p'], msg: 'Input should be less than 1' }] },
		completeAll,
		'Top P: Input should be less than 1',
	],
	[
		'/v1/completions',
		{ error: { message: "Field 'top_k': Value must be between 2 <= value <= 9, but got 1" } },
		completeAll,
		"Sampling: Top K: Field 'top_k': Value must be between 2 <= value <= 9, but got 1",
	],
] as const)('%s names the rejected field: %j', async (path, body, send, title) => {
	const server = await start({ [`POST ${path}`]: json(body, 422) });
	const error: ServerError = await getError(send(connect(server.url)));
	expect(error.message).toBe(title);
	expect(`${error.message}${error.suggestion}`).not.toMatch(/body\.|that option/);
});
