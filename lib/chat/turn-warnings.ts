/** What users should know about a response that was accepted. */
import type { ServerTexts } from '../errors/chapters/server-texts';
import type { ResponseEnd } from '../errors/issues';
import type { RequestedChat } from '../exchange/differences';
import { describeDifference, findDifferences } from '../exchange/differences';
import { getOnlyModelWarnings } from '../servers/only-model';
import { collectInputWarnings } from '../servers/truncation';
import { describeRejectedCall, suggestMoreTokens } from '../errors/chapters/turns';
import type { ValidatedCompletion } from './check/validate-completion';
import { describeIgnoredEnd } from './read/ignored-end';
import { getResponseEnd } from './response-end';
import { isThinkingOff } from './settings';
import type { SamplingSettings } from './settings';
import type { TurnContext } from './turn-context';

/** A response, and what it responds to. */
export interface AcceptedResponse {
	completion: ValidatedCompletion;
	/** The warning about thinking that was shown. */
	reasoningWarning: string | undefined;
	/** Whether the server rejected the setting of the thinking, which has a warning of its own. */
	isThinkingOmitted: boolean;
	/** The texts of the messages that were sent. */
	texts: readonly string[];
}

/** The warnings about a response: truncated output or input, another model, a call that was not executed. */
export async function collectResponseWarnings(
	turn: TurnContext,
	accepted: AcceptedResponse,
): Promise<string[]> {
	const { server, serverType, settings } = turn;
	const { model } = settings;
	const { completion, reasoningWarning, texts } = accepted;
	const end = getResponseEnd(turn, completion);
	const { text, rejectedCall } = completion;
	const warnings = [
		getFinishReasonWarning(completion, end),
		// What imitates an earlier call also looks like one.
		getImitatedCallWarning(text) ??
			(rejectedCall && describeRejectedCall(rejectedCall, serverType.name, end)),
		reasoningWarning,
		describeIgnoredEnd(completion.ignoredEnd),
		...getSettingWarnings(settings.sampling, accepted, serverType.texts),
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

/** What was not as it was set: thinking, the length. */
function getSettingWarnings(
	sampling: SamplingSettings,
	{ completion, isThinkingOmitted }: AcceptedResponse,
	texts: ServerTexts,
): string[] {
	const { reasoning, usage, maxTokens, toolCalls } = completion;
	const differences = findDifferences('chat', {
		requested: {
			thinking: isThinkingOmitted ? undefined : toRequestedThinking(sampling),
			maxTokens,
		},
		result: {
			reasoning,
			reasoningTokens: usage?.reasoningTokens,
			completionTokens: usage?.estimated === true ? undefined : usage?.completionTokens,
			hasCalls: toolCalls.length > 0,
		},
	});
	return differences.map((difference) => describeDifference(difference, texts));
}

function toRequestedThinking(sampling: SamplingSettings): RequestedChat['thinking'] {
	const { thinking } = sampling;
	if (isThinkingOff(sampling)) return 'off';
	if (thinking?.mode === 'budget') return thinking.tokens;
	return thinking?.mode === 'on' ? 'on' : undefined;
}

/** Models imitate the text that n8n writes into the memory for earlier calls. */
function getImitatedCallWarning(text: string): string | undefined {
	if (!/^\s*(?:\[Used tools: |Calling \S+ with input: )/.test(text)) return undefined;
	return 'The model wrote text that looks like a tool result but did not call a tool. Start a new conversation, or use a model with better tool support.';
}
