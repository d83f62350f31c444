import { recordingFor, transcribe } from '../../../../lib/dify/app/transcription';
import { clientOf, failureOf, fileOf, startApp } from '../client';

const start = async () =>
	await startApp({ mode: 'chat', speechToText: true, heard: 'hello world' });

describe('transcription', () => {
	it.each([
		['audio/mpeg', 'audio/mp3'],
		['audio/x-mp3', 'audio/mp3'],
		['audio/x-m4a', 'audio/m4a'],
		['audio/mp4', 'audio/m4a'],
		['audio/x-wav', 'audio/wav'],
		['audio/vnd.wave', 'audio/wav'],
		['audio/wav; codecs=1', 'audio/wav'],
		['audio/amr', 'audio/amr'],
	])('D126: %s goes out as %s', async (given, sent) => {
		const sim = await start();
		const recording = recordingFor(fileOf('sound', 'a.bin', given));
		expect(recording.mimeType).toBe(sent);
		expect(await transcribe(clientOf(sim), recording, 'u1')).toBe('hello world');
	});

	it('uses the file name if n8n has no type', () => {
		expect(recordingFor(fileOf('x', 'note.WAV', 'application/octet-stream')).mimeType).toBe(
			'audio/wav',
		);
	});

	it.each(['audio/webm', 'audio/ogg', 'audio/flac', 'text/plain', 'application/octet-stream'])(
		'D127: %s is refused, with what to do',
		(type) => {
			expect(() => recordingFor(fileOf('x', 'note', type))).toThrow(
				/it takes MP3, M4A, WAV and AMR/,
			);
		},
	);

	it('D128: 31 MB are refused before anything is sent', () => {
		const large = { ...fileOf('x', 'a.mp3', 'audio/mpeg'), size: 31 * 1024 * 1024 };
		expect(() => recordingFor(large)).toThrow('31.0 MB');
	});

	it('is not sent twice where the provider fails', async () => {
		const sim = await startApp({
			mode: 'chat',
			speechToText: true,
			audioFailure: { status: 400, code: 'invalid_param', message: 'whisper is down' },
		});
		const failed = await failureOf(
			transcribe(clientOf(sim), fileOf('x', 'a.mp3', 'audio/mp3'), 'u1'),
		);
		expect(failed.serverText).toContain('whisper is down');
		expect(sim.requests).toHaveLength(1);
	});

	it('says that the file could not be read, not that the network broke', async () => {
		const broken = {
			...fileOf('x', 'a.mp3', 'audio/mp3'),
			size: 1000,
			open: async function* () {
				yield Buffer.from('x');
				await Promise.resolve();
				throw new Error('the disk is gone');
			},
		};
		expect((await failureOf(transcribe(clientOf(await start()), broken, 'u1'))).message).toContain(
			'the disk is gone',
		);
	});
});
