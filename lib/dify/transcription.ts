import type { FileSource } from '../http/multipart';
import { text } from '../values';
import type { DifyClient } from './client';
import { refusedHere } from './failure';
import { extensionOf } from './files';
import { postFile } from './upload';

/** Dify takes exactly these types (docs/protocols/dify.md 2.10), under names that differ from those of n8n. */
const TAKEN: Readonly<Record<string, string>> = {
	'audio/mp3': 'audio/mp3',
	'audio/mpeg': 'audio/mp3',
	'audio/x-mp3': 'audio/mp3',
	'audio/mpga': 'audio/mpga',
	'audio/m4a': 'audio/m4a',
	'audio/x-m4a': 'audio/m4a',
	'audio/mp4': 'audio/m4a',
	'audio/wav': 'audio/wav',
	'audio/x-wav': 'audio/wav',
	'audio/wave': 'audio/wav',
	'audio/vnd.wave': 'audio/wav',
	'audio/amr': 'audio/amr',
};
const MAX_BYTES = 30 * 1024 * 1024;
const IDLE_MS = 600_000;

/**
 * A recording as Dify takes it: with the name of its type that Dify knows.
 *
 * @throws {ServerError} for another type, and for more than 30 MB
 */
export function recordingFor(source: FileSource): FileSource {
	const { name, size } = source;
	const mimeType = takenType(source);
	if (size <= MAX_BYTES) return { ...source, mimeType };
	throw refusedHere(
		'fileTooLarge',
		`"${name}" has ${(size / 1024 / 1024).toFixed(1)} MB, but Dify takes 30 MB at most`,
		'Cut the recording, or save it as MP3 with a lower rate. Local Llama transcribes longer ones with a server of your own.',
	);
}

/**
 * The words of a recording. Never sent twice: it costs money.
 *
 * @param recording of `recordingFor`
 * @throws {ServerError}
 */
export async function transcribe(client: DifyClient, recording: FileSource, user: string): Promise<string> {
	const answer = await postFile(client, '/audio-to-text', recording, { fields: { user }, idleMs: IDLE_MS });
	return text(answer.text) ?? '';
}

function takenType({ name, mimeType }: FileSource): string {
	const given = mimeType.split(';')[0]!.trim().toLowerCase();
	const type =
		TAKEN[given] ??
		(given === 'application/octet-stream' || given === '' ? TAKEN[`audio/${extensionOf(name)}`] : undefined);
	if (type !== undefined) return type;
	throw refusedHere(
		'fileType',
		`Dify cannot transcribe "${name}" (${given || 'no type'}): it takes MP3, M4A, WAV and AMR`,
		'Convert it first. Browsers and messengers record WebM and Ogg: Local Llama takes those with whisper.cpp or speaches.',
	);
}
