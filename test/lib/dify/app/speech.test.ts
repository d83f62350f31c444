import { featureOf, speak, voiceOf } from '../../../../lib/dify/app/speech';
import { appKey, type AppSpec } from '../../../servers/dify';
import { clientOf, failureOf, startApp, UNKNOWN_ID } from '../client';

const wav = Buffer.concat([Buffer.from('RIFF\0\0\0\0WAVE'), Buffer.alloc(2000, 1)]);
const start = async (more: Partial<AppSpec> = {}) =>
	await startApp({ mode: 'chat', textToSpeech: true, ...more });
const said = { text: 'Hello', voice: '', user: 'u1' };

async function wholeOf(sound: AsyncIterable<Uint8Array>): Promise<Buffer> {
	const pieces = [];
	for await (const piece of sound) pieces.push(piece);
	return Buffer.concat(pieces);
}

describe('speech', () => {
	it('D125: comes whole, as MP3', async () => {
		const { sound, ...format } = await speak(clientOf(await start()), said);
		expect(format).toEqual({ mimeType: 'audio/mpeg', extension: 'mp3' });
		expect((await wholeOf(sound)).subarray(3).toString()).toBe('Hello');
	});

	it('D124: is WAV where its bytes are, whatever Dify calls it', async () => {
		const { sound, ...format } = await speak(clientOf(await start({ speech: wav })), said);
		expect(format).toEqual({ mimeType: 'audio/wav', extension: 'wav' });
		expect((await wholeOf(sound)).equals(wav)).toBe(true);
	});

	it.each([
		['an unknown message: null', { messageId: UNKNOWN_ID, voice: '', user: 'u1' }, {}],
		['no byte', said, { speech: Buffer.alloc(0) }],
	])('D123: has nothing to speak: %s', async (_what, request, app) => {
		const failed = await failureOf(speak(clientOf(await start(app)), request));
		expect([failed.kind, failed.message]).toEqual(['emptyAnswer', 'Dify had nothing to speak']);
	});

	it('is none where an echo of the key comes in its place', async () => {
		const sim = await start();
		sim.fail({
			path: /text-to-audio/,
			status: 200,
			contentType: 'application/json',
			body: `{"got": "Bearer ${appKey('chat')}"}`,
		});
		const failed = await failureOf(speak(clientOf(sim), said));
		expect([failed.kind, failed.serverText]).toEqual(['emptyAnswer', '{"got": "***"}']);
	});

	it('of nothing is refused before anything is sent', async () => {
		const sim = await start();
		expect((await failureOf(speak(clientOf(sim), { ...said, text: '  ' }))).message).toBe(
			'There is no text to speak',
		);
		expect(sim.requests).toEqual([]);
	});

	it('that the provider refuses is told, and asked for only once', async () => {
		const sim = await start({
			audioFailure: { status: 400, code: 'provider_quota_exceeded', message: 'no money' },
		});
		expect((await failureOf(speak(clientOf(sim), said))).serverText).toContain('no money');
		expect(sim.requests).toHaveLength(1);
	});

	it('is switched on or off in the app', () => {
		expect(() => featureOf({ text_to_speech: { enabled: false } }, 'text_to_speech')).toThrow(
			'is switched off',
		);
		expect(
			voiceOf(featureOf({ text_to_speech: { enabled: true, voice: 'alloy' } }, 'text_to_speech')),
		).toBe('alloy');
		expect(voiceOf(featureOf({}, 'speech_to_text'))).toBeUndefined();
	});
});
