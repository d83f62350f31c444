/** Detects silently truncated input. */
import { getProfile } from './profile';
import type { ModelServer } from './types/server-type';

/** Shorter texts fit into every context. */
const MIN_CHARACTERS = 2_000;

/** More letters per token than any tokenizer produces; if half of a text was truncated, there are 8 to 10. */
const MAX_LETTERS_PER_TOKEN = 7;

/** Letters of scripts whose letters are words or syllables. */
const WIDE_LETTERS = /[\u2e80-\u9fff\uac00-\ud7ff\uf900-\ufaff]/g;

/** Latin letters that have as many tokens as one wide letter. */
const WIDE_WEIGHT = 3;

/** More letters per token than prose has. */
const MAX_PROSE_LETTERS_PER_TOKEN = 5;

/** Letters per token in languages other than English. */
const MIN_LETTERS_PER_TOKEN = 3;

interface ProcessedInput {
	texts: readonly string[];
	/** Reported by the server. */
	processedTokens: number | undefined;
	model: string;
}

/** Warns if the server processed too few tokens for the input, or as many as its truncation leaves. */
export async function getTruncationWarnings(
	server: ModelServer,
	{ texts, processedTokens, model }: ProcessedInput,
): Promise<string[]> {
	const characters = texts.reduce((sum, text) => sum + text.length, 0);
	if (processedTokens === undefined || processedTokens <= 0 || characters < MIN_CHARACTERS)
		return [];
	const letters = texts.reduce((sum, text) => sum + countWeightedLetters(text), 0);
	const lettersPerToken = letters / processedTokens;
	const profile = getProfile(server);
	const serverType = await profile.getType();
	const context = await serverType.getTruncationLimit?.(server, model);
	if (
		lettersPerToken <= MAX_LETTERS_PER_TOKEN &&
		!fillsContext(processedTokens, lettersPerToken, context)
	)
		return [];
	const contextText = context === undefined ? '' : ` Its context has ${context} tokens.`;
	const requiredTokens = Math.ceil(letters / MIN_LETTERS_PER_TOKEN / 1024) * 1024;
	const trainedContext = await profile.getTrainedContext(model);
	const suggestion =
		context !== undefined && context >= trainedContext
			? 'The model does not support a larger context: choose a model that does.'
			: serverType.texts.context(Math.min(requiredTokens, trainedContext));
	return [
		`The server processed only ${processedTokens} tokens of the ${characters} characters sent: the input was truncated.${contextText} ${suggestion} Or send smaller parts.`,
	];
}

/** Ollama 0.17.4 truncates a text to the full context, 0.33 to half of it, and both truncate conversations further. */
function fillsContext(tokens: number, lettersPerToken: number, context = 0): boolean {
	const isBetween = tokens >= context / 2 && tokens < context;
	return tokens === context || (isBetween && lettersPerToken > MAX_PROSE_LETTERS_PER_TOKEN);
}

/** Runs of one character count as one: padded tables and rules have few tokens. */
function countWeightedLetters(text: string): number {
	const collapsed = text.replace(/(.)\1+/gsu, '$1');
	return collapsed.length + (collapsed.match(WIDE_LETTERS)?.length ?? 0) * (WIDE_WEIGHT - 1);
}
