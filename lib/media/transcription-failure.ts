import { failure } from '../errors/failure';
import type { ServerError } from '../errors/server-error';
import type { Connection } from '../http/connection';
import type { TranscriptionRequest } from './transcribe';

/** What servers say of a file that they cannot read. */
const UNREADABLE =
	/^Invalid request$|ffmpeg conversion failed|failed to decode audio|invalid file format|could not decode/i;

/** A refusal of the file or of a field, where the server's own words say too little; undefined where it is none. */
export function transcriptionFailure(
	error: ServerError,
	connection: Connection,
	{ file, language, model }: Pick<TranscriptionRequest, 'file' | 'language' | 'model'>,
): ServerError | undefined {
	const { status, serverText = '', url } = error;
	const context = connection.contextOf(url ?? connection.url.api, { model });
	const said = { status, serverText };
	if (UNREADABLE.test(serverText.trim())) {
		// whisper.cpp says nothing else, whatever is wrong with the request.
		const isWhisper = /^Invalid request$/i.test(serverText.trim());
		const what = `"${file.name}" (${file.mimeType}, ${file.size} bytes)`;
		return failure('badRequest', context, {
			...said,
			message: `The server cannot read the sound of "${file.name}"`,
			meaning: `The server cannot read the sound of ${what}`,
			remedy: isWhisper
				? 'whisper.cpp reads wav, mp3, flac and ogg (Vorbis, not Opus). For other formats such as m4a, webm or opus start it with --convert, which needs ffmpeg on that machine, or convert the file before.'
				: 'Check that the file is sound and not empty, and convert it to wav, mp3 or flac where the server does not know its format.',
		});
	}
	// What C++ says of a language that whisper.cpp does not know, where it should write its name.
	if (/construction from null/i.test(serverText)) {
		return failure('badRequest', context, {
			...said,
			message: `whisper.cpp does not know the language "${language}"`,
			remedy: 'Give a code such as en, de or zh, or leave the language empty.',
		});
	}
	return undefined;
}
