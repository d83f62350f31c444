/** The chapter of sizes: a prompt that does not fit into the context, alone or with its response, and a request that is too large. */
import type { ServerTypeName } from '../../server-type-name';
import { formatBytes } from '../../values/size';
import type {
	ContextSizes,
	CutInput,
	FilledContext,
	NeededContext,
	PromptPart,
	PromptSource,
} from '../facts';
import { RAISE_BODY_LIMIT } from '../rows/model';
import type { Row } from './row';
import { defineRow } from './row';
import { join, toAlternative } from '../sentences';
import { SERVER_TEXTS } from './server-texts';

/** Tokens that a response needs at least: with less room, fewer tokens do not help. */
const ROOM_FOR_RESPONSE = 512;

const SHORTER_CHAT =
	'Or shorten the input. In an agent, keep fewer messages in memory or set History Budget in Local Chat Model, and use fewer tools.';

/** What makes a prompt shorter of which no part decides. */
const SHORTER_PROMPT: Readonly<Record<PromptSource, string>> = {
	chat: SHORTER_CHAT,
	limitedChat: `${SHORTER_CHAT} Many servers also count Maximum Tokens: lower it.`,
	text: 'Or shorten the text.',
	state: 'Or shorten the state.',
};

/** For a prompt that fitted. */
const SHORTER_RESPONSE =
	'The prompt fitted, and the response filled the context: request a shorter one.';

export const SIZE_ROWS: readonly Row[] = [
	// The prompt fitted, so it is not to be shortened.
	defineRow({
		types: ['promptTooLong', 'kvCacheFull'],
		needs: ['hasOutput', 'server', 'contextSizes'],
		tell: ({ server, contextSizes: { current, trained, slots } }) => {
			const size = current === undefined ? undefined : Math.min(trained, 2 * current);
			return size === undefined || size <= current!
				? undefined
				: join(SHORTER_RESPONSE, toAlternative(SERVER_TEXTS[server.type].context(size, slots)));
		},
	}),
	defineRow({
		types: ['promptTooLong', 'kvCacheFull'],
		needs: ['hasOutput'],
		tell: (_facts, general) => join(SHORTER_RESPONSE, toAlternative(general)),
	}),
	defineRow({
		types: ['badRequest'],
		needs: ['isRoomNegative', 'promptSource'],
		becomes: 'promptTooLong',
		tell: ({ promptSource }) =>
			join(
				'The prompt leaves no room for a response: give the model a larger context on the server.',
				SHORTER_PROMPT[promptSource],
			),
	}),
	defineRow({
		types: ['promptTooLong'],
		needs: ['promptTokens', 'contextTokens', 'responseTokens'],
		// The prompt fits, so a larger context is not needed.
		tell: suggestShorterResponse,
	}),
	defineRow({
		types: ['promptTooLong'],
		needs: ['contextTokens', 'responseTokens'],
		tell: ({ contextTokens, responseTokens }) =>
			responseTokens < contextTokens
				? undefined
				: `Lower Maximum Tokens: a response of ${responseTokens} tokens leaves no room for the prompt in a context of ${contextTokens}.`,
	}),
	defineRow({
		types: ['promptTooLong'],
		needs: ['largestPart', 'promptTokens', 'server', 'contextSizes'],
		tell: ({ largestPart, promptTokens, server, contextSizes }) =>
			join(
				describeLargestPart(largestPart),
				toAlternative(suggestLargerContext(promptTokens, contextSizes, server.type)),
				suggestOtherModel(promptTokens, contextSizes),
			),
	}),
	defineRow({
		types: ['promptTooLong'],
		needs: ['promptSource', 'promptTokens', 'server', 'contextSizes'],
		tell: ({ promptSource, promptTokens, server, contextSizes }) =>
			join(
				suggestLargerContext(promptTokens, contextSizes, server.type),
				suggestOtherModel(promptTokens, contextSizes),
				SHORTER_PROMPT[promptSource],
			),
	}),
	// The type's own advice is about files; a file counts in bytes here, not in tokens.
	defineRow({
		types: ['requestTooLarge'],
		needs: ['media'],
		tell: () => ({}),
	}),
	defineRow({
		types: ['requestTooLarge'],
		needs: ['largestPart'],
		tell: ({ largestPart }) =>
			join(describeLargestPart(largestPart), toAlternative(RAISE_BODY_LIMIT)),
	}),
	defineRow({
		types: ['promptTooLong'],
		needs: ['largestPart'],
		tell: ({ largestPart }, general) =>
			join(describeLargestPart(largestPart), toAlternative(general)),
	}),
	defineRow({
		types: ['promptTooLong'],
		needs: ['promptSource'],
		tell: ({ promptSource }, general) => join(general, SHORTER_PROMPT[promptSource]),
	}),
	defineRow({
		types: ['emptyResponse'],
		needs: ['cutInput'],
		becomes: 'promptTooLong',
		tell: ({ cutInput }) => ({
			title: 'The server truncated the input, and the model returned an empty response',
			suggestion: describeCutInput(cutInput),
		}),
	}),
	defineRow({
		types: ['invalidResponse'],
		needs: ['cutInput'],
		tell: ({ cutInput }, general) => join(describeCutInput(cutInput), general),
	}),
];

/** An input that was cut off, as a hint and as advice. */
export function describeCutInput({ processed, characters, context, needed }: CutInput): string {
	const contextText = context === undefined ? '' : ` Its context has ${context} tokens.`;
	return `The server processed only ${processed} tokens of the ${characters} characters sent: the input was truncated.${contextText} ${suggestContext(needed)} Or send smaller parts.`;
}

/** A prompt that leaves little of the context, as a hint. */
export function describeFilledContext({ used, context, needed }: FilledContext): string {
	return `The prompt used ${formatCount(used)} of ${formatCount(context)} tokens of context, so little is left for the response. ${suggestContext(needed)} Or send less.`;
}

function suggestContext({ serverType, tokens, slots }: NeededContext): string {
	return tokens === undefined
		? 'The model does not support a larger context: choose a model that does.'
		: SERVER_TEXTS[serverType].context(tokens, slots);
}

function formatCount(count: number): string {
	return count.toLocaleString('en-US');
}

/** What makes the largest part of a prompt smaller. */
export function describeLargestPart(part: PromptPart): string {
	return `The largest part of the prompt is ${describePart(part)}: ${suggestSmallerPart(part)}.`;
}

function describePart(part: PromptPart): string {
	if (part.kind === 'files') return part.count === 1 ? 'the file' : `the ${part.count} files`;
	return `${nameText(part)} (${formatBytes(part.bytes)})`;
}

function nameText(part: Exclude<PromptPart, { kind: 'files' }>): string {
	switch (part.kind) {
		case 'systemMessage':
			return 'the system message';
		case 'earlierConversation':
			return 'the earlier conversation';
		case 'tools':
			return `the ${part.count === 1 ? 'definition of the tool' : `definitions of ${part.count} tools`}`;
		case 'input':
			return 'the input';
		case 'toolResult':
			return `the result of the tool "${part.tool}"`;
	}
}

function suggestSmallerPart({ kind }: PromptPart): string {
	switch (kind) {
		case 'systemMessage':
		case 'input':
			return 'shorten it';
		case 'earlierConversation':
			return 'keep fewer messages in memory, or set History Budget in Local Chat Model';
		case 'tools':
			return 'use fewer tools, or shorten their descriptions';
		case 'files':
			return 'pass fewer or smaller files';
		case 'toolResult':
			return 'let it return less, such as fewer items or fields';
	}
}

/** What a response says of a request, in tokens. */
interface CountedRequest {
	promptTokens: number;
	contextTokens: number;
	responseTokens: number;
}

/** What to do if a shorter response fits; undefined if it would not, or if the numbers do not say it. */
export function suggestShorterResponse({
	promptTokens,
	contextTokens,
	responseTokens,
}: CountedRequest): string | undefined {
	// vLLM stops counting the prompt at the first token that does not fit.
	const isCountCapped = promptTokens + responseTokens === contextTokens + 1;
	const room = isCountCapped ? 0 : contextTokens - promptTokens;
	return room >= ROOM_FOR_RESPONSE && responseTokens > room
		? `Lower Maximum Tokens to at most ${room}.`
		: undefined;
}

/**
 * How the server gets a context in which the prompt fits.
 *
 * @returns an imperative; undefined if the model does not support it, or the context is as large already
 */
export function suggestLargerContext(
	promptTokens: number,
	{ current, trained, slots }: ContextSizes,
	serverType: ServerTypeName,
): string | undefined {
	const needed = getNeededTokens(promptTokens, current);
	if (needed >= trained) return undefined;
	const size = Math.min(trained, Math.ceil((needed + ROOM_FOR_RESPONSE) / 1024) * 1024);
	return size > (current ?? 0) ? SERVER_TEXTS[serverType].context(size, slots) : undefined;
}

/** What to do if the model was not trained for a context in which the prompt fits; undefined if it was. */
export function suggestOtherModel(
	promptTokens: number,
	{ current, trained }: ContextSizes,
): string | undefined {
	return getNeededTokens(promptTokens, current) >= trained
		? `This model supports at most ${trained} tokens, so a larger context does not help: choose a model with a larger context.`
		: undefined;
}

/** Tokens of the prompt, and those of the response if the server counts them. */
function getNeededTokens(promptTokens: number, contextTokens = Infinity) {
	// The counts say that the prompt fits: a server that stops counting does so one token above its limit (vLLM).
	const isCountCapped = promptTokens <= contextTokens + 1;
	return isCountCapped && Number.isFinite(contextTokens)
		? 2 * Math.max(promptTokens, contextTokens)
		: promptTokens;
}
