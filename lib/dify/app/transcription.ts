import type { FileSource } from '../../http/multipart';
import { soundExtension } from '../../sound-format';
import { text } from '../../values';
import type { DifyClient } from '../client';
import { localError } from '../errors/failure';
import { mimeTypeIn } from '../../file-name';
import { extensionOf, inMegabytes } from '../files/files';
import { postFile } from '../files/upload';

/** Subtypes of `audio/…` that Dify takes; some are not the usual names (docs/protocols/dify.md 2.10). */
const TAKEN: ReadonlySet<string | undefined> = new Set(['mp3', 'mpga', 'm4a', 'wav', 'amr']);
const MAX_BYTES = 30 * 1024 * 1024;
const IDLE_MS = 600_000;

/**
 * The recording with the MIME type by which Dify knows it.
 *
 * @throws {ServerError} for another type, and for more than 30 MB
 */
export function recordingFor(source: FileSource): FileSource {
	const { name, size } = source;
	const mimeType = takenType(source);
	if (size <= MAX_BYTES) return { ...source, mimeType };
	throw localError(
		'fileTooLarge',
		`"${name}" has ${inMegabytes(size)} MB, but Dify takes 30 MB at most`,
		'Cut the recording, or save it as MP3 with a lower rate. Local Llama transcribes longer ones with a server of your own.',
	);
}

/**
 * Transcribes a recording. Never retried: it costs money.
 *
 * @param recording of `recordingFor`
 * @throws {ServerError}
 */
export async function transcribe(
	client: DifyClient,
	recording: FileSource,
	user: string,
): Promise<string> {
	const answer = await postFile(client, '/audio-to-text', recording, {
		fields: { user },
		idleMs: IDLE_MS,
	});
	return text(answer.text) ?? '';
}

function takenType({ name, mimeType }: FileSource): string {
	const type = mimeTypeIn(mimeType);
	const isKnown = type !== 'application/octet-stream' && type !== '';
	const extension = soundExtension(isKnown ? type : `audio/${extensionOf(name)}`);
	if (TAKEN.has(extension)) return `audio/${extension}`;
	throw localError(
		'fileType',
		`Dify cannot transcribe "${name}" (${type || 'no type'}): it takes MP3, M4A, WAV and AMR`,
		'Convert it first. Browsers and messengers record WebM and Ogg: Local Llama takes those with whisper.cpp or speaches.',
	);
}
