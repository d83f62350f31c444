/** Simulates speaches 870e1e1 as it ran: transcripts and speech, with a strict check of the model. */
import type { WireReply } from '../wire-reply';
import {
	bytesReply,
	fileIn,
	jsonReply,
	noSuchPath,
	startMediaServer,
	type MediaRequest,
	type MediaSim,
} from './server';
import type { WhisperSegment } from './whisper';

export interface SpeachesOptions {
	/** Models by task. */
	transcribers?: string[];
	speakers?: string[];
	voices?: string[];
	segments?: WhisperSegment[];
	/** Audio of all speech. */
	sound?: Uint8Array;
	/** Omits the last event of speech streams. */
	withoutDone?: boolean;
}

const model = (task: string) => (id: string) => ({
	id,
	created: 1736937600,
	object: 'model',
	owned_by: id.split('/')[0],
	language: ['en'],
	task,
});

export const startSpeachesSim = async (options: SpeachesOptions = {}): Promise<MediaSim> => {
	const {
		transcribers = ['Systran/faster-whisper-tiny'],
		speakers = ['speaches-ai/Kokoro-82M-v1.0-ONNX'],
		voices = ['af_heart', 'am_adam'],
		segments = [],
		sound = new Uint8Array(4000).fill(1),
	} = options;
	const detail = (status: number, text: unknown): WireReply => jsonReply({ detail: text }, status);
	const notInstalled = (id: string) =>
		detail(
			404,
			`Model '${id}' is not installed locally. You can download the model using \`POST /v1/models\``,
		);
	/** The error for a model that is installed for another task. */
	const ofAnotherTask = (id: string) =>
		detail(
			404,
			`Model '${id}' is not supported. If you think this is a mistake, please open an issue.`,
		);
	const createError = (id: string, others: readonly string[]) =>
		others.includes(id) ? ofAnotherTask(id) : notInstalled(id);
	const missing = (name: string) =>
		detail(422, [{ type: 'missing', loc: ['body', name], msg: 'Field required' }]);

	const transcribe = ({ form }: MediaRequest): WireReply => {
		const { fields } = form;
		if (fileIn(form) === undefined) return missing('file');
		if (fields.model === undefined) return missing('model');
		if (!transcribers.includes(fields.model)) return createError(fields.model, speakers);
		const text = segments.map((segment) => segment.text).join('');
		const cues = segments.map(
			({ text: words, start, end }) => `${time(start)} --> ${time(end)}\n${words}\n\n`,
		);
		switch (fields.response_format) {
			case 'text':
				return plain('text/plain; charset=utf-8', text);
			case 'vtt':
				return plain('text/vtt; charset=utf-8', `WEBVTT\n\n${cues.join('')}`);
			case 'srt':
				return plain(
					'text/plain; charset=utf-8',
					cues.map((one, index) => `${index + 1}\n${one.replace(/\.(?=\d{3}\b)/g, ',')}`).join(''),
				);
			case 'verbose_json':
				return jsonReply({
					task: 'transcribe',
					language: 'en',
					duration: 2,
					text,
					words: null,
					segments,
				});
			default:
				return jsonReply({ text });
		}
	};

	const speak = ({ json }: MediaRequest): WireReply => {
		for (const name of ['model', 'input', 'voice'])
			if (typeof json[name] !== 'string') return missing(name);
		if (!speakers.includes(String(json.model)))
			return createError(String(json.model), transcribers);
		// It looks at the voice only after it has said 200.
		if (!voices.includes(String(json.voice)))
			return bytesReply('audio/wav', [], { cut: { at: 'end', how: 'fin' } });
		if (json.stream_format !== 'sse')
			return bytesReply(json.response_format === 'wav' ? 'audio/wav' : 'audio/mpeg', [sound]);
		const halves = [sound.subarray(0, 1001), sound.subarray(1001)];
		return bytesReply('text/event-stream; charset=utf-8', [
			...halves.map((half) =>
				event({ type: 'speech.audio.delta', audio: Buffer.from(half).toString('base64') }),
			),
			...(options.withoutDone === true
				? []
				: [
						event({
							type: 'speech.audio.done',
							token_usage: { input_tokens: 0, output_tokens: 0, total_tokens: 0 },
						}),
					]),
		]);
	};

	return await startMediaServer((asked) => {
		switch (`${asked.request.method} ${asked.request.path}`) {
			case 'GET /v1/models':
				return jsonReply({
					data: [
						...transcribers.map(model('automatic-speech-recognition')),
						...speakers.map(model('text-to-speech')),
					],
					object: 'list',
				});
			case 'POST /v1/audio/transcriptions':
			case 'POST /v1/audio/translations':
				return transcribe(asked);
			case 'POST /v1/audio/speech':
				return speak(asked);
			default:
				return noSuchPath();
		}
	});
};

const event = (data: object): Uint8Array => Buffer.from(`data: ${JSON.stringify(data)}\n\n`);
const plain = (type: string, body: string): WireReply => ({
	status: 200,
	headers: [
		['content-type', type],
		['content-length', '*'],
	],
	body,
});
const time = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(11, 23);
