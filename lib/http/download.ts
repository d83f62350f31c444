import type { ServerError } from '../errors/server-error';
import type { Watchdog } from './limits';
import type { Answer, Download } from './types';

export interface BodyReading {
	watchdog: Watchdog;
	/** Called when the connection is closed from either side. */
	end: () => void;
	/** Turns an error while reading into the one to throw. */
	explain: (error: unknown) => ServerError;
}

/** The body of an answer as bytes, with time limits. */
export function download(answer: Answer, { watchdog, end, explain }: BodyReading): Download {
	const close = () => {
		end();
		answer.close();
	};
	async function* pieces(): AsyncGenerator<Uint8Array> {
		try {
			for await (const piece of answer.body) {
				watchdog.content();
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
