import { looksLikeHtml } from '../errors/failed-answer';
import { failure, type FailureContext } from '../errors/failure';
import type { Connection } from '../http/connection';
import { type Peeked, peeked } from '../http/peek';
import { SseDecoder } from '../http/sse';
import { readWhole } from '../http/too-long';
import type { Download } from '../http/types';
import { parseObject } from '../json';
import { isRecord, type JsonRecord, nonEmptyText, words } from '../values';

/** No sound file of any format is shorter. */
const MIN_SOUND_BYTES = 100;
const MAX_JSON_BYTES = 64 * 1024 * 1024;
const SOUND_FIELDS = ['audio', 'data', 'b64_json', 'audio_base64', 'content', 'delta'];

/** The sound of an answer, as a stream. */
export interface SpeechAnswer {
	/** The first bytes, which tell the format; fewer where there are no more. */
	head: Uint8Array;
	/** All of it, the first bytes included. */
	pieces: AsyncIterable<Uint8Array>;
	/** Came as events: speaches sends raw samples in them, whatever the format of the request. */
	isEvents: boolean;
}

/**
 * Finds the sound in an answer: the body itself, base64 in JSON, or events with base64. An error inside a 200 is an
 * error, as is a page, and an answer that is too short to be sound.
 *
 * @throws {ServerError} also from the iteration over `pieces`
 */
export async function readSpeech(
	connection: Connection,
	answer: Download,
	model: string,
): Promise<SpeechAnswer> {
	const type = answer.headers['content-type'] ?? '';
	const source = peeked(answer.pieces);
	const start = await source.text(MIN_SOUND_BYTES);
	const context = connection.contextOf(answer.url, { model });
	const checked = async (sound: Peeked) => await longEnough(sound, answer, context);
	switch (formOf(type, start)) {
		case 'events':
			return { ...(await checked(peeked(eventSound(source.pieces(), context)))), isEvents: true };
		case 'json': {
			const text = await whole(source.pieces());
			const sound = soundIn(parseObject(text));
			if (sound === undefined) throw connection.errorInBody(text, answer.url, { model });
			return { ...(await checked(peeked(once(sound)))), isEvents: false };
		}
		case 'text': {
			const text = await whole(source.pieces());
			if (looksLikeHtml(text, type))
				throw connection.refusal({ ...answer, text, json: undefined }, { model });
			throw connection.errorInBody(text, answer.url, { model });
		}
		case 'sound':
			return { ...(await checked(source)), isEvents: false };
	}
}

/** @throws {ServerError} for an answer that is too short to be sound */
async function longEnough(
	sound: Peeked,
	answer: Download,
	context: FailureContext,
): Promise<Pick<SpeechAnswer, 'head' | 'pieces'>> {
	const head = await sound.head(MIN_SOUND_BYTES);
	if (head.byteLength >= MIN_SOUND_BYTES) return { head, pieces: sound.pieces() };
	answer.close();
	throw failure('emptyAnswer', context, {
		status: answer.status,
		message: 'The server sent no sound',
		meaning: `The server sent no sound: its answer has ${head.byteLength} bytes`,
		remedy:
			'Check the text, the voice and the model, and the log of the server. A text of nothing but emoji or punctuation gives no sound.',
	});
}

async function* eventSound(
	bytes: AsyncIterable<Uint8Array>,
	context: FailureContext,
): AsyncGenerator<Uint8Array> {
	const decoder = new SseDecoder();
	let isDone = false;
	for await (const piece of bytes) yield* decoded(decoder.push(piece));
	yield* decoded(decoder.end());
	if (!isDone) throw failure('streamEndedEarly', context);

	function* decoded(events: ReadonlyArray<{ data: string }>): Generator<Uint8Array> {
		for (const { data } of events) {
			if (data.trim() === '[DONE]') isDone = true;
			const event = parseObject(data);
			if (event === undefined) continue;
			const serverText = errorOf(event);
			if (serverText !== undefined) throw failure('streamError', context, { serverText });
			if (event.type === 'speech.audio.done') isDone = true;
			else yield* soundIn(event) ?? [];
		}
	}
}

function formOf(type: string, start: string): 'events' | 'json' | 'text' | 'sound' {
	if (/\bevent-stream\b/i.test(type) || /^(?:data|event):/.test(start)) return 'events';
	if (/\bjson\b/i.test(type) || start.startsWith('{')) return 'json';
	return /^text\//i.test(type) || looksLikeHtml(start) ? 'text' : 'sound';
}

/** The server's message in an event that reports an error. */
export function errorOf(event: JsonRecord): string | undefined {
	const { type, error } = event;
	if (isRecord(error)) return words(error.message ?? error);
	if (error !== undefined && error !== null) return words(error);
	return type === 'error' ? words(event.message ?? event) : undefined;
}

function soundIn(json: JsonRecord | undefined): Buffer[] | undefined {
	if (json === undefined) return undefined;
	for (const name of SOUND_FIELDS) {
		const value = json[name];
		if (isRecord(value)) {
			const inner = soundIn(value);
			if (inner !== undefined) return inner;
		}
		const base64 = nonEmptyText(value)?.replace(/^data:[^,]*,/i, '');
		if (base64 !== undefined && /^[A-Za-z0-9+/_\-\s]+(?:={1,2}\s*)?$/.test(base64))
			return [Buffer.from(base64, 'base64')];
	}
	return undefined;
}

async function* once(pieces: Buffer[]): AsyncGenerator<Uint8Array> {
	yield* pieces;
}

async function whole(pieces: AsyncIterable<Uint8Array>): Promise<string> {
	return (await readWhole(pieces, MAX_JSON_BYTES)).toString('utf8');
}
