/** Simulates whisper.cpp's server 233fe1f after recordings (`test/fixtures/models/whisper.cpp-233fe1f`). */
import type { UploadPart } from '../dify/types';
import type { WireReply } from '../wire-reply';
import { fileIn, startMediaServer, type MediaRequest, type MediaSim } from './server';

export interface WhisperSegment {
	text: string;
	/** Seconds. */
	start: number;
	end: number;
}

export interface WhisperOptions {
	/** `--inference-path`. Default: OpenAI's. */
	inferencePath?: string;
	/** `--convert`; `fails`: ffmpeg cannot read the file. */
	convert?: boolean | 'fails';
	/** `--language`. Default: `en`. */
	language?: string;
	/** `/health` is 404 during a transcription, and after a model failed to load. */
	healthy?: boolean;
	/** Transcribed segments. Default: none, like the recorded test model. */
	segments?: WhisperSegment[];
	/** Seconds. */
	duration?: number;
	/** Whether it supports a file's format. Default: by its first bytes. */
	reads?: (file: UploadPart) => boolean;
	/** Omits the `Server` header, as behind a proxy. */
	anonymous?: boolean;
}

const NAMES: Record<string, string> = { en: 'english', de: 'german', nl: 'dutch', fr: 'french' };
const DETECTED = 'nl';
const LANGUAGES =
	'en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr bg lt la mi ml cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si km sn yo so af oc ka be tg sd gu am yi lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt haw ln ha ba jw su yue'.split(
		' ',
	);

/** Supports wav, mp3, flac and ogg with Vorbis, but not ogg with Opus. */
const readsByBytes = ({ content }: UploadPart): boolean => {
	const start = Buffer.from(content).toString('latin1', 0, 64);
	return /^(?:RIFF|ID3|\xff[\xe2-\xff]|fLaC|OggS)/.test(start) && !start.includes('OpusHead');
};

export const startWhisperSim = async (options: WhisperOptions = {}): Promise<MediaSim> => {
	const { inferencePath = '/v1/audio/transcriptions', healthy = true, anonymous = false } = options;
	const answer = (status: number, type: string | undefined, body = ''): WireReply => ({
		status,
		headers: [
			['Keep-Alive', 'timeout=5, max=100'],
			...(type === undefined ? [] : [['Content-Type', type] as const]),
			...(anonymous ? [] : [['Server', 'whisper.cpp'] as const]),
			['Content-Length', '*'],
			['Access-Control-Allow-Origin', '*'],
			['Access-Control-Allow-Headers', 'content-type, authorization'],
		],
		body,
	});
	const invalid = () => answer(400, 'text/plain', 'Invalid request');
	const failed = (what: string) => answer(500, 'text/plain', `500 Internal Server Error\n${what}`);

	const infer = ({ form }: MediaRequest): WireReply => {
		const file = fileIn(form);
		const { fields } = form;
		if (file === undefined || file.size === 0) return invalid();
		if (options.convert === 'fails')
			return answer(
				500,
				'application/json',
				JSON.stringify({ error: 'FFmpeg conversion failed.' }),
			);
		if (options.convert !== true && !(options.reads ?? readsByBytes)(file)) return invalid();
		if (fields.temperature !== undefined && Number.isNaN(Number.parseFloat(fields.temperature)))
			return failed('stof');
		const requestedLanguage = fields.language ?? options.language ?? 'en';
		const language = requestedLanguage === 'auto' ? DETECTED : requestedLanguage;
		const { segments = [], duration = file.size > 300_000 ? 11 : 1 } = options;
		const text = segments.map((segment) => segment.text).join('\n');
		switch (fields.response_format) {
			case 'text':
				return answer(
					200,
					'text/html; charset=utf-8',
					segments.map((segment) => `${segment.text}\n`).join(''),
				);
			case 'srt':
				return answer(200, 'application/x-subrip', segments.map(cue(',', true)).join(''));
			case 'vtt':
				return answer(200, 'text/vtt', `WEBVTT\n\n${segments.map(cue('.', false)).join('')}`);
			case 'verbose_json':
				if (!LANGUAGES.includes(language))
					return failed('basic_string: construction from null is not valid');
				return answer(
					200,
					'application/json',
					JSON.stringify({
						task: fields.translate === 'true' ? 'translate' : 'transcribe',
						language: NAMES[language] ?? language,
						duration,
						text,
						segments: segments.map((segment, id) => ({ id, ...segment })),
						detected_language: NAMES[DETECTED],
						detected_language_probability: 0.01,
						language_probabilities: Object.fromEntries(LANGUAGES.map((name) => [name, 0.01])),
					}),
				);
			default:
				return answer(200, 'application/json', JSON.stringify({ text }));
		}
	};

	return await startMediaServer((asked) => {
		const { method, path } = asked.request;
		if (method === 'OPTIONS') return answer(200, undefined);
		if (method === 'POST' && path === inferencePath) return infer(asked);
		if (method === 'POST' && path === '/load') {
			const { model } = asked.form.fields;
			if (model === undefined || model.includes('missing')) return invalid();
			return answer(200, 'application/text', 'Load was successful!');
		}
		if (method === 'GET' && path === '/health' && healthy)
			return answer(200, 'application/json', JSON.stringify({ status: 'ok' }));
		return answer(404, 'text/plain', `File Not Found (${path})`);
	});
};

const cue =
	(point: string, numbered: boolean) =>
	({ text, start, end }: WhisperSegment, index: number): string =>
		`${numbered ? `${index + 1}\n` : ''}${time(start, point)} --> ${time(end, point)}\n${text}\n\n`;

const time = (seconds: number, point: string): string =>
	new Date(seconds * 1000).toISOString().slice(11, 23).replace('.', point);
