import { synthesizeSpeech } from '../../../lib/tasks/synthesize-speech';
import { stripMarkdown } from '../../../lib/tasks/plain-speech';
import type { SpeechAudio, SpeechRequest } from '../../../lib/tasks/synthesize-speech';
import type { TaskSettings } from '../../../lib/tasks/run-task';
import { startKokoroSim } from '../../simulators/media/kokoro';
import { bytesReply, jsonReply } from '../../simulators/media/server';
import { startSpeachesSim } from '../../simulators/media/speaches';
import { startLlamaServerSim } from '../../simulators/llama-server';
import { useSimulator } from '../../simulators/use-simulator';
import { readBytes, connect, OPTIONS } from './media';
import { forgetAll } from '../../../lib/kept';
import { getError } from '../../support/jest/get-error';

const startKokoro = useSimulator(startKokoroSim);
const startSpeaches = useSimulator(startSpeachesSim);
const startLlama = useSimulator(startLlamaServerSim);

const run = async (
	sim: { url: string },
	{
		model = 'kokoro',
		...overrides
	}: Partial<Omit<SpeechRequest<unknown>, 'store'> & TaskSettings> = {},
) => {
	const store = async ({ content, ...type }: SpeechAudio) => ({
		...type,
		bytes: await readBytes(content),
	});
	const request = {
		input: 'Hello there.',
		voice: 'af_bella',
		format: 'mp3',
		instructions: '',
	} as const;
	const result = await synthesizeSpeech(
		connect(sim.url),
		{ ...OPTIONS, model },
		{ ...request, isPlainText: false, extraBody: {}, store, ...overrides },
	);
	return { ...result, ...result.stored };
};
const SPEACHES = { model: 'speaches-ai/Kokoro-82M-v1.0-ONNX', voice: 'af_heart' };

describe('Kokoro-FastAPI', () => {
	test('an unsupported voice', async () => {
		const error = await getError(run(await startKokoro(), { voice: 'alloy' }));
		expect(error.message).toBe("Voice 'alloy' not found");
		expect(error.serverText).toContain('af_bella, af_heart');
		const model = await getError(run(await startKokoro(), { model: 'whisper' }));
		expect(model.serverText).toBe('Unsupported model: whisper');
	});

	test('plain text: without emoji and Markdown, and nothing is sent if the text is empty', async () => {
		const sim = await startKokoro();
		expect((await run(sim, { input: '**Hi** 👋', isPlainText: true })).input).toBe('Hi');
		const getInputs = sim.requests.length;
		expect(await getError(run(sim, { input: '👋', isPlainText: true }))).toMatchObject({
			type: 'invalidInput',
		});
		expect(await getError(run(sim, { input: '  ' }))).toMatchObject({
			message: 'The text is empty',
		});
		expect(sim.requests).toHaveLength(getInputs);
	});
});

test('a permission that mentions voices is no unsupported voice', async () => {
	const sim = await startKokoro();
	const detail = { message: 'Voice tags are disabled on this server', type: 'permission_error' };
	sim.route('POST /v1/audio/speech', jsonReply({ detail }, 403));
	expect((await getError(run(sim))).message).not.toMatch(/does not support the voice/);
});

describe('responses that are not audio', () => {
	const AUDIO = Buffer.alloc(300, 9);

	test.each<[string, Parameters<typeof jsonReply>[0], object]>([
		[
			'an error',
			{ error: { message: 'voice model crashed' } },
			{ type: 'serverError', message: 'voice model crashed' },
		],
		['a detail', { detail: 'no such model' }, { type: 'serverError', message: 'no such model' }],
		['something', { status: 'queued' }, { type: 'invalidResponse' }],
	])('JSON with %s is an error', async (_name, body, expected) => {
		const sim = await startKokoro();
		sim.route('POST /v1/audio/speech', jsonReply(body));
		expect(await getError(run(sim))).toMatchObject(expected);
	});

	const WAV = Buffer.from(`RIFF\x48\x7d\0\0WAVEfmt ${'\0'.repeat(32_000)}`, 'latin1');
	const encoded = WAV.toString('base64');

	test.each([
		['in JSON', jsonReply({ audio: encoded })],
		[
			'in JSON, as a data URL',
			jsonReply({ data: [{ audio: `data:audio/wav;base64,${encoded}` }] }),
		],
		['with the type of a text', bytesReply('text/plain', [WAV])],
		['with the type of JSON', bytesReply('application/json', [WAV])],
	])('audio %s', async (_name, answer) => {
		const sim = await startKokoro();
		sim.route('POST /v1/audio/speech', answer);
		expect(await run(sim)).toMatchObject({ mimeType: 'audio/wav', bytes: WAV });
	});

	test('JSON with an audio type', async () => {
		const sim = await startKokoro();
		sim.route('POST /v1/audio/speech', bytesReply('audio/mpeg', [Buffer.from('{"error":"x"}')]));
		expect(await getError(run(sim))).toMatchObject({ type: 'serverError', serverText: 'x' });
	});

	test('fewer than 100 bytes, nothing, a page, plain words', async () => {
		const sim = await startKokoro();
		for (const bytes of [Buffer.alloc(99), Buffer.alloc(0)]) {
			sim.route('POST /v1/audio/speech', bytesReply('audio/mpeg', [bytes]));
			expect(await getError(run(sim))).toMatchObject({
				type: 'emptyResponse',
				message: 'The server returned no audio',
			});
		}
		sim.route(
			'POST /v1/audio/speech',
			bytesReply('text/html', [Buffer.from('<html><title>Sign in</title></html>')]),
		);
		expect(await getError(run(sim))).toMatchObject({ type: 'notAnApi' });
		sim.route('POST /v1/audio/speech', bytesReply('text/plain', [Buffer.from('engine is dead')]));
		expect(await getError(run(sim))).toMatchObject({ serverText: 'engine is dead' });
	});

	const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex').toString('latin1');
	const OTHER_BYTES = [
		{ what: 'a PNG', start: PNG, message: 'an image (image/png)' },
		{ what: 'a JPEG', start: '\xff\xd8\xff\xe0\0\x10JFIF', message: 'an image (image/jpeg)' },
		{ what: 'a PDF', start: '%PDF-1.7\n', message: 'a file (application/pdf)' },
		{ what: 'an archive', start: 'PK\x03\x04\x14\0', message: 'a file (application/zip)' },
		{ what: 'a video', start: 'RIFF1234AVI LIST', message: 'a video (video/x-msvideo)' },
		{
			what: 'an SVG with BOM',
			start: '\xef\xbb\xbf<svg onload="x()">',
			message: 'an SVG document',
		},
	];

	test.each(OTHER_BYTES)('with an audio type, but of $what', async ({ start, message }) => {
		const sim = await startKokoro();
		const bytes = Buffer.concat([Buffer.from(start, 'latin1'), Buffer.alloc(200)]);
		for (const type of ['audio/mpeg', 'audio/wav', 'application/octet-stream']) {
			sim.route('POST /v1/audio/speech', bytesReply(type, [bytes]));
			const { type: errorType, message: title, detail } = await getError(run(sim));
			expect([errorType, title]).toEqual(['invalidResponse', 'The server response is not audio']);
			expect(detail).toContain(`, but ${message}`);
		}
	});

	test.each(['mp3', 'wav', 'pcm'] as const)(
		'words with an audio type are those of the server: requested %s',
		async (format) => {
			const sim = await startKokoro();
			const words = 'The voice engine has crashed. '.repeat(10);
			for (const text of [
				words,
				`\n ${words}`,
				'声音引擎已经崩溃。'.repeat(20),
				'<svg onload="x()"></svg>'.repeat(9),
				Buffer.from(`\ufeff${words}`, 'utf16le'),
				Buffer.from(words, 'utf16le'),
			]) {
				sim.route('POST /v1/audio/speech', bytesReply('audio/mpeg', [Buffer.from(text)]));
				const { serverText, type } = await getError(run(sim, { format }));
				expect([serverText?.slice(0, 20) ?? '', type]).not.toEqual(['', 'emptyResponse']);
			}
		},
	);

	test('a format that differs from the requested one is reported', async () => {
		const wav = Buffer.concat([Buffer.from('RIFF1234WAVEfmt '), AUDIO]);
		const sim = await startKokoro({ sound: () => [wav] });
		const { extension, mimeType, warnings } = await run(sim, { format: 'mp3' });
		expect([extension, mimeType, warnings]).toEqual([
			'wav',
			'audio/wav',
			[expect.stringContaining('instead of the requested mp3')],
		]);
	});
});

describe('the type of the audio', () => {
	const samples = Buffer.alloc(300, 9);
	const after = (start: string) => Buffer.concat([Buffer.from(start, 'latin1'), samples]);
	const FRAME = '\xff\xfb\x90\x64';

	test.each<[string, SpeechRequest<unknown>['format'], string, Buffer, string, string, number]>([
		['PCM, MP3 comes', 'pcm', 'audio/mpeg', after(FRAME), 'mp3', 'audio/mpeg', 1],
		[
			'PCM, MP3 with tags comes',
			'pcm',
			'application/octet-stream',
			after('ID3'),
			'mp3',
			'audio/mpeg',
			1,
		],
		['PCM, FLAC comes', 'pcm', 'audio/flac', after('fLaC'), 'flac', 'audio/flac', 1],
		['PCM, AAC comes', 'pcm', 'audio/aac', after('\xff\xf1'), 'aac', 'audio/aac', 1],
		['PCM comes', 'pcm', 'audio/pcm', after(FRAME), 'pcm', 'audio/L16;rate=24000;channels=1', 0],
		[
			'PCM comes, whose first sample is "<"',
			'pcm',
			'',
			after('<\0\x7b\0'),
			'pcm',
			'audio/L16;rate=24000;channels=1',
			0,
		],
		['PCM comes, without a type', 'pcm', '', samples, 'pcm', 'audio/L16;rate=24000;channels=1', 0],
		[
			'PCM with its rate comes',
			'pcm',
			'audio/L16; rate=16000; channels=2',
			samples,
			'pcm',
			'audio/L16;rate=16000;channels=2',
			0,
		],
		['MP3, PCM comes', 'mp3', 'audio/pcm', samples, 'pcm', 'audio/L16;rate=24000;channels=1', 1],
		['MP3, WAV comes', 'mp3', 'audio/mpeg', after('RIFF1234WAVEfmt '), 'wav', 'audio/wav', 1],
		['Opus, WebM comes', 'opus', 'audio/webm', after('\x1aE\xdf\xa3'), 'webm', 'audio/webm', 1],
		['AAC, MP4 comes', 'aac', 'audio/mp4', after('\0\0\0\x20ftypisom'), 'm4a', 'audio/mp4', 1],
		['Opus comes', 'opus', 'audio/ogg', after('OggS'), 'opus', 'audio/ogg', 0],
	])(
		'the type of the audio is that of its bytes: requested %s',
		async (_name, format, type, bytes, extension, mimeType, hints) => {
			const sim = await startKokoro();
			sim.route('POST /v1/audio/speech', bytesReply(type, [bytes]));
			const result = await run(sim, { format });
			expect([result.extension, result.mimeType, result.warnings.length]).toEqual([
				extension,
				mimeType,
				hints,
			]);
		},
	);
});

test('speaches: a lost connection is reported', async () => {
	const sim = await startSpeaches();
	expect(await getError(run(sim, { ...SPEACHES, voice: 'nobody' }))).toMatchObject({
		type: 'connectionLost',
		suggestion: expect.not.stringContaining('text'),
	});
});

test('servers without speech: the error names servers that support it', async () => {
	for (const [profile, title] of [
		['llama-server', 'llama-server cannot speak'],
		// Newer versions have models that speak.
		['ollama', 'Ollama cannot speak with this model'],
	] as const) {
		forgetAll();
		const error = await getError(run(await startLlama({ profile }), { model: 'sim-model' }));
		expect([error.message, error.suggestion]).toEqual([
			title,
			expect.stringContaining('GPUStack, speaches'),
		]);
	}
});

test.each([
	['emoji, flags, skin and families', 'Hi 👋🏽 there 🇩🇪 👨‍👩‍👧!', 'Hi there !'],
	['emphasis', '**Really** *new* and __old__ and ~~gone~~', 'Really new and old and gone'],
	['headings, lists, quotes', '# Title\n\n- one\n* two\n> three\n---', 'Title\n\none\ntwo\nthree'],
	['links and images', 'See [the page](https://x.y) ![a cat](c.png)', 'See the page a cat'],
	['code', 'Run `npm i`:\n```sh\nls -la\n```', 'Run npm i:\nls -la'],
	[
		'names, sums and digits stay',
		'snake_case_name, 2 * 3 * 4, #1, 50 %',
		'snake_case_name, 2 * 3 * 4, #1, 50 %',
	],
	['Chinese', '**你好**，世界。🙂', '你好，世界。'],
	[
		'a table',
		'Prices:\n\n| Name | **Price** | |\n|:-----|:---:|---|\n| Tea  | 2 € | a\\|b |\n| `Milk` | 1 € | |\nDone | so.',
		'Prices:\n\nName, Price\nTea, 2 €, a|b\nMilk, 1 €\nDone, so.',
	],
	['a table without outer bars', 'A | B\n--- | ---\n1 | 2\n\nx | y', 'A, B\n1, 2\n\nx | y'],
	['bars that are no table', 'a | b\n| c |\n--- | x', 'a | b\n| c |\n--- | x'],
])('plain text: %s', (_name, text, plain) => {
	expect(stripMarkdown(text)).toBe(plain);
});
