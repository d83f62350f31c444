/** Shortens texts that are longer than the model's context. */
import type { BatchCall, BatchText } from '../batches/client';
import { kindOf } from '../servers/kinds';
import { isModelNamed } from '../servers/model-names';
import { readModelsInSlices } from '../servers/models';
import { cachedJson } from '../servers/optional-json';
import type { TooLong } from '../servers/text-refusals';

/** Share of the limit that is used, since tokens are only estimated from characters. */
const MARGIN = 0.95;

/** The beginning of a text, by characters: it may have to be shortened again. */
export function cutToFit(text: string, tooLong: TooLong): string {
	return cutAt(text, Math.floor(text.length * shareThatFits(tooLong)));
}

/** The share of a text that is surely short enough; half of it where its size is not known. */
function shareThatFits(tooLong: TooLong): number {
	if (!isMeasured(tooLong)) return 0.5;
	return (tooLong.limit / tooLong.tokens) * MARGIN;
}

/** Whether the server told both sizes, and they agree with its refusal. */
function isMeasured(tooLong: TooLong): tooLong is Required<Pick<TooLong, 'limit' | 'tokens'>> {
	const { limit, tokens } = tooLong;
	return limit !== undefined && tokens !== undefined && tokens > limit;
}

/** No model has a smaller context (tokens): texts below it need no look at the list of models. */
const LEAST_CONTEXT = 128;

/** A warning about texts that fill the whole context: some servers cut longer ones silently. */
export async function remarkOnFull(
	{ connection, kind, model }: BatchCall,
	batch: readonly BatchText[],
	tokens = 0,
): Promise<string | undefined> {
	const each = tokens / batch.length;
	if (each < LEAST_CONTEXT || kindOf(kind).embeddings.refusesLongTexts === true) return undefined;
	const list = await readModelsInSlices(
		await cachedJson(connection, `${connection.url.api}/models`),
	);
	if (list?.find((one) => isModelNamed(one, model))?.context !== each) return undefined;
	const which = batch.map(({ index }) => index + 1).join(', ');
	return `The server counts ${each} tokens, all that the model reads, for text ${which}: what is longer may have been cut without a word. Split documents into smaller chunks.`;
}

/**
 * The first `length` characters (at least one), cut at a blank in the last tenth if there is one, never inside a
 * character.
 */
function cutAt(text: string, length: number): string {
	const window = text.slice(0, Math.max(1, length));
	const blank = /\s\S*$/.exec(window)?.index ?? -1;
	if (blank >= window.length * 0.9) return text.slice(0, blank + 1);
	const endsInsideCharacter = /[\uD800-\uDBFF]$/.test(window);
	if (!endsInsideCharacter) return window;
	return text.slice(0, window.length === 1 ? 2 : window.length - 1);
}
