import type { Connection } from '../../http/connection';
import { numbers } from '../kinds/token-lists';

const ASK_LIMIT_MS = 60_000;

/** The tokens of a text on llama-server; undefined on any failure. */
export async function tokensOf(
	connection: Connection,
	content: string,
	{ special, signal }: { special: boolean; signal?: AbortSignal },
): Promise<number[] | undefined> {
	const options = {
		json: { content, add_special: special },
		once: false,
		timeoutMs: ASK_LIMIT_MS,
		signal,
	};
	const { tokens } = await connection
		.json(`${connection.url.root}/tokenize`, options)
		.catch(() => ({ tokens: undefined }));
	return numbers(tokens);
}
