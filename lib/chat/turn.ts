/** One turn of a chat: prepares the conversation, sends it, reads the completion, and corrects model errors. */
import { getProfile } from '../servers/profile';
import { getInputWarnings } from '../servers/truncation';
import { parseJson } from '../values/json';
import { estimateTokens } from '../values/tokens';
import { collectTexts } from '../values/text';
import type { ServerModel } from '../servers/models';
import { assertModelName, isSameModelName, matchesModel } from '../servers/models';
import type { ModelServer } from '../servers/types/server-type';
import { withSpan } from '../tracing/span';
import type { AppliedRule } from '../exchange/types';
import { requestCompletion } from './request-completion';
import { prepareMessages } from './prepare/prepare-messages';
import { buildCompletionRequest } from './body/completion-request';
import { assertCapabilities } from './prepare/capabilities';
import type { AcceptedCompletion } from './check/validate-completion';
import { showsTextAtEnd } from './check/validate-completion';
import { isJsonRequested } from './body/openai-body';
import { getText } from './content';
import { DisplayedText } from './read/displayed-text';
import { cacheToolCalls } from './tools/tool-call-cache';
import { createToolNames } from './tools/tool-names';
import { createToolCallIds } from './tools/tool-call-ids';
import { toResponseAttributes } from './read/usage';
import type {
	ChatRequest,
	ChatMessage,
	ChatSettings,
	ChatResult,
	ToolDefinition,
	TurnContext,
	Usage,
} from './types';
import { describeRejectedCall } from './check/rejected-call';

/**
 * Runs one turn.
 *
 * @param onDelta called with the text as it arrives
 * @throws {ServerError} with the received text in `partialText` and `partialReasoning`
 */
export async function runTurn(
	server: ModelServer,
	settings: ChatSettings,
	chatRequest: ChatRequest,
	onDelta: (delta: string) => void = () => {},
): Promise<ChatResult> {
	assertModelName(settings.model);
	const model = settings.model.trim();
	const { messages, warnings } = prepareMessages(chatRequest.messages, settings);
	const { tools = [], unofferedTools = [], signal } = chatRequest;
	const stop = [...new Set([...(settings.parameters.stop ?? []), ...(chatRequest.stop ?? [])])];
	const parameters = stop.length === 0 ? settings.parameters : { ...settings.parameters, stop };
	const { trace, priority, showThinking } = settings;
	const startedAt = performance.now();
	return await withSpan(
		server,
		{ operation: 'chat', model, parameters, input: messages, trace, priority },
		async (tracedServer) => {
			const turn: TurnContext = {
				server: tracedServer,
				serverType: await getProfile(tracedServer).getType(signal),
				settings: { ...settings, model, parameters },
				chatRequest,
				queueStats: { waitedMs: 0, hasPreemptedBatch: false, timesPreempted: 0 },
				toolNames: createToolNames([...tools, ...unofferedTools]),
				quotableTexts: getQuotableTexts(messages, [...tools, ...unofferedTools]),
				display: new DisplayedText(showThinking && !isJsonRequested(parameters), onDelta),
				startedAt,
			};
			return await runExchange(turn, messages, warnings);
		},
		(result) => toResponseAttributes(result, startedAt),
	);
}

async function runExchange(
	turn: TurnContext,
	messages: ChatMessage[],
	historyWarnings: string[],
): Promise<ChatResult> {
	const { server, settings, chatRequest, display, startedAt, toolNames } = turn;
	const profile = getProfile(server);
	const props = await profile.getProps(settings.model, chatRequest.signal);
	await assertCapabilities(turn, messages, props);
	const built = buildCompletionRequest(turn, messages);
	const { value: completion, warnings, applied } = await requestCompletion(turn, built.draft);
	if (showsTextAtEnd(turn)) display.push(completion);
	display.endAttempt();
	const ids = createToolCallIds(completion.toolCalls.map(({ id }) => id));
	const toolCalls = completion.toolCalls.map((toolCall, index) => ({
		id: ids[index]!,
		name: toolNames.toOriginal(toolCall.name),
		arguments: toolCall.arguments,
	}));
	cacheToolCalls({ ...completion, toolCalls });
	const texts = messages.map(({ content }) => getText(content));
	return {
		...completion,
		text: display.text,
		toolCalls,
		usage: turn.usage ?? estimateUsage(completion, texts),
		warnings: [
			...historyWarnings,
			...built.warnings,
			...warnings,
			...completion.warnings,
			...(await collectWarnings(turn, texts, completion)),
		],
		totalMs: performance.now() - startedAt,
		serverType: profile.getRecognizedName(),
		logFields: toLogFields(turn, applied),
	};
}

/** Estimates the usage for minimal servers, which report neither token counts nor a finish reason. */
function estimateUsage(
	{ finishReason, text, reasoning }: AcceptedCompletion,
	texts: readonly string[],
): Usage | undefined {
	if (finishReason !== 'unknown') return undefined;
	const promptTokens = texts.reduce((total, text) => total + estimateTokens(text), 0);
	const completionTokens = estimateTokens(text + reasoning);
	const totalTokens = promptTokens + completionTokens;
	return { promptTokens, completionTokens, totalTokens, estimated: true };
}

/** Execution log fields for the queue, and for responses that were held back or requested again. */
function toLogFields(
	{ queueStats, isDelayed }: TurnContext,
	applied: readonly AppliedRule[],
): ChatResult['logFields'] {
	const { waitedMs, hasPreemptedBatch, timesPreempted } = queueStats;
	const hasWaited = waitedMs >= 1 || hasPreemptedBatch || timesPreempted > 0;
	const corrections = applied.filter(({ rule }) => rule === 'correction').length;
	return {
		queueWaitMs: hasWaited ? Math.round(waitedMs) : undefined,
		preemptedBatch: hasPreemptedBatch || undefined,
		timesPreempted: timesPreempted || undefined,
		corrections: corrections || undefined,
		delayedBecause: isDelayed ? 'the last response began inside its thinking' : undefined,
		resentBecause: applied.length > 0 ? applied.map(({ because }) => because) : undefined,
	};
}

/** Warnings: truncated output or input, another model, a call that was not executed. */
async function collectWarnings(
	turn: TurnContext,
	texts: readonly string[],
	completion: AcceptedCompletion,
) {
	const { serverType, server } = turn;
	const { model } = turn.settings;
	const warnings = [
		getFinishReasonWarning(completion),
		completion.rejectedCall && describeRejectedCall(completion.rejectedCall, serverType),
		getImitatedCallWarning(completion.text),
		turn.reasoningWarning,
		...(await getInputWarnings(server, {
			texts,
			processedTokens: completion.usage?.promptTokens,
			model,
		})),
		serverType.getModelWarning?.(model),
		getOtherModelWarning(model, completion.model, getProfile(server).getOnlyModel()),
	];
	return warnings.filter((warning) => warning !== undefined);
}

function getFinishReasonWarning({
	finishReason,
	toolCalls,
	hasEmptyCall,
	rejectedCall,
}: AcceptedCompletion): string | undefined {
	// The hint about a call that was cut off says the same.
	if (rejectedCall?.reason === 'cutOff') return undefined;
	if (hasEmptyCall)
		return 'The response contained an empty tool call next to its text. It was ignored.';
	if (finishReason === 'length')
		return 'The response was cut off at the token limit. Raise Maximum Tokens or the server context.';
	if (toolCalls.length === 0 && /^(?:tool_calls|function_call)$/.test(finishReason))
		return 'The server reported a tool call but sent none, so no tool was called.';
	return finishReason === 'unknown'
		? 'The server did not report why the response ended (finish_reason stayed empty), so it may have been cut off.'
		: undefined;
}

/** Models imitate the text that n8n writes into the memory for earlier calls. */
function getImitatedCallWarning(text: string): string | undefined {
	if (!/^\s*(?:\[Used tools: |Calling \S+ with input: )/.test(text)) return undefined;
	return 'The model wrote text that looks like a tool result but did not call a tool. Start a new conversation, or use a model with better tool support.';
}

/**
 * A server with one model uses it for every requested name (docs/protocols/llama-server.md 4.3).
 *
 * @param onlyModel the server's only model, if it reported one
 */
function getOtherModelWarning(
	requested: string,
	responseModel: string | undefined,
	onlyModel: ServerModel | undefined,
) {
	const isOther = responseModel && onlyModel && !isSameModelName(responseModel, requested);
	if (
		!isOther ||
		!matchesModel(onlyModel, responseModel, isSameModelName) ||
		matchesModel(onlyModel, requested, isSameModelName)
	)
		return undefined;
	return `The server does not have the model "${requested}" and used its only model, "${onlyModel.id}". Select that model in the node, or start the server with the other one.`;
}

/**
 * The texts in which a call may be quoted: messages, earlier responses of the model with the values of their calls,
 * descriptions of tools and their arguments. A call that the model made is no quotation of itself.
 */
export function getQuotableTexts(
	messages: readonly ChatMessage[],
	tools: readonly ToolDefinition[],
): string[] {
	const calls = messages.flatMap((message) =>
		message.role === 'assistant' ? (message.toolCalls ?? []) : [],
	);
	const values = calls.map(({ arguments: args }) => parseJson(args));
	const toolTexts = tools.map(({ description, parameters }) => [description, parameters]);
	return [
		...messages.map(({ content }) => getText(content, '\n')),
		...collectTexts(values),
		...collectTexts(toolTexts),
	];
}
