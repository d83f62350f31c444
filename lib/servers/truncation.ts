/** Whether a server read all that was sent: some cut what is too long without a word. */
import { getServerType, fetchTrainedContext } from './types';
import type { ModelServer } from './types/server-type';

/** Shorter texts fit into every context. */
const MIN_CHARACTERS = 2_000;

/** More letters for each token than any tokenizer of a text makes; half of a text has 8 to 10 of the whole one. */
const MAX_LETTERS_PER_TOKEN = 7;

/** Of scripts whose letters are words or syllables. */
const WIDE = /[\u2e80-\u9fff\uac00-\ud7ff\uf900-\ufaff]/g;

/** Latin letters that have as many tokens as one of those. */
const WIDE_WEIGHT = 3;

/** More letters for each token than prose has. */
const MAX_PROSE_LETTERS_PER_TOKEN = 5;

/** Letters of a token in languages other than English. */
const MIN_LETTERS_PER_TOKEN = 3;

interface ProcessedInput {
	texts: readonly string[];
	/** What the server says that it read. */
	processedTokens: number | undefined;
	model: string;
}

/** A hint where the tokens that a server read are too few for what was sent, or as many as it leaves of a longer one. */
export async function getTruncationWarnings(
	server: ModelServer,
	{ texts, processedTokens, model }: ProcessedInput,
): Promise<string[]> {
	const characters = texts.reduce((sum, text) => sum + text.length, 0);
	if (processedTokens === undefined || processedTokens <= 0 || characters < MIN_CHARACTERS)
		return [];
	const letters = texts.reduce((sum, text) => sum + countWeightedLetters(text), 0);
	const perToken = letters / processedTokens;
	const kind = await getServerType(server);
	const context = await kind.getTruncationLimit?.(server, model);
	if (perToken <= MAX_LETTERS_PER_TOKEN && !fillsContext(processedTokens, perToken, context))
		return [];
	const size = context === undefined ? '' : ` Its context has ${context} tokens.`;
	const needed = Math.ceil(letters / MIN_LETTERS_PER_TOKEN / 1024) * 1024;
	const trained = await fetchTrainedContext(server, model);
	const advice =
		context !== undefined && context >= trained
			? 'The model does not support a larger context: choose a model that does.'
			: kind.texts.context(Math.min(needed, trained));
	return [
		`The server processed only ${processedTokens} tokens of the ${characters} characters sent: the input was truncated.${size} ${advice} Or send smaller parts.`,
	];
}

/** Ollama 0.17.4 leaves all of the context of a text, 0.33 half of it, and both less of a conversation. */
function fillsContext(tokens: number, perToken: number, context = 0): boolean {
	const isBetween = tokens >= context / 2 && tokens < context;
	return tokens === context || (isBetween && perToken > MAX_PROSE_LETTERS_PER_TOKEN);
}

/** Runs of one sign count as one: padded tables and rules have few tokens. */
function countWeightedLetters(text: string): number {
	const short = text.replace(/(.)\1+/gsu, '$1');
	return short.length + (short.match(WIDE)?.length ?? 0) * (WIDE_WEIGHT - 1);
}

const CHARACTERS_PER_TOKEN = 4;

/** The first sign of Chinese, Japanese and Korean. What is behind them, such as emoji, has as many tokens. */
const FIRST_IDEOGRAM = 0x2e80;

/** Estimates tokens: about four characters of prose, or one character of Chinese, Japanese or Korean, are one token. */
export function estimateTokens(text: string): number {
	let ideograms = 0;
	for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) >= FIRST_IDEOGRAM) ideograms++;
	return ideograms + Math.ceil((text.length - ideograms) / CHARACTERS_PER_TOKEN);
}
