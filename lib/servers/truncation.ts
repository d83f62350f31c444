/** Detects silently truncated input. */
import { describeCutInput, describeFilledContext } from '../errors/chapters/sizes';
import type { CutInput, NeededContext } from '../errors/facts';
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

/** The hint if the server processed too few tokens for the input, or as many as its truncation leaves. */
export async function collectTruncationWarnings(
	server: ModelServer,
	input: ProcessedInput,
): Promise<string[]> {
	const cutInput = await findCutInput(server, input);
	return cutInput === undefined ? [] : [describeCutInput(cutInput)];
}

/** Share of the context that a prompt may use without a warning. */
const MAX_CONTEXT_SHARE = 0.9;

/** Warns also if the prompt fits, but leaves little of the context. */
export async function collectInputWarnings(
	server: ModelServer,
	input: ProcessedInput,
): Promise<string[]> {
	const { processedTokens: used = 0, model } = input;
	const { cutInput, context: usedContext } = await checkTruncation(server, input);
	if (cutInput !== undefined) return [describeCutInput(cutInput)];
	const context = usedContext ?? getProfile(server).getCachedContext(model);
	if (context === undefined || used > context || used <= context * MAX_CONTEXT_SHARE) return [];
	const needed = await findNeededContext(server, { model, requiredTokens: 2 * context, context });
	return [describeFilledContext({ used, context, needed })];
}

/** What became of an input, if the server processed too few tokens for it, or as many as its truncation leaves. */
export async function findCutInput(
	server: ModelServer,
	input: ProcessedInput,
): Promise<CutInput | undefined> {
	return (await checkTruncation(server, input)).cutInput;
}

interface TruncationCheck {
	/** Undefined: nothing shows that it was cut. */
	cutInput?: CutInput;
	/** Tokens of context, if they were requested. */
	context?: number;
}

async function checkTruncation(
	server: ModelServer,
	{ texts, processedTokens: processed = 0, model }: ProcessedInput,
): Promise<TruncationCheck> {
	const characters = texts.reduce((sum, text) => sum + text.length, 0);
	if (processed <= 0 || characters < MIN_CHARACTERS) return {};
	const letters = texts.reduce((sum, text) => sum + countWeightedLetters(text), 0);
	const lettersPerToken = letters / processed;
	const serverType = await getProfile(server).fetchType();
	const context = await serverType.getTruncationLimit?.(server, model);
	if (
		lettersPerToken <= MAX_LETTERS_PER_TOKEN &&
		!fillsContext({ tokens: processed, lettersPerToken, context })
	)
		return { context };
	const requiredTokens = Math.ceil(letters / MIN_LETTERS_PER_TOKEN / 1024) * 1024;
	const needed = await findNeededContext(server, { model, requiredTokens, context });
	return { cutInput: { processed, characters, context, needed }, context };
}

/** A context that is too small. */
interface SmallContext {
	model: string;
	/** Tokens that the input needs. */
	requiredTokens: number;
	/** Tokens of the present context, if they are known. */
	context?: number;
}

async function findNeededContext(
	server: ModelServer,
	{ model, requiredTokens, context = -Infinity }: SmallContext,
): Promise<NeededContext> {
	const profile = getProfile(server);
	const { name: serverType } = await profile.fetchType();
	const trainedContext = await profile.fetchTrainedContext(model);
	return context >= trainedContext
		? { serverType }
		: {
				serverType,
				tokens: Math.min(requiredTokens, trainedContext),
				slots: profile.getCachedSlots(model),
			};
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
