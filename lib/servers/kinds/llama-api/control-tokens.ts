import type { Connection } from '../../../http/connection';
import { cachedJson } from '../../optional-json';
import { tokensIn } from '../token-lists';
import type { JsonRecord } from '../../../values';

/**
 * The control tokens in texts: tokens with `parse_special`, as prompts are read, and none without
 * (docs/protocols/llama-server.md 2.7). What stands beside one may be cut into other tokens, too.
 */
export async function controlTokensOnServer(
	connection: Connection,
	model: string,
	texts: readonly string[],
): Promise<string[] | undefined> {
	const content = texts.join('\n');
	const [asPrompt, asText] = await Promise.all([
		pieces(connection, { model, content, parse_special: true }),
		pieces(connection, { model, content, parse_special: false }),
	]);
	if (asPrompt === undefined || asText === undefined) return undefined;
	return [...asPrompt].filter((piece) => !asText.has(piece));
}

async function pieces(connection: Connection, body: JsonRecord): Promise<Set<string> | undefined> {
	const url = `${connection.url.root}/tokenize`;
	const answer = await cachedJson(connection, url, { ...body, with_pieces: true });
	const list = tokensIn(answer, true)?.pieces;
	return list && new Set(list.flatMap((one) => ('piece' in one ? [one.piece] : [])));
}
