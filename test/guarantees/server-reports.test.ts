/** What servers report about their responses to tasks. */
import { Embedder } from '../../lib/tasks/embed';
import { getPrefixes } from '../../lib/tasks/prefixes';
import type { EmbedSettings } from '../../lib/tasks/embed';
import { generateImages } from '../../lib/tasks/generate-images';
import { rerank } from '../../lib/tasks/rerank';
import type { SpeechAudio } from '../../lib/tasks/synthesize-speech';
import { synthesizeSpeech } from '../../lib/tasks/synthesize-speech';
import { transcribe } from '../../lib/tasks/transcribe';
import type { TranscribeRequest } from '../../lib/tasks/transcribe';
import { connect, OPTIONS, readBytes, transcribeRequest } from '../lib/tasks/media';
import { json, startScripted } from '../support/servers/scripted-server';
import type { Answer, Routes } from '../support/servers/scripted-server';
import { useSimulator } from '../simulators/use-simulator';
import { httpFixture } from '../support/servers/streams';
import { getError } from '../support/jest/get-error';

const EMBED = '/v1/embeddings';
const SETTINGS = { ...OPTIONS, model: 'm', batchSize: 32 };
const start = useSimulator(startScripted);

/** A server that responds by method and path. */
async function serve(routes: Routes) {
	const server = await start(routes);
	return { target: connect(server.url), server };
}

const list = (...data: object[]): Routes => ({ 'GET /v1/models': json({ data }) });
const listed = (...entries: object[]) =>
	list(...entries.map((entry) => ({ owned_by: 'organization_owner', ...entry })));
const ownedBy = (owner: string, id = 'm') => ({ id, created: 1_677_610_602, owned_by: owner });
const vector = (...embedding: number[]) => ({ data: [{ index: 0, embedding }] });

const embedderOf = (target: ReturnType<typeof connect>, more: Partial<EmbedSettings> = {}) =>
	new Embedder(target, {
		...SETTINGS,
		prefixes: {},
		longTexts: 'fail',
		blankTexts: 'fail',
		...more,
	});

async function embedAs(requested: string, reported: unknown, others: Routes = {}) {
	const response = { model: reported, ...vector(1, 2) };
	const { target } = await serve({ [`POST ${EMBED}`]: json(response), ...others });
	const embedder = embedderOf(target, { model: requested });
	await embedder.embed(['a'], 'query');
	return await embedder.embed(['b'], 'query');
}

describe('the model that an embeddings response names', () => {
	test.each([
		['nomic', 'text-embedding-bge-m3', listed({ id: 'text-embedding-bge-m3' })],
		['bge-large', 'bge-m3', {}],
		['a', '/models/b.gguf', listed({ id: '/models/b.gguf', aliases: ['c'] })],
		['first', 'second', listed({ id: 'first' }, { id: 'second' })],
	])('%s, but %s: a hint', async (requested, reported, others = {}) => {
		const { otherModel, warnings } = await embedAs(requested, reported, others);
		expect(otherModel).toBe(reported);
		expect(warnings).toEqual([expect.stringContaining(`"${reported}" instead of "${requested}"`)]);
	});

	test('a name of any length: the hint shows its beginning', async () => {
		const { warnings } = await embedAs('n'.repeat(500_000), 'bge-m3', listed({ id: 'bge-m3' }));
		expect(warnings).toEqual([expect.stringMatching(/"bge-m3" instead of "n{199}…"\. Select/)]);
	});

	test.each<[string, unknown, Routes?]>([
		['nomic-embed-text', 'nomic-embed-text:latest'],
		['nomic-embed-text:v1.5', 'nomic-embed-text'],
		['bge-m3', '/models/BGE-M3.gguf'],
		['nomic-ai/nomic-embed', 'nomic-embed'],
		['embed', 'bge-m3', listed({ id: 'bge-m3', aliases: ['embed'] })],
		['embed', 'internal-name', listed({ id: 'embed' })],
		['embed', 'bge-m3', list(ownedBy('openai', 'embed'), ownedBy('openai', 'bge-m3'))],
		['m', undefined],
		['m', 5],
	])('%s and %s: the same, or not known', async (requested, reported, others = {}) => {
		const result = await embedAs(requested, reported, others);
		expect([result.otherModel, result.warnings]).toEqual([undefined, []]);
	});
});

const segment = (text: string, start: number, end: number, more: object = {}) => ({
	text,
	start,
	end,
	...more,
});

async function transcribeAs(response: object, request: Partial<TranscribeRequest> = {}) {
	const { target } = await serve({ 'POST /v1/audio/transcriptions': json(response) });
	return await transcribe(target, SETTINGS, transcribeRequest(request));
}

describe('what a transcription reports', () => {
	const good = segment(' Hi', 0, 1, { no_speech_prob: 0.2 });
	test.each<[string, object, Partial<TranscribeRequest>, RegExp]>([
		[
			'no speech',
			{ text: 'Hi', segments: [good, segment(' Thanks', 1, 2, { no_speech_prob: 0.91 })] },
			{ format: 'verbose_json' },
			/1 of 2 segments probably contain no speech/,
		],
		[
			'no speech at all',
			{
				text: 'Bye',
				segments: [1, 2, 3].map((at) => segment(' Bye', at, at, { no_speech_prob: 0.75 })),
			},
			{},
			/3 of 3 segments/,
		],
		['a limit', { text: 'Hi', finish_reason: 'length' }, {}, /token limit/],
		['no segments', { text: 'Hi' }, { format: 'verbose_json' }, /only the text, without segments/],
		[
			'no words',
			{ text: 'Hi', segments: [] },
			{ format: 'verbose_json', granularities: ['word'] },
			/without times for: word/,
		],
		['no subtitles', { text: 'Hi' }, { format: 'srt' }, /text instead of subtitles/],
	])('%s: one hint', async (_name, response, request, hint) => {
		const { warnings } = await transcribeAs(response, request);
		expect(warnings).toEqual([expect.stringMatching(hint)]);
	});

	test.each<[object, Partial<TranscribeRequest>]>([
		[{ text: 'Hi', segments: [good] }, { format: 'verbose_json' }],
		[{ text: 'Hi', finish_reason: 'stop' }, {}],
		[
			{ text: 'Hi', words: [segment('Hi', 0, 1)] },
			{ format: 'verbose_json', granularities: ['word'] },
		],
		[{ text: '0.91 no_speech_prob length' }, {}],
	])('%j: no hint', async (response, request) => {
		expect((await transcribeAs(response, request)).warnings).toEqual([]);
	});

	const body = {
		text: 'Hi there',
		segments: [segment(' Hi', 0, 1.5), segment('there --> x', 3661.25, 3662)],
	};
	test.each([
		[
			'srt',
			'1\n00:00:00,000 --> 00:00:01,500\nHi\n\n2\n01:01:01,250 --> 01:01:02,000\nthere → x\n',
		],
		[
			'vtt',
			'WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nHi\n\n01:01:01.250 --> 01:01:02.000\nthere → x\n',
		],
	] as const)('%s from segments, if the server has no subtitles', async (format, content) => {
		const message = 'Currently only support response_format: `text`, `json` or `verbose_json`';
		const path = '/v1/audio/transcriptions';
		const { target, server } = await serve({
			[`POST ${path}`]: [json({ error: { message } }, 400), json(body)],
		});
		const result = await transcribe(target, SETTINGS, transcribeRequest({ format }));
		expect(result.subtitles).toEqual({ format, content });
		expect([server.sent(path).length, result.warnings]).toEqual([2, []]);
	});
});

const SCORES = { longDocuments: 'fail', topN: 0 } as const;
test.each([
	[[0.9971, 0.0072], 'sigmoid', 1],
	[[0, 1, 0.5], 'sigmoid', 1],
	[[0.4, 0.3], 'sigmoid', 1],
	[[-0.2, 0.7], 'sigmoid', 0],
	[[5.1, 0.2], 'sigmoid', 0],
	[[0.5], 'sigmoid', 0],
	[[0.9971, 0.0072], 'received', 0],
] as const)(
	'scores %j, computed as set (%s): %d hints about probabilities',
	async (values, scores, hints) => {
		const results = values.map((score, index) => ({ index, relevance_score: score }));
		const { target } = await serve({ 'POST /v1/rerank': json({ results }) });
		const settings = { ...SETTINGS, ...SCORES, scores };
		const { ranking, warnings } = await rerank(target, settings, {
			query: 'q',
			queryOrigin: 'user',
			documentOrigin: 'foreign',
			documents: values.map(String),
		});
		expect(warnings.filter((warning) => warning.includes('"As Received"'))).toHaveLength(hints);
		if (scores === 'sigmoid')
			expect(ranking[0]!.score).toBeCloseTo(1 / (1 + Math.exp(-Math.max(...values))));
	},
);

const png = (width: number, height: number) => {
	const content = Buffer.from(
		'89504e470d0a1a0a0000000d494844520000000000000000080600000000000000',
		'hex',
	);
	content.writeUInt32BE(width, 16);
	content.writeUInt32BE(height, 20);
	return { b64_json: content.toString('base64') };
};
test.each([
	['768x512', [png(512, 512)], ['512x512 pixels instead of 768x512']],
	['64x64', [png(32, 64), png(32, 64), png(64, 64)], ['32x64 pixels instead of 64x64']],
	['64x64', [png(1, 2), png(2, 1)], ['1x2 pixels', '2x1 pixels']],
	['512x512', [png(512, 512)], []],
	['', [png(3, 3)], []],
])('size %s', async (size, data, hints) => {
	const { target } = await serve({ 'POST /v1/images/generations': json({ data }) });
	const request = { prompt: 'a cat', count: data.length, size, format: '', extraBody: {} } as const;
	const { warnings } = await generateImages(target, SETTINGS, request);
	expect(warnings).toEqual(hints.map((hint): unknown => expect.stringContaining(hint)));
});

const wav = (riff: number, data: number, list = 0) => {
	const header = Buffer.alloc(44 + list);
	header.write('RIFF', 0);
	header.writeUInt32LE(riff, 4);
	header.write('WAVEfmt ', 8);
	header.writeUInt32LE(16, 16);
	if (list > 0) {
		header.write('LIST', 36);
		header.writeUInt32LE(list - 8, 40);
	}
	header.write('data', 36 + list);
	header.writeUInt32LE(data, 40 + list);
	return Buffer.concat([header, Buffer.alloc(1000, 1)]);
};
test.each([
	['placeholders', wav(0xffff_ffff, 0xffff_ffff), wav(1036, 1000)],
	['zeros', wav(0, 0), wav(1036, 1000)],
	['a list before the samples', wav(0xffff_ffff, 0xffff_ffff, 34), wav(1070, 1000, 34)],
	['2 GB', wav(0x7fff_ffff + 36, 0x7fff_ffff), wav(1036, 1000)],
	['only the samples', wav(1036, 0xffff_ffff), wav(1036, 1000)],
	['a complete header', wav(1036, 1000), wav(1036, 1000)],
	['other metadata after the samples', wav(1036, 900), wav(1036, 900)],
])('the length of a WAV file: %s', async (_name, sent, stored) => {
	const server = await start((_request, response) => {
		response.writeHead(200, { 'Content-Type': 'audio/wav' });
		response.write(sent.subarray(0, 20));
		response.end(sent.subarray(20));
	});
	const request = {
		input: 'Hi',
		voice: '',
		format: 'wav',
		instructions: '',
		isPlainText: false,
	} as const;
	const result = await synthesizeSpeech(connect(server.url), SETTINGS, {
		...request,
		extraBody: {},
		store: async ({ content }: SpeechAudio) => await readBytes(content),
	});
	expect(Buffer.from(result.stored)).toEqual(stored);
});

/** A server that rejects every request of a task. */
async function reject(owner: string, status: number, body: object) {
	const models = json({ data: [{ id: 'm', owned_by: owner }] });
	const rejection = json(body, status);
	const server = await start((request, response) =>
		(request.path === '/v1/models' ? models : rejection)(request, response),
	);
	return connect(server.url);
}

const message = (text: string) => ({ error: { message: text } });

test.each([
	[
		'German',
		400,
		message("Unsupported language: 'German'. Language must be one of ['de', 'en']."),
		"Unsupported language: 'German'",
	],
	[
		'english',
		422,
		{ detail: [{ loc: ['body', 'language'], msg: 'Not valid', input: 'english' }] },
		'Not valid',
	],
	['xx', 400, message('The language XX is not known'), 'The language XX is not known'],
	['de_DE', 500, message('invalid language code: de_DE'), 'invalid language code: de_DE'],
])('a rejected language: %s', async (language, status, body, sentence) => {
	const target = await reject('other', status, body);
	const error = await getError(transcribe(target, SETTINGS, transcribeRequest({ language })));
	// Only the place of the issue names the field.
	const isNamed = status === 422;
	expect(error.message).toBe(isNamed ? `Language: ${sentence}` : sentence);
	if (isNamed) expect(error.suggestion).toContain('Language');
});

test.each([
	['vllm', 404, { detail: 'Not Found' }, 'vLLM cannot transcribe audio with this model'],
	[
		'vllm',
		400,
		message('The model does not support Transcriptions API'),
		'The model does not support Transcriptions API',
	],
	['vllm', 501, message('Not implemented'), 'vLLM cannot transcribe audio with this model'],
	['gpustack', 404, { detail: 'Not Found' }, 'GPUStack cannot transcribe audio with this model'],
])('a model that cannot transcribe: %s, HTTP %d', async (owner, status, body, title) => {
	const target = await reject(owner, status, body);
	const error = await getError(transcribe(target, SETTINGS, transcribeRequest()));
	expect(error.message).toBe(title);
	expect(error.suggestion).toContain('whisper');
	expect(error.suggestion).not.toContain('LocalAI');
});

test.each([
	['30 minutes', 'time: unknown unit " minutes" in duration "30 minutes"', undefined],
	['forever', 'time: invalid duration "forever"', undefined],
	['soon', 'keep_alive: soon is not valid', 'Keep Alive: soon is not valid'],
])('a rejected Keep Alive: %s', async (keepAlive, text, title) => {
	const target = await reject('library', 400, { error: text });
	const embedder = embedderOf(target, { keepAlive });
	const error = await getError(embedder.embed(['a', 'b'], 'document'));
	expect(error.message).toBe(title ?? text);
	if (title !== undefined)
		expect(error.suggestion).toBe('Set "Keep Alive" to a duration such as 30m or 2h.');
});

/** A recorded response of a real server. */
const recorded = (name: string): Answer => {
	const { status, headers, body } = httpFixture(`${name}.http`);
	return (_request, response) => {
		response.writeHead(status, Object.fromEntries(headers));
		response.end(body);
	};
};

test.each([
	{
		title: 'jina_ai of LiteLLM',
		rejection: recorded('litellm-1.106.2/embeddings-refuses-encoding-format'),
	},
	// LiteLLM 1.108.7, as a real one sent it
	...[
		"litellm.UnsupportedParamsError: Setting {'encoding_format': 'float'} is not supported by ollama. To drop it from the call, set `litellm.drop_params = True`.",
		'litellm.UnsupportedParamsError: Setting `encoding_format` is not supported by ollama, nomic.',
		'Setting encoding_format is not supported',
		"Setting 'encoding_format', 'user' are not supported by bedrock",
	].map((text) => ({ title: text, rejection: json(message(text), 400) })),
])(
	'a rejected field without effect is omitted from all later requests: $title',
	async ({ rejection }) => {
		const { target, server } = await serve({
			[`POST ${EMBED}`]: (request, response) =>
				('encoding_format' in request.body ? rejection : json(vector(1, 0)))(request, response),
		});
		for (const text of ['a', 'b'])
			expect(await embedderOf(target).embed([text], 'query')).toMatchObject({ warnings: [] });
		const sent = server.sent(EMBED).map((body) => 'encoding_format' in body);
		expect(sent).toEqual([true, false, false]);
	},
);

const rerankDocuments = async (target: ReturnType<typeof connect>, documents: string[]) =>
	await rerank(
		target,
		{ ...SETTINGS, ...SCORES, scores: 'received' },
		{ query: 'a', queryOrigin: 'user', documentOrigin: 'foreign', documents },
	);

test('a gateway to a provider that does not rerank', async () => {
	const { target } = await serve({
		...list(ownedBy('openai')),
		'POST /v1/rerank': recorded('litellm-1.106.2/rerank-unsupported-provider'),
	});
	expect(await getError(rerankDocuments(target, ['b']))).toMatchObject({
		type: 'serverError',
		message: 'Unsupported provider: openai',
	});
});

test('llama-server without the route, at a URL that lists its model: neither the URL nor its options are wrong', async () => {
	const { target } = await serve(list(ownedBy('llamacpp')));
	expect(await getError(embedderOf(target).embed(['a'], 'query'))).toMatchObject({
		type: 'routeNotFound',
		suggestion:
			'The address is right, but the server does not have this endpoint: update the server, or use another one with its own credential.',
	});
});

test('a recognized server without the route', async () => {
	const { target } = await serve({
		...list(ownedBy('vllm')),
		[`POST ${EMBED}`]: recorded('vllm-0.32.0-cpu/embeddings-404-no-route'),
	});
	expect(await getError(embedderOf(target).embed(['a'], 'query'))).toMatchObject({
		type: 'featureDisabled',
		message: 'vLLM cannot create embeddings with this model',
	});
});

test('a server with the names of TEI at the root: later requests use that route directly', async () => {
	const scores = [0, 1].map((index) => ({ index, score: index }));
	const { target, server } = await serve({ 'POST /rerank': json(scores) });
	for (let round = 1; round <= 2; round++)
		expect((await rerankDocuments(target, ['x', 'y'])).ranking).toEqual(scores.toReversed());
	expect(server.sent('/v1/rerank')).toHaveLength(1);
	expect(server.requests.filter(({ path }) => path === '/rerank')).toMatchObject([
		{ body: { texts: ['x', 'y'] } },
		{ body: { texts: ['x', 'y'] } },
	]);
});

test.each([
	"'dimensions' must be 256 or 768",
	'body.dimensions: vorp 256 blick',
	'matryoshka_dim is not set for this model',
])('a rejected number of dimensions names the option: %s', async (text) => {
	const { target, server } = await serve({ [`POST ${EMBED}`]: json(message(text), 400) });
	const error = await getError(embedderOf(target, { dimensions: 512 }).embed(['a'], 'query'));
	expect(error.message).toMatch(/^Dimensions: /);
	expect(error.suggestion).toMatch(/^Leave Dimensions empty: /);
	expect(error.serverText).toBe(text);
	expect(server.sent(EMBED).filter((body) => 'dimensions' in body)).toHaveLength(1);
	const other = await getError(embedderOf(target).embed(['a'], 'query'));
	expect(other.message).not.toContain('Dimensions');
});

test.each([
	['nomic-embed-text:latest', 'search_query: ', 'search_document: '],
	['intfloat/multilingual-e5-large', 'query: ', 'passage: '],
	['intfloat/e5-mistral-7b-instruct', expect.stringMatching(/^Instruct: .*\nQuery: $/s), ''],
	['Qwen3-Embedding-0.6B-Q8_0', expect.stringMatching(/\nQuery:$/), ''],
	['bge-large-en-v1.5', 'Represent this sentence for searching relevant passages: ', ''],
	['embeddinggemma:300m', 'task: search result | query: ', 'title: none | text: '],
	['bge-m3', '', ''],
	['snowflake-arctic-embed2', '', ''],
	['all-minilm', '', ''],
])('prefixes of %s', (model, query, document) => {
	expect(getPrefixes(model)).toEqual({ query, document });
});
