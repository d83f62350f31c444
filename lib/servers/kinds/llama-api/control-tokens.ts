import type { Connection } from '../../../http/connection';
import { cachedJson } from '../../optional-json';
import { type JsonRecord, nonEmptyText, recordOf, recordsIn } from '../../../values';

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
	const { tokens } = recordOf(answer);
	if (!Array.isArray(tokens)) return undefined;
	// A part of a character is a list of bytes.
	return new Set(recordsIn(tokens).flatMap(({ piece }) => nonEmptyText(piece) ?? []));
}
