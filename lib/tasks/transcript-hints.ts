/** What a server reports about a transcript, and subtitles from its segments. Pure. */
import type { Adaptation } from '../exchange/find-changes';
import type { JsonRecord } from '../values/records';
import { asRecords, asString } from '../values/records';
import { asFiniteNumber } from '../values/numbers';
import { parseFinishReason } from '../chat/read/parse-chunk';
import type { Steps } from '../http/steps';
import type { Cue } from './cue-times';
import { getCueHints } from './cue-times';

/** `.srt` (SubRip) or `.vtt` (WebVTT). */
export type SubtitleFormat = 'srt' | 'vtt';

/** A subtitle file. */
export interface Subtitles {
	format: SubtitleFormat;
	/** Text of the file. */
	content: string;
}

export interface Transcript {
	/** Empty for silence. */
	text: string;
	/** If requested. */
	subtitles?: Subtitles;
	/** Those of the server's subtitles. */
	cues?: readonly Cue[];
	/** Other fields of the server, with its names: language, duration, segments, words. */
	extraFields: JsonRecord;
}

/** Whisper's threshold. */
const MAX_NO_SPEECH = 0.6;

/**
 * Hints about a transcript with text, one of each kind.
 *
 * @param recordingSeconds undefined if the server and the file do not say it
 */
export function getTranscriptHints(
	{ extraFields, cues }: Transcript,
	recordingSeconds?: number,
): string[] {
	const segments = asRecords(extraFields.segments);
	const silent = segments.filter(
		({ no_speech_prob: probability }) => (asFiniteNumber(probability) ?? 0) > MAX_NO_SPEECH,
	);
	const hints = [
		silent.length > 0 &&
			`The server reports that ${silent.length} of ${segments.length} segments probably contain no speech, so their text may be invented.`,
		// As in OpenAI's other routes.
		isCutOff(extraFields) &&
			'The server stopped at its token limit, so the end of the transcript is missing. Transcribe shorter recordings.',
	];
	const duration = asFiniteNumber(extraFields.duration) ?? recordingSeconds;
	return [
		...hints.filter((hint) => hint !== false),
		...getCueHints(cues ?? segments.flatMap(toCue), duration),
	];
}

/** The reason for the end, at the places and in the words of chats. */
function isCutOff({ finish_reason: reason, choices, segments }: JsonRecord): boolean {
	const reasons = [reason, ...[...asRecords(choices), ...asRecords(segments)].map(getReason)];
	return reasons.some((one) => parseFinishReason(one) === 'length');
}

function getReason({ finish_reason: reason }: JsonRecord): unknown {
	return reason;
}

function toCue(segment: JsonRecord): Cue[] {
	const [start, end] = [segment.start, segment.end].map(asFiniteNumber);
	return start === undefined || end === undefined ? [] : [{ start, end }];
}

/** Servers without subtitles may have segments, from which subtitles are made. */
export const requestSegments: Adaptation = (rejection, { response_format: format }) =>
	isSubtitleFormat(format) && rejection.names('response_format')
		? {
				name: 'segments for subtitles',
				apply: (body) =>
					isSubtitleFormat(body.response_format)
						? { ...body, response_format: 'verbose_json' }
						: body,
			}
		: undefined;

/** Adds the requested subtitles to a transcript that has only segments. */
export function* withSubtitles(transcript: Transcript, format: string): Steps<Transcript> {
	if (!isSubtitleFormat(format) || transcript.subtitles) return transcript;
	const content = yield* formatSubtitles(asRecords(transcript.extraFields.segments), format);
	return content === undefined ? transcript : { ...transcript, subtitles: { format, content } };
}

function isSubtitleFormat(format: unknown): format is SubtitleFormat {
	return format === 'srt' || format === 'vtt';
}

/** Undefined unless every segment has text and times. */
function* formatSubtitles(
	segments: JsonRecord[],
	format: SubtitleFormat,
): Steps<string | undefined> {
	const cues: string[] = [];
	for (const segment of segments) {
		yield;
		const [start, end] = [segment.start, segment.end].map(asFiniteNumber);
		const text = asString(segment.text);
		if (start === undefined || end === undefined || text === undefined) return undefined;
		const line = text.replace(/\s+/g, ' ').replaceAll('-->', '→').trim();
		if (!line) continue;
		const number = format === 'srt' ? `${cues.length + 1}\n` : '';
		cues.push(`${number}${formatTime(start, format)} --> ${formatTime(end, format)}\n${line}\n`);
	}
	if (cues.length === 0) return undefined;
	return `${format === 'vtt' ? 'WEBVTT\n\n' : ''}${cues.join('\n')}`;
}

/** `01:02:03,456`, in WebVTT with a period. */
function formatTime(seconds: number, format: SubtitleFormat) {
	const ms = Math.max(0, Math.round(seconds * 1000));
	const pad = (value: number) => String(Math.floor(value)).padStart(2, '0');
	const clock = [ms / 3_600_000, (ms / 60_000) % 60, (ms / 1000) % 60].map(pad).join(':');
	const separator = format === 'srt' ? ',' : '.';
	return `${clock}${separator}${String(ms % 1000).padStart(3, '0')}`;
}
