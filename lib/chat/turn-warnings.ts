/** What users should know about a response that was accepted. */
import type { ResponseEnd } from '../errors/server-error';
import { getOnlyModelWarnings } from '../servers/only-model';
import { collectInputWarnings } from '../servers/truncation';
import { describeRejectedCall } from './check/rejected-call';
import type { ValidatedCompletion } from './check/validate-completion';
import { describeIgnoredEnd } from './read/ignored-end';
import { getResponseEnd, suggestMoreTokens } from './response-end';
import { isThinkingOff } from './settings';
import type { SamplingSettings } from './settings';
import type { TurnContext } from './turn-context';
import { estimateTokens } from '../values/tokens';

/** A response, and what it responds to. */
export interface AcceptedResponse {
	completion: ValidatedCompletion;
	/** The warning about thinking that was shown. */
	reasoningWarning: string | undefined;
	/** Whether the server rejected a field, which has a warning of its own. */
	isFieldOmitted: boolean;
	/** The texts of the messages that were sent. */
	texts: readonly string[];
}

/** The warnings about a response: truncated output or input, another model, a call that was not executed. */
export async function collectResponseWarnings(
	turn: TurnContext,
	{ completion, reasoningWarning, isFieldOmitted, texts }: AcceptedResponse,
): Promise<string[]> {
	const { server, serverType, settings } = turn;
	const { model } = settings;
	const end = getResponseEnd(turn, completion);
	const { text, rejectedCall } = completion;
	const warnings = [
		getFinishReasonWarning(completion, end),
		// What imitates an earlier call also looks like one.
		getImitatedCallWarning(text) ??
			(rejectedCall && describeRejectedCall(rejectedCall, serverType, end)),
		reasoningWarning,
		describeIgnoredEnd(completion.ignoredEnd),
		isFieldOmitted ? undefined : getThinkingWarning(settings.sampling, completion),
		isFieldOmitted ? undefined : getLimitWarning(end, completion),
		...(await collectInputWarnings(server, {
			texts,
			processedTokens: completion.usage?.promptTokens,
			model,
		})),
		serverType.getModelWarning?.(model),
		...getOnlyModelWarnings(server, { requested: model, reported: completion.model }),
	];
	return warnings.filter((warning) => warning !== undefined);
}

function getFinishReasonWarning(
	{ finishReason, toolCalls, hasEmptyCall, rejectedCall, json }: ValidatedCompletion,
	end: ResponseEnd,
): string | undefined {
	// The hint about a call that was cut off says the same.
	if (rejectedCall?.reason === 'cutOff') return undefined;
	if (hasEmptyCall)
		return 'The response contained an empty tool call next to its text. It was ignored.';
	if (finishReason === 'length')
		return `The response was cut off at the token limit. ${suggestMoreTokens(end)}`;
	if (toolCalls.length === 0 && /^(?:tool_calls|function_call)$/.test(finishReason))
		return 'The server reported a tool call but sent none, so no tool was called.';
	// JSON that was checked is whole.
	return finishReason === 'unknown' && json?.type !== 'valid'
		? 'The server did not report why the response ended (finish_reason stayed empty), so it may have been cut off.'
		: undefined;
}

/** A budget counts tokens of the model, which an estimate misses by less than this. */
const ESTIMATE_FACTOR = 2;
/** Tokens by which a server may exceed a budget: it ends the thinking with a sentence. */
const BUDGET_MARGIN = 64;

/** The warning about thinking that is not as it was set. */
function getThinkingWarning(
	sampling: SamplingSettings,
	{ reasoning, usage, toolCalls }: ValidatedCompletion,
): string | undefined {
	const { thinking } = sampling;
	const thinks = reasoning.trim() !== '';
	if (isThinkingOff(sampling) && thinks)
		return 'The model thought, although thinking is off: its chat template or the server does not follow that setting. For gpt-oss, set a low Thinking Effort.';
	// Between calls, models often think of nothing.
	if (thinking?.mode === 'on' && !thinks && !usage?.reasoningTokens && toolCalls.length === 0)
		return 'Thinking is On, but the response contains no thinking: the model or the server does not support it, or the model saw no need for it.';
	if (thinking?.mode !== 'budget') return undefined;
	const tokens = usage?.reasoningTokens ?? estimateTokens(reasoning) / ESTIMATE_FACTOR;
	if (tokens <= thinking.tokens + BUDGET_MARGIN) return undefined;
	// Without the count, which differs for each item: a run has one hint.
	return `The thinking is longer than Thinking Token Budget (${thinking.tokens} tokens): the server does not follow it for this model.`;
}

/** Tokens by which a server may miss a limit, such as those that end a response. */
const LIMIT_MARGIN = 16;

/** The warning about a response that is longer than it may be. */
function getLimitWarning(
	{ completionTokens = 0, maxTokens }: ResponseEnd,
	{ usage }: ValidatedCompletion,
): string | undefined {
	if (maxTokens === undefined || usage?.estimated === true) return undefined;
	return completionTokens > maxTokens + LIMIT_MARGIN
		? `The response is longer than Maximum Tokens (${maxTokens}): the server does not follow this limit.`
		: undefined;
}

/** Models imitate the text that n8n writes into the memory for earlier calls. */
function getImitatedCallWarning(text: string): string | undefined {
	if (!/^\s*(?:\[Used tools: |Calling \S+ with input: )/.test(text)) return undefined;
	return 'The model wrote text that looks like a tool result but did not call a tool. Start a new conversation, or use a model with better tool support.';
}
