/** Detects silently truncated input. */
import { getProfile } from './profile';
import type { ModelServer } from './types/server-type';

/** Shorter texts fit into every context. */
const MIN_CHARACTERS = 2_000;

/** More letters per token than any tokenizer produces; if half of a text was truncated, there are 8 to 10. */
const MAX_LETTERS_PER_TOKEN = 7;

/** Latin letters that have as many tokens as one letter that is a word or a syllable. */
const WIDE_WEIGHT = 3;

/** More letters per token than prose has. */
const MAX_PROSE_LETTERS_PER_TOKEN = 5;

/** Letters per token in languages other than English. */
const MIN_LETTERS_PER_TOKEN = 3;

/** What a server processed. */
interface ProcessedInput {
	/** All texts of the request. */
	texts: readonly string[];
	/** Reported by the server; undefined if it does not count them. */
	processedTokens: number | undefined;
	model: string;
}

/** Warns if the server processed too few tokens for the input, or as many as its truncation leaves. */
export async function collectTruncationWarnings(
	server: ModelServer,
	input: ProcessedInput,
): Promise<string[]> {
	return (await checkTruncation(server, input)).warnings;
}

/** Share of the context that a prompt may use without a warning. */
const MAX_CONTEXT_SHARE = 0.9;

/** Warns also if the prompt fits, but leaves little of the context. */
export async function collectInputWarnings(
	server: ModelServer,
	input: ProcessedInput,
): Promise<string[]> {
	const { processedTokens: tokens = 0, model } = input;
	const { warnings, context: usedContext } = await checkTruncation(server, input);
	const profile = getProfile(server);
	const context = usedContext ?? profile.getCachedContext(model);
	if (warnings.length > 0 || context === undefined) return warnings;
	if (tokens > context || tokens <= context * MAX_CONTEXT_SHARE) return [];
	const suggestion = await suggestContext(server, { model, requiredTokens: 2 * context, context });
	return [
		`The prompt used ${formatCount(tokens)} of ${formatCount(context)} tokens of context, so little is left for the response. ${suggestion} Or send less.`,
	];
}

function formatCount(count: number) {
	return count.toLocaleString('en-US');
}

interface TruncationCheck {
	/** At most one. */
	warnings: string[];
	/** Tokens of context, if they were requested. */
	context?: number;
}

async function checkTruncation(
	server: ModelServer,
	{ texts, processedTokens = 0, model }: ProcessedInput,
): Promise<TruncationCheck> {
	const characters = texts.reduce((sum, text) => sum + text.length, 0);
	if (processedTokens <= 0 || characters < MIN_CHARACTERS) return { warnings: [] };
	const letters = texts.reduce((sum, text) => sum + countWeightedLetters(text), 0);
	const lettersPerToken = letters / processedTokens;
	const serverType = await getProfile(server).fetchType();
	const context = await serverType.getTruncationLimit?.(server, model);
	if (
		lettersPerToken <= MAX_LETTERS_PER_TOKEN &&
		!fillsContext({ tokens: processedTokens, lettersPerToken, context })
	)
		return { warnings: [], context };
	const contextText = context === undefined ? '' : ` Its context has ${context} tokens.`;
	const requiredTokens = Math.ceil(letters / MIN_LETTERS_PER_TOKEN / 1024) * 1024;
	const suggestion = await suggestContext(server, { model, requiredTokens, context });
	const warning = `The server processed only ${processedTokens} tokens of the ${characters} characters sent: the input was truncated.${contextText} ${suggestion} Or send smaller parts.`;
	return { warnings: [warning], context };
}

/** A context that is too small. */
interface SmallContext {
	model: string;
	/** Tokens that the input needs. */
	requiredTokens: number;
	/** Tokens of the present context, if they are known. */
	context?: number;
}

async function suggestContext(
	server: ModelServer,
	{ model, requiredTokens, context = -Infinity }: SmallContext,
) {
	const profile = getProfile(server);
	const { texts } = await profile.fetchType();
	const trainedContext = await profile.fetchTrainedContext(model);
	return context >= trainedContext
		? 'The model does not support a larger context: choose a model that does.'
		: texts.context(Math.min(requiredTokens, trainedContext), profile.getCachedSlots(model));
}

interface ProcessedTokens {
	tokens: number;
	lettersPerToken: number;
	/** Tokens of context; undefined if unknown. */
	context?: number;
}

/** Ollama 0.17.4 truncates a text to the full context, 0.33 to half of it, and both truncate conversations further. */
function fillsContext({ tokens, lettersPerToken, context = 0 }: ProcessedTokens) {
	const isBetween = tokens >= context / 2 && tokens < context;
	return tokens === context || (isBetween && lettersPerToken > MAX_PROSE_LETTERS_PER_TOKEN);
}

/** Runs of one character count as one: padded tables and rules have few tokens. A pattern takes ten times as long. */
function countWeightedLetters(text: string) {
	let letters = 0;
	let last = -1;
	for (let at = 0; at < text.length; at++) {
		const point = text.codePointAt(at)!;
		const units = point > 0xffff ? 2 : 1;
		at += units - 1;
		if (point !== last) letters += isWide(point) ? WIDE_WEIGHT : units;
		last = point;
	}
	return letters;
}

/** Whether a letter is a word or a syllable. */
function isWide(point: number) {
	return (
		(point >= 0x2e80 && point <= 0x9fff) ||
		(point >= 0xac00 && point <= 0xd7ff) ||
		(point >= 0xf900 && point <= 0xfaff)
	);
}
