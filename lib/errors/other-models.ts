/** Names of models in place of one that is missing. */
import { truncate } from '../values/text';

/** Embedding and reranking models, on servers that do not report what a model is for. */
const VECTOR_MODEL = /embed|rerank|minilm|(?:^|[/:_-])(?:bge|gte|e5)-/i;

/** Models that do not chat, by their names, come last. */
export function sortForChat<T>(models: readonly T[], getName: (model: T) => string): T[] {
	const rank = (model: T) => Number(VECTOR_MODEL.test(getName(model)));
	return models.toSorted((a, b) => rank(a) - rank(b));
}

const MAX_NAMES = 10;

/** Characters of a name. A server may have names of any length. */
const MAX_NAME_LENGTH = 200;

/**
 * Suggestion for a missing model.
 *
 * @param alternative - A sentence for the server type that begins in lower case.
 */
export function suggestModels(names: readonly string[], alternative: string | undefined): string {
	const remainder = names.length > MAX_NAMES ? `, and ${names.length - MAX_NAMES} more` : '';
	const sentences: string[] = [];
	if (names.length > 0)
		sentences.push(
			`Use one of: ${sortForChat(names, String)
				.slice(0, MAX_NAMES)
				.map((name) => truncate(name, MAX_NAME_LENGTH))
				.join(', ')}${remainder}.`,
		);
	if (alternative !== undefined)
		sentences.push(`${names.length === 0 ? 'Select another model, or' : 'Or'} ${alternative}`);
	return sentences.join(' ');
}
