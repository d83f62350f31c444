/** Simulates whisper.cpp's server 233fe1f after its recordings. */
import type { UploadPart } from '../dify/types';
import type { WireReply } from '../http-server';
import { startMediaServer } from './server';
import type { MediaRequest, MediaSim } from './server';

export interface WhisperSegment {
	text: string;
	/** Seconds. */
	start: number;
	end: number;
}

export interface WhisperOptions {
	/** `--convert`, and ffmpeg cannot read the file. */
	convert?: 'fails';
	/** Transcribed segments. Default: none, like the recorded test model. */
	segments?: WhisperSegment[];
	/** Seconds. */
	duration?: number;
}

const NAMES: Record<string, string> = { en: 'english', de: 'german' };

/** Supports wav, mp3, flac and ogg with Vorbis, but not ogg with Opus. */
function isReadable({ content }: UploadPart): boolean {
	const start = Buffer.from(content).toString('latin1', 0, 64);
	return /^(?:RIFF|ID3|\xff[\xe2-\xff]|fLaC|OggS)/.test(start) && !start.includes('OpusHead');
}

const respond = (status: number, type: string, body: string): WireReply => ({
	status,
	headers: [
		['Content-Type', type],
		['Server', 'whisper.cpp'],
	],
	body,
});

function transcribe(
	{ form }: MediaRequest,
	{ convert, segments = [], duration = 1 }: WhisperOptions,
): WireReply {
	const file = form.parts.find(({ name, filename }) => name === 'file' && filename !== undefined);
	if (convert === 'fails')
		return respond(500, 'application/json', '{"error":"FFmpeg conversion failed."}');
	if (file === undefined || !isReadable(file)) return respond(400, 'text/plain', 'Invalid request');
	const { language = 'en', response_format: format } = form.fields;
	const text = segments.map((segment) => segment.text).join('\n');
	switch (format) {
		case 'text':
			return respond(200, 'text/html; charset=utf-8', `${text}\n`);
		case 'srt':
			return respond(200, 'application/x-subrip', segments.map(toCue(',', true)).join(''));
		case 'vtt':
			return respond(200, 'text/vtt', `WEBVTT\n\n${segments.map(toCue('.', false)).join('')}`);
		case 'verbose_json':
			if (NAMES[language] === undefined)
				return respond(
					500,
					'text/plain',
					'500 Internal Server Error\nbasic_string: construction from null is not valid',
				);
			return respond(
				200,
				'application/json',
				JSON.stringify({
					task: 'transcribe',
					language: NAMES[language],
					duration,
					text,
					segments: segments.map((segment, id) => ({ id, ...segment })),
				}),
			);
		default:
			return respond(200, 'application/json', JSON.stringify({ text }));
	}
}

export const startWhisperSim = async (options: WhisperOptions = {}): Promise<MediaSim> =>
	await startMediaServer(
		{
			'POST /v1/audio/transcriptions': (request) => transcribe(request, options),
			'GET /health': () => respond(200, 'application/json', '{"status":"ok"}'),
		},
		({ request }) => respond(404, 'text/plain', `File Not Found (${request.path})`),
	);

/** A subtitle. */
const toCue =
	(point: string, isNumbered: boolean) =>
	({ text, start, end }: WhisperSegment, index: number): string =>
		`${isNumbered ? `${index + 1}\n` : ''}${toTime(start, point)} --> ${toTime(end, point)}\n${text}\n\n`;

const toTime = (seconds: number, point: string): string =>
	new Date(seconds * 1000).toISOString().slice(11, 23).replace('.', point);
