import { soundExtension, soundFormat, soundSignature } from '../../sound-format';
import { peeked } from '../../http/peek';
import type { Connection } from '../../http/connection';
import type { Download } from '../../http/types';
import { looksLikeHtml } from '../../errors/failed-answer';
import { nonEmptyText, recordOf, type JsonRecord } from '../../values';
import type { DifyClient } from '../client';
import { difyFailure, invalidParam, localError } from '../errors/failure';
import { mimeTypeIn } from '../../file-name';

interface Speech {
	/** The whole sound, as a stream. */
	sound: AsyncIterable<Uint8Array>;
	mimeType: string;
	extension: string;
}

interface SpeakRequest {
	/** Either this or `messageId`. */
	text?: string;
	messageId?: string;
	/** Empty: the app's voice. */
	voice: string;
	user: string;
}

/** A provider may need minutes before the first byte. */
const LIMITS = { firstTokenMs: 600_000, idleMs: 120_000, totalMs: 0 };

/**
 * Turns a text, or the answer of a message, into speech. Never retried: it costs money.
 *
 * @throws {ServerError} also where there is nothing to speak: Dify then answers 200 with `null` or an empty body
 */
export async function speak(client: DifyClient, request: SpeakRequest): Promise<Speech> {
	const { text, messageId, voice, user } = request;
	if (messageId === undefined && (text ?? '').trim() === '')
		throw invalidParam('There is no text to speak', 'Fill in Text, or choose a message.');
	const json = {
		...(messageId === undefined ? { text } : { message_id: messageId }),
		...(voice === '' ? {} : { voice }),
		user,
	};
	const answer = await client.download('/text-to-audio', { json, limits: LIMITS });
	return await soundOf(answer, client.connection);
}

async function soundOf(answer: Download, connection: Connection): Promise<Speech> {
	const source = peeked(answer.pieces);
	const start = Buffer.from(await source.head(64));
	const type = mimeTypeIn(answer.headers['content-type']);
	if (isSound(start, type)) return { sound: source.pieces(), ...formatOf(start, type) };
	answer.close();
	const words = wordsIn(start);
	throw difyFailure('emptyAnswer', {
		url: answer.url,
		status: answer.status,
		message: 'Dify had nothing to speak',
		remedy:
			'The message is unknown, has an empty answer, or the provider of speech gave no sound. Check the message ID, and the log of the model provider in Dify.',
		serverText: words === '' || words === 'null' ? undefined : connection.mask(words),
	});
}

function wordsIn(start: Buffer): string {
	return start.toString('latin1').trim();
}

/** Anything but nothing, `null` and a text: some providers label a sound as nothing known. */
function isSound(start: Buffer, type: string): boolean {
	const words = wordsIn(start);
	if (start.length === 0 || words === 'null') return false;
	if (soundSignature(start) !== undefined || type.startsWith('audio/')) return true;
	if (type === 'application/octet-stream') return true;
	return !/json|text/.test(type) && !looksLikeHtml(words);
}

/** Dify labels every sound audio/mpeg, even WAV, so a signature in the bytes counts first. */
function formatOf(start: Buffer, type: string): Pick<Speech, 'mimeType' | 'extension'> {
	const signature = soundSignature(start);
	if (signature !== undefined) return signature;
	const extension = soundExtension(type);
	return extension === undefined ? soundFormat(start) : { mimeType: type, extension };
}

/**
 * Settings of a feature of the app, if it is on. With a voice in the request, Dify skips this check and fails with a
 * text about models (docs/protocols/dify.md 2.10).
 *
 * @param parameters answer of `GET /parameters`
 * @throws {ServerError} of kind `featureOff`
 */
export function featureOf(
	parameters: JsonRecord,
	feature: 'text_to_speech' | 'speech_to_text',
): JsonRecord {
	const settings = recordOf(parameters[feature]);
	const label = feature === 'text_to_speech' ? 'Text to Speech' : 'Speech to Text';
	if (settings.enabled !== false) return settings;
	throw localError(
		'featureOff',
		`${label} is switched off in the app`,
		`Open the app in Dify, switch on ${label} under Features, and publish it. Dify also needs a model for it: Settings, Model Provider, System Model Settings.`,
	);
}

/** The voice of the app, where it has one. */
export function voiceOf(settings: JsonRecord): string | undefined {
	return nonEmptyText(settings.voice);
}
