/** Speech from responses of any kind, for each format: its type, what is sent, and warnings or the error. */
import { synthesizeSpeech } from '../../../lib/tasks/synthesize-speech';
import type { SpeechRequest } from '../../../lib/tasks/synthesize-speech';
import { expectApproved } from '../../support/approved/approved-table';
import { combine } from '../../support/approved/outcome';
import { useServers } from '../../support/servers/scripted-server';
import type { PlayedResponse } from './play-responses';
import { playResponses } from './play-responses';
import { OPTIONS, readBytes } from './media';
import path from 'node:path';

const start = useServers();
const pad = (head: string) => Buffer.concat([Buffer.from(head, 'latin1'), Buffer.alloc(200)]);

const AUDIO = {
	mp3: pad('ID3\x04\0\0'),
	'an MP3 frame': pad('\xff\xfb\x90\x64'),
	wav: pad('RIFF\xf0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0'),
	'a WAV of unknown length': pad(
		'RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\x01\0\x22\x56\0\0\x44\xac\0\0\x02\0\x10\0data\xff\xff\xff\xff',
	),
	flac: pad('fLaC\0\0\0\x22'),
	ogg: pad('OggS\0\x02\0\0\0\0\0\0\0\0OpusHead'),
	mp4: pad('\0\0\0\x20ftypM4A \0\0\0\0'),
	'raw samples': pad('\x01\x02\x03\x04'),
} as const;
const TYPES = [
	'',
	'audio/mpeg',
	'audio/pcm;rate=16000;channels=2',
	'audio/L16',
	'application/octet-stream',
];

async function play(
	response: PlayedResponse,
	request: Partial<SpeechRequest<string>> = {},
): Promise<string> {
	return await playResponses({
		start,
		path: '/v1/audio/speech',
		responses: [response],
		call: async (server) =>
			await synthesizeSpeech<string>(
				server,
				{ ...OPTIONS, model: 'm' },
				{
					input: 'Hi',
					voice: '',
					format: 'mp3',
					instructions: '',
					isPlainText: false,
					extraBody: {},
					store: async ({ content }) => {
						const bytes = await readBytes(content);
						return `${bytes.byteLength} bytes, length ${bytes.readUInt32LE(4)}`;
					},
					...request,
				},
			),
	});
}

test('each kind of audio for each format and each declared type', async () => {
	const cases = combine({
		audio: Object.keys(AUDIO) as Array<keyof typeof AUDIO>,
		format: ['mp3', 'wav', 'opus', 'aac', 'pcm'] as const,
		type: TYPES,
	}).filter(
		({ format, type }, at) => format === 'mp3' || format === 'pcm' || type === '' || at % 4 === 0,
	);
	const rows = [];
	for (const { audio, format, type } of cases) {
		const sent = await play({ body: AUDIO[audio], type }, { format });
		rows.push({
			input: `${audio} for ${format}, declared ${type}`,
			outcome: sent.slice(sent.indexOf(' ; ') + 3),
		});
	}
	expectApproved(
		path.join(__dirname, 'synthesize-speech.any-response.approved.txt'),
		rows,
		'Speech is what its bytes say, and is told if it is not what was asked for',
	);
});

test('each setting, and responses without audio', async () => {
	const good: PlayedResponse = { body: AUDIO.mp3, type: 'audio/mpeg' };
	const base64 = AUDIO.wav.toString('base64');
	const cases: Readonly<Record<string, [PlayedResponse, Partial<SpeechRequest<string>>?]>> = {
		'all settings': [good, { voice: 'v', speed: 0.5, instructions: 'slowly', format: 'mp3' }],
		'Extra Body over all': [good, { voice: 'v', speed: 1, extraBody: { voice: 'w', x: 1 } }],
		'plain text': [good, { input: '**Hi** 😀 [a](http://b)', isPlainText: true }],
		'only emoji as plain text': [good, { input: '😀', isPlainText: true }],
		'a blank text': [good, { input: ' \n' }],
		'blanks around': [good, { input: ' Hi \n' }],
		'99 bytes': [{ body: AUDIO.mp3.subarray(0, 99), type: 'audio/mpeg' }],
		'100 bytes': [{ body: AUDIO.mp3.subarray(0, 100), type: 'audio/mpeg' }],
		'no bytes': [{ body: Buffer.alloc(0), type: 'audio/mpeg' }],
		'base64 in JSON': [{ body: { audio: base64 } }],
		'a data URL in JSON': [{ body: { data: [{ audio: `data:audio/wav;base64,${base64}` }] } }],
		'JSON without audio': [{ body: { ok: true } }],
		'an error with status 200': [{ body: { error: { message: 'no voice' } } }],
		'a page': [{ body: '<html></html>', type: 'text/html' }],
		'text that is declared as audio': [{ body: '{"error":"x"}', type: 'audio/mpeg' }],
		'audio that is declared as text': [{ body: AUDIO.mp3, type: 'text/plain' }],
		'an unknown voice': [
			{ body: { error: { message: "voice 'x' not found", param: 'voice' } }, status: 400 },
			{ voice: 'x' },
		],
		'a missing route': [{ body: { error: { message: 'Not Found' } }, status: 404 }],
	};
	const rows = [];
	for (const [input, [response, request]] of Object.entries(cases))
		rows.push({ input, outcome: await play(response, request) });
	expectApproved(
		path.join(__dirname, 'synthesize-speech.any-response.settings.approved.txt'),
		rows,
		'A setting of speech is sent, and a response without sound is an error',
	);
});
