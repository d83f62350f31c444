import { describeError } from '../../../lib/errors/describe-error';
import type { ServerError } from '../../../lib/errors/server-error';
import type { TaskSettings } from '../../../lib/tasks/run-task';
import { transcribe } from '../../../lib/tasks/transcribe';
import { runAtOnce } from '../../../lib/http/steps';
import type { TranscriptFormat } from '../../../lib/tasks/transcript';
import { parseTranscript, joinSplitSegments, joinSplitText } from '../../../lib/tasks/transcript';
import type { Transcript } from '../../../lib/tasks/transcript-hints';
import { withSubtitles } from '../../../lib/tasks/transcript-hints';
import type { TranscribeRequest } from '../../../lib/tasks/transcribe';
import { startLlamaServerSim, reply } from '../../simulators/llama-server';
import type { MediaSim } from '../../simulators/media/server';
import { startSpeachesSim } from '../../simulators/media/speaches';
import { startWhisperSim } from '../../simulators/media/whisper';
import { sendJson, startScripted } from '../../support/servers/scripted-server';
import { useSimulator } from '../../simulators/use-simulator';
import { connect, fileOf, OPTIONS, transcribeRequest, wavFile } from './media';
import * as fc from 'fast-check';
import { MARKED_TEXTS, NO_TRANSCRIPTS, TRANSCRIPTS } from './transcribe.cases';
import { getError } from '../../support/jest/get-error';

const startWhisper = useSimulator(startWhisperSim);
const startSpeaches = useSimulator(startSpeachesSim);
const startLlama = useSimulator(startLlamaServerSim);
const startServer = useSimulator(startScripted);

const SEGMENTS = [
	{ text: ' Hello', start: 0, end: 1.5 },
	{ text: ' there', start: 1.5, end: 2 },
];
const SPEACHES = { model: 'Systran/faster-whisper-tiny' };

const run = async (
	sim: { url: string },
	{ model = '', ...overrides }: Partial<TranscribeRequest & TaskSettings> = {},
	options: Partial<TaskSettings> = {},
) =>
	await transcribe(
		connect(sim.url),
		{ ...OPTIONS, model, ...options },
		transcribeRequest(overrides),
	);
const read = (body: string, format: TranscriptFormat): Transcript | undefined =>
	runAtOnce(parseTranscript(body, format));
const getRoutes = ({ requests }: Pick<MediaSim, 'requests'>) =>
	requests.filter(({ method }) => method === 'POST').map(({ path }) => path);

test.each<[string, TranscribeRequest['format'], string, string | undefined]>([
	['JSON', 'json', '{"text": " Hello there, how', 'Hello there, how'],
	['JSON with segments', 'verbose_json', '{"text": "Hello", "segments": [{"text": "Hel', 'Hello'],
	['words', 'text', 'Hello there', 'Hello there'],
	['subtitles', 'srt', '1\n00:00:00,000 --> 00:00:02,000\nHello\n\n2\n00:00', 'Hello'],
	['nothing of the text', 'json', '{"task": "transcri', undefined],
])('a response that breaks off keeps its text: %s', async (_name, format, beginning, text) => {
	const server = await startServer((_request, response) => {
		response.writeHead(200, { 'content-length': '1000' });
		response.write(beginning, () => response.destroy());
	});
	const error = await getError<ServerError>(run(server, { format }, { retries: 0 }));
	expect({
		type: error.type,
		title: error.message,
		partialText: error.partialText,
		isAboutText: describeError(error).includes('the text received so far'),
	}).toEqual({
		type: 'connectionLost',
		title: 'The connection was lost during the response',
		partialText: text,
		isAboutText: text !== undefined,
	});
});

describe('whisper.cpp', () => {
	test('uses OpenAI’s route (--inference-path), without a model', async () => {
		const sim = await startWhisper({ segments: SEGMENTS });
		const { text, warnings } = await run(sim);
		expect([text, warnings]).toEqual(['Hello\n there', []]);
		expect(getRoutes(sim)).toEqual(['/v1/audio/transcriptions']);
		expect(sim.forms[0]).toMatchObject({
			fields: { response_format: 'json' },
			parts: [{ name: 'file', filename: 'note.wav', mimeType: 'audio/wav', size: wavFile().size }],
		});
		expect(sim.forms[0]!.fields).not.toHaveProperty('model');
		expect(sim.forms[0]!.fields).not.toHaveProperty('language');
	});

	test('gets times only for the format with segments', async () => {
		const sim = await startWhisper({ segments: SEGMENTS });
		for (const format of ['json', 'srt', 'verbose_json'] as const)
			await run(sim, { format, granularities: ['word', 'segment'] });
		const sent = sim.forms.map(({ fields }) => [
			fields.response_format,
			'timestamp_granularities[]' in fields ? 'with times' : 'without',
		]);
		expect(sent).toEqual([
			['json', 'without'],
			['srt', 'without'],
			['verbose_json', 'with times'],
		]);
	});

	test.each([
		['text', { text: 'Hello\n there' }],
		[
			'srt',
			{
				text: 'Hello\nthere',
				subtitles: { format: 'srt', content: expect.stringContaining('00:00:01,500') as string },
			},
		],
		[
			'vtt',
			{
				text: 'Hello\nthere',
				subtitles: { format: 'vtt', content: expect.stringMatching(/^WEBVTT/) as string },
			},
		],
		[
			'verbose_json',
			{
				text: 'Hello\n there',
				extraFields: { language: 'german', duration: 2, segments: [{ id: 0 }, { id: 1 }] },
			},
		],
	] as const)('whisper.cpp is asked for %s, which is read', async (format, expected) => {
		const sim = await startWhisper({ segments: SEGMENTS, duration: 2 });
		expect(await run(sim, { format, language: 'de' })).toMatchObject(expected);
		expect(sim.forms[0]!.fields).toMatchObject({ response_format: format, language: 'de' });
	});

	test('silence succeeds with an empty text', async () => {
		for (const format of ['json', 'text', 'srt', 'vtt', 'verbose_json'] as const) {
			const { text, warnings } = await run(await startWhisper(), { format });
			expect([text, warnings]).toEqual(['', []]);
		}
	});

	test('an unreadable file is named with its type and what servers read', async () => {
		const sim = await startWhisper();
		const file = fileOf('\0\0\0 ftypM4A ........', 'voice.m4a', 'audio/mp4');
		const error = await getError(run(sim, { file }));
		expect(error.message).toBe('Invalid request');
		expect(error.suggestion).toBe(
			'Most servers read wav, mp3 and flac: try one of these instead of a file of type audio/mp4.',
		);
		expect(error.detail).toContain('"voice.m4a" (audio/mp4, 20 bytes)');
		const convertError = await getError(run(await startWhisper({ convert: 'fails' }), { file }));
		expect(convertError.message).toBe('FFmpeg conversion failed');
		expect(convertError.suggestion).toBe(error.suggestion);
	});

	test('an unsupported language', async () => {
		const error = await getError(
			run(await startWhisper(), { format: 'verbose_json', language: 'zz' }),
		);
		expect(error.message).toBe('basic_string: construction from null is not valid');
	});
});

test('speaches: subtitles with the type plain text', async () => {
	const { text, subtitles } = await run(await startSpeaches({ segments: SEGMENTS }), {
		...SPEACHES,
		format: 'srt',
	});
	expect([text, subtitles?.format]).toEqual(['Hello\nthere', 'srt']);
});

describe('other servers', () => {
	test.each([
		'<!doctype html><title>Sign in</title>',
		'<html><body>Sign in</body></html>',
		'<h1>Service unavailable</h1>',
		'<!-- proxy --><p>Try again later</p>',
		'\n  <center><h1>502 Bad Gateway</h1></center>',
		'<?xml version="1.0"?><error>no</error>',
	])('a page instead of a transcript: %s', async (page) => {
		for (const format of ['json', 'text'] as const) {
			const sim = await startLlama({ profile: 'gpustack', models: [{ id: 'whisper' }] });
			sim.route('POST /v1/audio/transcriptions', reply.html(200, page));
			const error = await getError(run(sim, { model: 'whisper', format }));
			expect(['notAnApi', 'invalidResponse', 'badGateway']).toContain(error.type);
		}
	});

	test.each(['<p', 'p < q', '<pardon me> I said no', '[music] Hello', '"Hello," he said.'])(
		'a transcript that is no page: %s',
		async (text) => {
			const sim = await startLlama({ profile: 'gpustack', models: [{ id: 'whisper' }] });
			sim.route('POST /v1/audio/transcriptions', reply.html(200, text));
			expect(await run(sim, { model: 'whisper', format: 'text' })).toMatchObject({
				text: expect.stringMatching(/./) as string,
			});
		},
	);

	test('an error inside a 200', async () => {
		const sim = await startLlama({ profile: 'gpustack', models: [{ id: 'whisper' }] });
		sim.route(
			'POST /v1/audio/transcriptions',
			reply.json({ error: { message: 'CUDA out of memory' } }),
		);
		expect(await getError(run(sim, { model: 'whisper' }))).toMatchObject({
			type: 'serverError',
			message: 'CUDA out of memory',
		});
	});

	test('llama-server without an audio projector: the error names servers that support it', async () => {
		const sim = await startLlama();
		sim.route(
			'POST /v1/audio/transcriptions',
			reply.llamaError(
				501,
				'The current model does not support audio input.',
				'not_supported_error',
			),
		);
		const error = await getError(run(sim, { model: 'sim-model' }));
		expect(error.message).toBe('The current model does not support audio input');
		expect(error.suggestion).toMatch(/GPUStack, vLLM.*--mmproj/s);
	});

	test('an Ollama version without the route', async () => {
		const error = await getError(run(await startLlama({ profile: 'ollama' }), { model: 'qwen3' }));
		expect(error.message).toBe('Ollama cannot transcribe audio with this model');
		expect(error.suggestion).toMatch(/GPUStack, vLLM.*update Ollama.*"audio"/s);
	});

	test.each([
		['Not Found', true],
		['Vorp blick', false],
	])(
		'an unrecognized server without the route that writes "%s": the Base URL is suggested: %s',
		async (detail, isSuggested) => {
			const server = await startServer((_request, rawResponse) => {
				sendJson(rawResponse, { detail }, 404);
			});
			const error = await getError(run(server, { model: 'whisper' }));
			expect(error.type).toBe('featureDisabled');
			expect(error.suggestion.startsWith('Check the Base URL')).toBe(isSuggested);
		},
	);

	test('file names with supported extensions, by file type', async () => {
		const sim = await startWhisper();
		const names = [
			['file_0.oga', 'audio/ogg'],
			['data', 'audio/mpeg'],
			['voice.bin', 'audio/x-wav'],
			['Speech.WAV', 'audio/wav'],
			['a.mpga', 'audio/mpeg'],
			['memo', 'application/octet-stream'],
		] as const;
		for (const [name, type] of names) await run(sim, { file: fileOf('RIFF....WAVE', name, type) });
		expect(sim.forms.map(({ parts }) => parts[0]!.filename)).toEqual([
			'file_0.ogg',
			'data.mp3',
			'voice.wav',
			'Speech.wav',
			'a.mp3',
			'memo',
		]);
	});

	test('a file whose size differs from the stored size', async () => {
		const file = { ...wavFile(), size: 50_000 };
		const error = await getError(run(await startWhisper(), { file }));
		expect(error.message).toMatch(
			/^"note.wav" could not be read: it ended after \d+ of 50000 bytes/,
		);
	});
});

describe('transcripts of every type', () => {
	test.each(TRANSCRIPTS)('a transcript is read from $name', ({ body, format, expected }) => {
		const input = typeof body === 'string' ? body : JSON.stringify(body);
		expect({ input, ...read(input, format) }).toMatchObject({ input, ...expected });
	});

	test('any response is parsed or undefined, and never throws', () => {
		fc.assert(
			fc.property(fc.oneof(fc.string(), fc.json()), (body) => {
				expect(() => read(body, 'srt')).not.toThrow();
			}),
		);
	});

	test('a year is not a subtitle', () => {
		expect(read('1999\nwas a year', 'srt')).toEqual({
			text: '1999\nwas a year',
			extraFields: {},
		});
	});
});

test.each(NO_TRANSCRIPTS)('no transcript is read from $name', ({ body }) => {
	expect({ body, transcript: read(body, 'json') }).toEqual({
		body,
		transcript: undefined,
	});
});

const MARKS = /asr_text|BLANK|think>|<\|\w|_BEG/;

test.each(MARKED_TEXTS)('the text without the marks of $name', ({ text: markedText, expected }) => {
	expect({ markedText, ...read(markedText, 'text') }).toMatchObject({
		markedText,
		...expected,
	});
	expect(read(JSON.stringify({ text: markedText }), 'json')).toMatchObject(expected);
	const segments = [{ id: 0, text: markedText }];
	expect(read(JSON.stringify({ text: markedText, segments }), 'verbose_json')).toMatchObject({
		text: expected.text,
		extraFields: {
			segments: [{ id: 0, text: expect.not.stringMatching(MARKS) as string }],
		},
	});
	for (const format of ['srt', 'vtt'] as const) {
		const times = '00:00:00,000 --> 00:00:02,000';
		const file =
			format === 'srt'
				? `1\n${times}\n${markedText}\n`
				: `WEBVTT\n\n${times.replaceAll(',', '.')}\n${markedText}\n`;
		const { text, subtitles } = read(file, format)!;
		expect([text, subtitles?.format]).toEqual([expected.text, format]);
		expect(subtitles!.content).not.toMatch(MARKS);
	}
});

test.each([
	['an empty block of thinking', '<think>\n\n</think>\n\nHello there.', { text: 'Hello there.' }],
	['thinking', '<think>Two people.</think>Hello, and hi.', { text: 'Hello, and hi.' }],
	['thinking without its start', 'Two people.\n</think>\n\nHello.', { text: 'Hello.' }],
	['channels', '<|channel>thought\nNoise.<channel|>Hello.', { text: 'Hello.' }],
])('thinking is not part of the text: %s', (_name, response, expected) => {
	expect(read(response, 'text')).toMatchObject(expected);
	expect(read(JSON.stringify({ text: response }), 'json')).toMatchObject(expected);
});

test('the language field of the server takes precedence', () => {
	const json = JSON.stringify({ text: 'language German<asr_text>Ja.', language: 'de' });
	expect(read(json, 'json')).toEqual({ text: 'Ja.', extraFields: { language: 'de' } });
});

test.each([
	[' Das Gerät zu sch\nalten.\n', ' Das Gerät zu schalten.\n'],
	[' Wir fah\nren nach Mün\nchen.\n', ' Wir fahren nach München.\n'],
	[' inter\nnational\n trade', ' international\n trade'],
	[' dé\nçu\n', ' déçu\n'],
])('words that are split between lines are joined: %j', (broken, joined) => {
	expect(joinSplitText(broken)).toBe(joined);
	expect(read(JSON.stringify({ text: broken }), 'json')?.text).toBe(joined.trim());
});

test.each([
	' Hello\n there\n',
	'roses are red\nviolets are blue',
	' 你好\n世界\n',
	' 5\nmeters\n',
	' One.\ntwo\n',
	' Anna\nBerta\n',
	' a single line',
	'',
])('%j stays', (text) => {
	expect(joinSplitText(text)).toBe(text);
});

test('segments', () => {
	const segments = [' zu sch', 'alten, bitte', ' Danke.'].map((text, id) => ({ id, text }));
	expect(joinSplitSegments(segments)).toEqual([
		{ id: 0, text: ' zu schalten,' },
		{ id: 1, text: ' bitte' },
		{ id: 2, text: ' Danke.' },
	]);
	// Where most begin without a space, none is the rest of a word.
	for (const texts of [
		['roses', 'are', 'red'],
		[' roses', 'are', 'red'],
		[' roses', ' are', 'red', 'too'],
	]) {
		const others = texts.map((text) => ({ text }));
		expect(joinSplitSegments(others)).toEqual(others);
	}
});

it.each([
	'Unsupported file format: audio/wav',
	'Unsupported media type: audio/x-wav',
	'Failed to decode audio. The provided file type is not supported.',
	'Failed to decode audio. The provided file is likely empty.',
	'Audio file is too short. Minimum audio length is 0.1 seconds.',
	'The recording is too short',
])('a file that the server refuses, in its own words: %s', async (detail) => {
	const server = await startServer((_request, response) => sendJson(response, { detail }, 400));
	const error = await getError(run(server, { model: 'm' }));
	expect(detail).toContain(error.message);
	// A wav file needs no conversion.
	const isWhole = detail.replace(/\.$/, '') === error.message;
	expect(error.suggestion).toBe(
		isWhole ? '' : 'The details contain the whole message of the server.',
	);
	expect(error.detail).toContain('File sent: "note.wav"');
});

describe('a day of speech (8 MB)', () => {
	const toClock = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(11, 23);
	const segments = Array.from({ length: 80_000 }, (_none, id) => ({
		id,
		start: id,
		end: id + 1,
		text: ` The words of the segment with the number ${id} of a long recording.`,
	}));
	const vtt = `WEBVTT\n\n${segments
		.map(({ start, end, text }) => `${toClock(start)} --> ${toClock(end)}\n${text}\n\n`)
		.join('')}`;
	const json = JSON.stringify({ text: segments.map(({ text }) => text).join(''), segments });

	test.each([
		{ name: 'VTT', steps: () => parseTranscript(vtt, 'vtt'), minSteps: 3 * 80_000 },
		{ name: 'JSON', steps: () => parseTranscript(json, 'verbose_json'), minSteps: 80_000 },
		{
			name: 'subtitles of segments',
			steps: () => withSubtitles({ text: 'x', extraFields: { segments } }, 'srt'),
			minSteps: 80_000,
		},
	])('is read in steps, a line or a segment each: $name', ({ steps, minSteps }) => {
		let count = 0;
		const work = steps();
		while (work.next().done !== true) count++;
		expect(count).toBeGreaterThanOrEqual(minSteps);
	});

	test('lets other work run', async () => {
		const server = await startServer((_request, response) => void response.end(vtt));
		let turns = 0;
		const timer = setInterval(() => turns++, 1);
		const transcribing = run(server, { format: 'vtt' });
		const { text } = await transcribing.finally(() => clearInterval(timer));
		expect(text.length).toBeGreaterThan(4_000_000);
		expect(turns).toBeGreaterThan(3);
	});
});
