import { type ServerError, throwAs } from '../../errors/server-error';
import type { DifyClient } from '../client';
import { optional } from '../../values';
import { mimeTypeIn } from '../../file-name';

/** A file that a message of the app used. */
interface StoredFile {
	/** A stream. */
	content: AsyncIterable<Uint8Array>;
	/** The uploaded name, where Dify gives it. */
	name?: string;
	/** Not given by Dify for attachments: use the name. */
	mimeType?: string;
}

const LIMITS = { firstTokenMs: 60_000, idleMs: 60_000, totalMs: 0 };

/**
 * Downloads a file of the app. Dify gives out only files that a message of this app used (docs/protocols/dify.md 2.9).
 *
 * @throws {ServerError} also from the iteration over `content`
 */
export async function previewFile(client: DifyClient, id: string): Promise<StoredFile> {
	const fetching = client.download(
		`/files/${id}/preview`,
		{ limits: LIMITS },
		{ as_attachment: 'true' },
	);
	const answer = await fetching.catch(throwAs(whyNot));
	const name = nameIn(answer.headers['content-disposition'] ?? '');
	const type = mimeTypeIn(answer.headers['content-type']);
	const isKnown = type !== '' && type !== 'application/octet-stream';
	return {
		content: answer.pieces,
		...optional({ name, mimeType: isKnown ? type : undefined }),
	};
}

function whyNot(error: ServerError): ServerError {
	if (error.status !== 404) return error;
	return error.reworded({
		kind: 'fileNotFound',
		message: 'Dify does not show this file',
		remedy:
			'It shows a file only after a message of this app used it: not a fresh upload, not the files of a workflow run (those have a link of their own in the outputs), not those of another app.',
	});
}

/** The file name of a Content-Disposition header; the encoded form wins (RFC 6266). */
function nameIn(disposition: string): string | undefined {
	const encoded = /filename\*\s*=\s*(?:UTF-8|utf-8)''([^;]+)/.exec(disposition)?.[1];
	if (encoded !== undefined) {
		try {
			return decodeURIComponent(encoded.trim());
		} catch {
			// Not encoded as it says.
		}
	}
	const plain = /filename\s*=\s*(?:"([^"]*)"|([^;]+))/.exec(disposition);
	const name = (plain?.[1] ?? plain?.[2])?.trim();
	return name === '' ? undefined : name;
}
