/** Transcripts from responses of any form, in each format: the text, subtitles, other fields, warnings, or the error. */
import { transcribe } from '../../../lib/tasks/transcribe';
import type { TranscribeRequest } from '../../../lib/tasks/transcribe';
import { expectApproved } from '../../support/approved/approved-table';
import { combine } from '../../support/approved/outcome';
import { useServers } from '../../support/servers/scripted-server';
import type { PlayedResponse } from './play-responses';
import { playResponses } from './play-responses';
import { OPTIONS, transcribeRequest, wavFile } from './media';
import path from 'node:path';

const start = useServers();
const SEGMENTS = [
	{ text: ' Hello', start: 0, end: 1.5, no_speech_prob: 0.7 },
	{ text: ' there', start: 1.5, end: 3661.25, no_speech_prob: 0.6 },
];
const SRT = '1\n00:00:00,000 --> 00:00:02,000\nHello\n';

const RESPONSES: Readonly<Record<string, PlayedResponse>> = {
	'a text in JSON': { body: { text: ' Hello there ' } },
	'with segments': {
		body: { text: 'Hello there', language: 'en', duration: 2, segments: SEGMENTS },
	},
	'with words': { body: { text: 'Hello', words: [{ word: 'Hello', start: 0, end: 1 }] } },
	'segments without times': { body: { text: 'Hello', segments: [{ text: 'Hello' }] } },
	silence: { body: { text: '' } },
	'nothing said': { body: { text: null } },
	'an empty text and an error': { body: { text: '', error: { message: 'no audio' } } },
	'cut off': { body: { text: 'Hello', finish_reason: 'length' } },
	words: { body: 'Hello there', type: 'text/plain' },
	'a text in quotation marks': { body: '"Hello"' },
	'blank words': { body: ' \n', type: 'text/plain' },
	SRT: { body: SRT, type: 'text/plain' },
	VTT: { body: `WEBVTT\n\n00:00.000 --> 00:02.000\n<v A>Hello</v>\n`, type: 'text/vtt' },
	'marks of a model': { body: { text: '<|startoftranscript|><|de|> Hallo <|endoftext|>' } },
	'a page': { body: '<html></html>', type: 'text/html' },
	'other JSON': { body: { ok: true } },
	'an error': {
		body: { error: { message: 'response_format not supported', param: 'response_format' } },
		status: 400,
	},
	'a missing route': { body: { error: { message: 'Not Found' } }, status: 404 },
};

/** The fields of a form, without its file. */
const showForm = (text: string): string =>
	[...text.matchAll(/name="([^"]+)"(?:; filename="([^"]+)")?\r\n(?:[^\r]+\r\n)*\r\n([^\r]*)/g)]
		.map(([, name, file, value]) => `${name}=${file ?? value}`)
		.join(' ');

const play = async (
	response: PlayedResponse,
	request: Partial<TranscribeRequest>,
): Promise<string> =>
	await playResponses({
		start,
		path: request.translate === true ? '/v1/audio/translations' : '/v1/audio/transcriptions',
		responses: [response],
		show: ({ text }) => showForm(text),
		call: async (server) =>
			await transcribe(server, { ...OPTIONS, model: 'm' }, transcribeRequest(request)),
	});

test('each response in each format', async () => {
	const cases = combine({
		name: Object.keys(RESPONSES),
		format: ['json', 'text', 'verbose_json', 'srt', 'vtt'] as const,
	});
	const rows = [];
	for (const { name, format } of cases)
		rows.push({ input: `${name} as ${format}`, outcome: await play(RESPONSES[name]!, { format }) });
	expectApproved(
		path.join(__dirname, 'transcribe.any-response.approved.txt'),
		rows,
		'A transcript has its text and subtitles in the requested format, or the error says why not',
	);
});

test('each setting, and names of files', async () => {
	const good = RESPONSES['with segments']!;
	const cases: Readonly<Record<string, Partial<TranscribeRequest>>> = {
		'all settings': {
			format: 'verbose_json',
			language: 'de',
			prompt: 'Llama',
			temperature: 0,
			granularities: ['word', 'segment'],
		},
		'times without the format': { format: 'json', granularities: ['word'] },
		'Extra Body over all': { language: 'de', extraBody: { language: 'fr', vad: true } },
		'another language': { language: 'de' },
		'the same language': { language: 'en' },
		'a translation': { translate: true, language: 'de' },
		'a key that is no name': { extraBody: { 'a"b': 1 } },
		...Object.fromEntries(
			[
				'a.OGA',
				'b.opus',
				'c.mpga',
				'd.wave',
				'e',
				'f.bin',
				'g.tmp',
				'h.txt',
				'i.tar.gz',
				'.wav',
				'j.m4b',
			].map((name) => [`the file ${name}`, { file: wavFile(name) }]),
		),
	};
	const rows = [];
	for (const [input, request] of Object.entries(cases))
		rows.push({ input, outcome: await play(good, request) });
	expectApproved(
		path.join(__dirname, 'transcribe.any-response.settings.approved.txt'),
		rows,
		'A setting of a transcription is sent, and a file keeps its name',
	);
});
