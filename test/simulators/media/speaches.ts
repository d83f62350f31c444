/** Simulates speaches 870e1e1 as it ran: transcripts, and speech that breaks off for an unknown voice. */
import type { WireReply } from '../http-server';
import { bytesReply, jsonReply, modelsReply, startMediaServer } from './server';
import type { MediaRequest, MediaSim } from './server';
import type { WhisperSegment } from './whisper';

const TRANSCRIBER = 'Systran/faster-whisper-tiny';
const SPEAKER = 'speaches-ai/Kokoro-82M-v1.0-ONNX';

const plainReply = (body: string): WireReply => ({
	status: 200,
	headers: [['content-type', 'text/plain; charset=utf-8']],
	body,
});

const toTime = (seconds: number): string =>
	new Date(seconds * 1000).toISOString().slice(11, 23).replace('.', ',');

function transcribe(segments: readonly WhisperSegment[], format: string | undefined): WireReply {
	const text = segments.map((segment) => segment.text).join('');
	const cues = segments.map(
		({ text: words, start, end }, at) =>
			`${at + 1}\n${toTime(start)} --> ${toTime(end)}\n${words}\n\n`,
	);
	if (format === 'srt') return plainReply(cues.join(''));
	const details = { task: 'transcribe', language: 'en', duration: 2, words: null, segments };
	return jsonReply(format === 'verbose_json' ? { ...details, text } : { text });
}

export const startSpeachesSim = async ({
	segments = [],
}: { segments?: WhisperSegment[] } = {}): Promise<MediaSim> => {
	const respond = ({ form }: MediaRequest) => transcribe(segments, form.fields.response_format);
	return await startMediaServer({
		'GET /v1/models': () =>
			modelsReply(
				{ id: TRANSCRIBER, owned_by: 'speaches', task: 'automatic-speech-recognition' },
				{ id: SPEAKER, owned_by: 'speaches', task: 'text-to-speech' },
			),
		'POST /v1/audio/transcriptions': respond,
		'POST /v1/audio/translations': respond,
		// It checks the voice after it has responded with 200.
		'POST /v1/audio/speech': () => bytesReply('audio/wav', [], { cut: { at: 'end', how: 'fin' } }),
	});
};
