/** A real whisper.cpp server with a model without weights: every answer format, with empty text. */
import { createModelServer } from '../../lib/servers/credential';
import { transcribe, type TranscribeRequest } from '../../lib/tasks/transcribe';
import { check } from '../lib/health/support';
import { describeWith } from '../support/describe-if';
import { fs, path } from '../support/node-builtins';
import { failureOf } from './support/clients';
import { problemOf, startServer, stopServers, workFolder } from './support/servers';

const RATE = 16_000;

const MAGIC = 0x67676d6c;
/** Sizes of whisper's "tiny", in the order of the file: vocabulary, audio and text parts, mel bands, kind of values. */
const TINY = [51_864, 1500, 384, 6, 4, 448, 384, 6, 4, 80, 1];
const MEL_BANDS = 80;
const FREQUENCIES = 201;

/** As in whisper.cpp's own tests: sizes, filters and a vocabulary of single bytes, no weights. */
function emptyModel(): Buffer {
	const vocabulary = Array.from({ length: 256 }, (_, byte) => Buffer.of(1, 0, 0, 0, byte));
	return Buffer.concat([
		Buffer.from(Int32Array.of(MAGIC, ...TINY, MEL_BANDS, FREQUENCIES).buffer),
		Buffer.from(new Float32Array(MEL_BANDS * FREQUENCIES).buffer),
		Buffer.from(Int32Array.of(vocabulary.length).buffer),
		...vocabulary,
	]);
}

/** A tone of one second. */
function tone(): Buffer {
	const samples = Int16Array.from(
		{ length: RATE },
		(_, at) => 8000 * Math.sin((at * 440 * 2 * Math.PI) / RATE),
	);
	const head = Buffer.alloc(44);
	head.write('RIFF', 0);
	head.writeUInt32LE(36 + samples.byteLength, 4);
	head.write('WAVEfmt ', 8);
	head.writeUInt32LE(16, 16);
	head.writeUInt16LE(1, 20);
	head.writeUInt16LE(1, 22);
	head.writeUInt32LE(RATE, 24);
	head.writeUInt32LE(RATE * 2, 28);
	head.writeUInt16LE(2, 32);
	head.writeUInt16LE(16, 34);
	head.write('data', 36);
	head.writeUInt32LE(samples.byteLength, 40);
	return Buffer.concat([head, Buffer.from(samples.buffer)]);
}

const fileOf = (
	bytes: Buffer,
	name = 'tone.wav',
	mimeType = 'audio/wav',
): TranscribeRequest['file'] => ({
	name,
	mimeType,
	size: bytes.length,
	open: async function* () {
		yield await Promise.resolve(bytes);
	},
});

describeWith(problemOf('whisper'), "whisper.cpp's server", () => {
	let url: string;
	beforeAll(async () => {
		const model = path.join(workFolder('whisper'), 'empty.bin');
		fs.writeFileSync(model, emptyModel());
		({ url } = await startServer('whisper', ['-m', model, '-t', '2']));
	});
	afterAll(stopServers);

	const ask = async (more: Partial<TranscribeRequest> = {}) =>
		await transcribe(
			createModelServer({ baseUrl: url }),
			{ model: '', timeouts: {}, retries: 0, priority: 'interactive' },
			{
				translate: false,
				file: fileOf(tone()),
				format: 'json',
				language: '',
				prompt: '',
				granularities: [],
				extraBody: {},
				...more,
			},
		);

	it.each(['json', 'text', 'srt', 'vtt', 'verbose_json'] as TranscribeRequest['format'][])(
		'%s',
		async (format) => {
			const { text } = await ask({ format, language: 'en' });
			expect(text.trim()).toBe('');
		},
	);

	it('a file that is not audio is reported', async () => {
		const failed = await failureOf(ask({ file: fileOf(Buffer.from('not audio at all'), 'a.wav') }));
		expect(failed.status).toBe(400);
		expect(`${failed.detail} ${failed.suggestion}`).toMatch(/wav|mp3|convert/i);
	});

	it('Server Health identifies it', async () => {
		expect((await check(url)).server.type).toBe('whisperCpp');
	});
});
