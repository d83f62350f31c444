/** One turn of a chat in five steps: the conversation, its body, sending, reading, and correcting the model's mistakes. */
import { captureError, type ServerError } from '../errors/server-error';
import { estimateTokens, getTruncationWarnings } from '../servers/truncation';
import { matchesModel, assertModelName, getDisplayName } from '../servers/model-names';
import {
	getRecognizedTypeName,
	getServerType,
	getCachedOnlyModel,
	getServerProps,
} from '../servers/types';
import type { ModelServer } from '../servers/types/server-type';
import { withSpan } from '../tracing/span';
import { omitUndefined } from '../values';
import { requestCompletion, isBuffered, type CompletionAttempt } from './request-completion';
import { prepareMessages } from './convert-messages';
import { MAX_CORRECTIONS } from './correction';
import { buildCompletionRequest, assertCapabilities, type TurnContext } from './completion-request';
import { validateCompletion, type AcceptedCompletion } from './validate-completion';
import { assertValidParameters, isJsonRequested } from './parameters';
import { getText } from './content';
import { createToolNames } from './grammar-schema';
import { createToolCallIds, toolCallCache } from './tool-calls';
import { createQuotationCheck } from './quotations';
import { addUsage, toResponseAttributes } from './usage';
import type { ChatRequest, ChatMessage, ChatSettings, ChatResult, Usage } from './types';
import { DisplayedText } from './reasoning';
import type { ServerModel } from '../servers/models';

/**
 * Answers a call.
 *
 * @param show gets the text as it arrives
 * @throws {ServerError} with the text that had arrived in `partialText` and `partialReasoning`
 */
export async function runTurn(
	server: ModelServer,
	settings: ChatSettings,
	chatRequest: ChatRequest,
	show: (piece: string) => void = () => {},
): Promise<ChatResult> {
	assertModelName(settings.model);
	assertValidParameters(settings.parameters);
	const model = settings.model.trim();
	const { messages, notes } = prepareMessages(chatRequest.messages, settings);
	const stop = [...new Set([...(settings.parameters.stop ?? []), ...(chatRequest.stop ?? [])])];
	const parameters = stop.length === 0 ? settings.parameters : { ...settings.parameters, stop };
	const queueStats = { waitedMs: 0, hasPreemptedBatch: false, timesPreempted: 0 };
	const { trace, priority, showThinking } = settings;
	const startedAt = performance.now();
	return await withSpan(
		server,
		{
			operation: 'chat',
			model,
			parameters,
			input: messages,
			...omitUndefined({ trace, priority }),
		},
		async (traced) => {
			const turn: TurnContext = {
				server: traced,
				serverType: await getServerType(traced, chatRequest.signal),
				settings: { ...settings, model, parameters },
				chatRequest,
				queueStats,
				toolNames: createToolNames([
					...(chatRequest.tools ?? []),
					...(chatRequest.unofferedTools ?? []),
				]),
				isQuoted: createQuotationCheck(messages, chatRequest.tools),
				display: new DisplayedText(showThinking && !isJsonRequested(parameters), show),
				startedAt,
			};
			const answer = await completeWithCorrections(turn, messages);
			return { ...answer, warnings: [...notes, ...answer.warnings] };
		},
		(answer) => toResponseAttributes(answer, startedAt),
	);
}

/** Asks, and asks again where the model made a mistake. */
async function completeWithCorrections(
	turn: TurnContext,
	messages: ChatMessage[],
): Promise<ChatResult> {
	const { server, settings, chatRequest, display } = turn;
	const props = await getServerProps(server, settings.model, chatRequest.signal);
	await assertCapabilities(turn, messages, props);
	const first = buildCompletionRequest(turn, messages);
	let { body } = first;
	let usage: Usage | undefined;
	for (let corrections = 0; ; corrections++) {
		const read = await withUsage(usage, async () => await requestWithRetry(turn, body));
		usage = addUsage(usage, read.completion.usage);
		const verdict = validateCompletion(turn, read, body);
		if (verdict.correctedRequest === undefined || corrections >= MAX_CORRECTIONS) {
			const answer = await withUsage(usage, () => verdict.accept());
			const warnings = [...first.notes, ...answer.warnings];
			const usable = { ...answer, ...omitUndefined({ usage }), warnings };
			return await toChatResult(turn, { messages, read, corrections }, usable);
		}
		body = verdict.correctedRequest;
		display.startRetry();
	}
}

/** Does a part of the turn. Its failure has the tokens of all tries. */
async function withUsage<T>(usage: Usage | undefined, work: () => T | Promise<T>): Promise<T> {
	try {
		return await work();
	} catch (error) {
		const { failed } = captureError(error);
		throw failed.copyWith({ facts: { ...failed.facts, ...omitUndefined({ usage }) } });
	}
}

/**
 * llama-server drops an answer that its parser cannot read ("Failed to parse input at pos …"): with another seed, the
 * next one may be valid.
 */
async function requestWithRetry(
	turn: TurnContext,
	body: Parameters<typeof requestCompletion>[1],
): Promise<CompletionAttempt> {
	return await requestCompletion(turn, body).catch(async (error: unknown) => {
		const { failed } = captureError(error);
		if (!isWorthRetrying(failed, turn)) throw failed;
		return await requestCompletion(turn, body);
	});
}

function isWorthRetrying({ type }: ServerError, { settings, display }: TurnContext): boolean {
	const { seed, extraBody } = settings.parameters;
	const isRandom = (seed ?? extraBody?.seed ?? -1) === -1;
	return type === 'outputParseFailed' && display.text === '' && isRandom;
}

interface TurnProgress {
	messages: readonly ChatMessage[];
	read: CompletionAttempt;
	corrections: number;
}

async function toChatResult(
	turn: TurnContext,
	{ messages, read, corrections }: TurnProgress,
	usable: AcceptedCompletion,
): Promise<ChatResult> {
	const { server, display, startedAt, toolNames } = turn;
	if (isBuffered(turn)) display.push(usable);
	display.close();
	const ids = createToolCallIds(usable.toolCalls.map(({ id }) => id));
	const toolCalls = usable.toolCalls.map((call, index) => ({
		id: ids[index]!,
		name: toolNames.toOriginal(call.name),
		arguments: call.arguments,
	}));
	toolCallCache.store({ ...usable, toolCalls });
	const { reasoning, finishReason, timings, model } = usable;
	return {
		text: display.text,
		reasoning,
		toolCalls,
		finishReason,
		...omitUndefined({ usage: usable.usage ?? estimateUsage(usable, messages), timings, model }),
		warnings: await collectWarnings(turn, messages, {
			...usable,
			...omitUndefined({ usage: read.completion.usage }),
		}),
		url: read.url,
		firstTokenMs: read.firstTokenMs,
		totalMs: performance.now() - startedAt,
		...omitUndefined({
			serverType: getRecognizedTypeName(server),
			logFields: toLogFields(turn, corrections),
		}),
	};
}

/** Of a minimal server, which neither counts nor says why it ended. */
function estimateUsage(
	{ finishReason, text, reasoning }: AcceptedCompletion,
	messages: readonly ChatMessage[],
): Usage | undefined {
	if (finishReason !== 'unknown') return undefined;
	const inputs = messages.map(({ content }) => estimateTokens(getText(content)));
	const promptTokens = inputs.reduce((total, tokens) => total + tokens, 0);
	const completionTokens = estimateTokens(text + reasoning);
	const totalTokens = promptTokens + completionTokens;
	return { promptTokens, completionTokens, totalTokens, estimated: true };
}

/** What the execution log shows of queue and corrections. */
function toLogFields({ queueStats }: TurnContext, corrections: number): ChatResult['logFields'] {
	const { waitedMs, hasPreemptedBatch, timesPreempted } = queueStats;
	const hasWaited = waitedMs >= 1 || hasPreemptedBatch || timesPreempted > 0;
	if (!hasWaited && corrections === 0) return undefined;
	return omitUndefined({
		queueWaitMs: hasWaited ? Math.round(waitedMs) : undefined,
		preemptedBatch: hasPreemptedBatch || undefined,
		timesPreempted: timesPreempted || undefined,
		corrections: corrections || undefined,
	});
}

/** The notes on an answer: cut, not read whole, of another model, or with a call that was not run. */
async function collectWarnings(
	turn: TurnContext,
	messages: readonly ChatMessage[],
	answer: AcceptedCompletion,
): Promise<string[]> {
	const { serverType, server } = turn;
	const { model } = turn.settings;
	const texts = messages.map(({ content }) => getText(content));
	const notes = [
		...answer.warnings,
		...getFinishReasonWarnings(answer),
		getRejectedCallWarning(answer, serverType.texts.tools),
		getImitatedCallWarning(answer.text),
		...(await getTruncationWarnings(server, {
			texts,
			processedTokens: answer.usage?.promptTokens,
			model,
		})),
		serverType.getModelWarning?.(model),
		getOtherModelWarning(model, answer.model, getCachedOnlyModel(server)),
	];
	return notes.filter((note) => note !== undefined);
}

function getFinishReasonWarnings({ finishReason, toolCalls }: AcceptedCompletion): string[] {
	if (finishReason === 'length')
		return [
			'The response was cut off at the token limit. Raise Maximum Tokens or the server context.',
		];
	if (toolCalls.length === 0 && /^(?:tool_calls|function_call)$/.test(finishReason))
		return ['The server reported a tool call but sent none, so no tool was called.'];
	if (finishReason !== 'unknown') return [];
	return [
		'The server did not report why the response ended (finish_reason stayed empty), so it may have been cut off.',
	];
}

function getRejectedCallWarning(
	{ rejectedCall }: AcceptedCompletion,
	advice: string,
): string | undefined {
	if (rejectedCall === undefined) return undefined;
	return `The response contains what looks like a call to ${rejectedCall.name}. It was not executed, because ${rejectedCall.reason}. ${advice}`;
}

/** Models imitate what n8n writes of earlier calls into the memory. */
function getImitatedCallWarning(text: string): string | undefined {
	if (!/^\s*(?:\[Used tools: |Calling \S+ with input: )/.test(text)) return undefined;
	return 'The model wrote text that looks like a tool result but did not call a tool. Start a new conversation, or use a model with better tool support.';
}

/**
 * A server with one model answers with it, whatever name is sent (docs/protocols/llama-server.md 4.3).
 *
 * @param only its one model, where it said so
 */
function getOtherModelWarning(
	requested: string,
	answered: string | undefined,
	only: ServerModel | undefined,
): string | undefined {
	if (answered === undefined || only === undefined || isSameModelName(answered, requested))
		return undefined;
	if (!hasName(only, answered) || hasName(only, requested)) return undefined;
	return `The server does not have the model "${requested}" and used its only model, "${only.id}". Select that model in the node, or start the server with the other one.`;
}

function hasName(model: ServerModel, name: string): boolean {
	return (
		matchesModel(model, name) ||
		[model.id, ...model.aliases].some((id) => isSameModelName(id, name))
	);
}

/** Whether two names mean one model, written as a path, a file name or a name. */
function isSameModelName(one: string, other: string): boolean {
	return bareName(one) === bareName(other);
}

function bareName(name: string): string {
	const fileName = name.split(/[/\\]/).at(-1) ?? name;
	return getDisplayName(fileName).trim().toLowerCase();
}
