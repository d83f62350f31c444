import type { ServerError } from '../errors/server-error';
import type { Watchdog } from './limits';
import { FileTooLargeError } from './too-long';
import type { UnreadAnswer, Download } from './types';

export interface BodyReading {
	watchdog: Watchdog;
	/** Called when the connection is closed from either side. */
	end: () => void;
	/** Turns an error while reading into the one to throw. */
	explain: (error: unknown) => ServerError;
}

/** Larger than any file that n8n could work with; an endless one would fill its disk. */
const MAX_FILE_BYTES = 1024 * 1024 * 1024;

/** The body of an answer as bytes, with limits of time and size. */
export function download(
	answer: UnreadAnswer,
	{ watchdog, end, explain }: BodyReading,
	maxBytes = MAX_FILE_BYTES,
): Download {
	const close = () => {
		end();
		answer.close();
	};
	async function* pieces(): AsyncGenerator<Uint8Array> {
		let size = 0;
		try {
			for await (const piece of answer.body) {
				watchdog.content();
				size += piece.byteLength;
				if (size > maxBytes) throw new FileTooLargeError(maxBytes);
				yield piece;
			}
		} catch (error) {
			throw explain(error);
		} finally {
			close();
		}
	}
	const { url, status, headers } = answer;
	return { url, status, headers, pieces: pieces(), close };
}
